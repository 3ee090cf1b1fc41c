// SPDX-License-Identifier: EUPL-1.2
//! The administration's first page: what asks for attention, and where things are.
use crate::{
    db::Read,
    text::{count, number},
    web::{Page, Result, Shell, format},
};
use askama::Template;
use chrono::Duration;

struct Alert {
    class: &'static str,
    icon: &'static str,
    text: String,
    link: Option<(&'static str, &'static str)>,
}

struct Shortcut {
    title: &'static str,
    url: &'static str,
    icon: &'static str,
    text: String,
}

#[derive(Template)]
#[template(path = "settings/administration.html")]
struct Administration {
    shell: Shell,
    alerts: Vec<Alert>,
    shortcuts: Vec<Shortcut>,
}

pub async fn page(mut read: Read) -> Result<Page<impl Template>> {
    let (now, app) = (read.now(), read.app().clone());
    let facts = sqlx::query!(
        r#"select (select count(*) from users where active) as "active!",
                  (select count(*) from users where active and last_sign_in_at is null) as "never!",
                  (select count(*) from user_groups) as "groups!",
                  (select count(*) from contact_requests where handled_at is null) as "requests!",
                  (select count(*) from users u where active and 'admin' = any (roles)
                    and not exists (select 1 from second_factors f where f.user_id = u.id and f.confirmed_at is not null)) as "bare!",
                  (select count(*) from messages where state in ('pending', 'sending', 'retrying')) as "waiting!",
                  (select count(*) from messages where state = 'failed' and created_at > $1) as "failed!",
                  (select count(*) from messages where state in ('sent', 'failed') and created_at > $1) as "tried!",
                  (select count(*) from jobs where attempts >= 8) as "stuck!",
                  (select count(*) from campaigns c join users u on u.id = c.owner_id
                    where not u.active and c.archived_at is null and c.deleted_at is null) as "orphans!""#,
        now - Duration::hours(24)
    )
    .fetch_one(read.conn())
    .await?;
    let settings = app.settings();
    let mut alerts = Vec::new();
    let mut alert =
        |class, icon, text: String, link| alerts.push(Alert { class, icon, text, link });
    if !app.mailer.is_configured() {
        let text = "Aucun relais de messagerie n’est configuré : les messages restent en attente."
            .to_owned();
        alert(
            "notice--warning",
            "mail",
            text,
            Some(("Voir les messages", "/administration/messages")),
        );
    } else if let Some(since) = app.mailer.silent_since() {
        let text = format!(
            "Le relais de messagerie ne répond pas depuis {} : {} en attente.",
            format::hour(since),
            count(facts.waiting, "message", "messages")
        );
        alert(
            "notice--danger",
            "octagon-alert",
            text,
            Some(("Voir les messages", "/administration/messages")),
        );
    }
    if facts.tried > 0 && facts.failed * 20 > facts.tried {
        let text = format!(
            "{} depuis 24 heures.",
            count(facts.failed, "message en échec", "messages en échec")
        );
        alert(
            "notice--danger",
            "octagon-alert",
            text,
            Some(("Voir les échecs", "/administration/messages?etat=failed")),
        );
    }
    if facts.orphans > 0 {
        let text = count(
            facts.orphans,
            "campagne sans propriétaire actif.",
            "campagnes sans propriétaire actif.",
        );
        alert("notice--warning", "alert", text, Some(("Voir les campagnes", "/campagnes")));
    }
    if facts.stuck > 0 {
        let text = format!(
            "{} : consultez le journal technique.",
            count(
                facts.stuck,
                "traitement abandonné après huit essais",
                "traitements abandonnés après huit essais"
            )
        );
        alert("notice--danger", "octagon-alert", text, None);
    }
    if facts.requests > 0 {
        let text = format!(
            "{} à traiter.",
            count(facts.requests, "demande de contact", "demandes de contact")
        );
        alert("notice--info", "message", text, Some(("Lire", "/administration/demandes")));
    }
    if facts.bare > 0 {
        let text = count(
            facts.bare,
            "compte d’administrateur sans double authentification.",
            "comptes d’administrateur sans double authentification.",
        );
        alert(
            "notice--warning",
            "shield",
            text,
            Some(("Exiger la double authentification", "/administration/parametres/securite")),
        );
    }
    if settings.organisation.is_empty() || settings.contact.is_empty() || settings.dpo.is_empty() {
        let text = "L’organisation, le contact ou le délégué à la protection des données ne sont pas renseignés.".to_owned();
        alert(
            "notice--warning",
            "alert",
            text,
            Some(("Compléter", "/administration/parametres/organisation")),
        );
    }
    let never = match facts.never {
        0 => String::new(),
        n => format!(", dont {} jamais connecté{}", number(n), if n > 1 { "s" } else { "" }),
    };
    let shortcuts = vec![
        Shortcut {
            title: "Utilisateurs",
            url: "/administration/utilisateurs",
            icon: "users",
            text: format!("{}{never}", count(facts.active, "compte actif", "comptes actifs")),
        },
        Shortcut {
            title: "Groupes",
            url: "/administration/groupes",
            icon: "share",
            text: count(facts.groups, "groupe", "groupes"),
        },
        Shortcut {
            title: "Messages",
            url: "/administration/messages",
            icon: "mail",
            text: format!("{} en attente", count(facts.waiting, "message", "messages")),
        },
        Shortcut {
            title: "Demandes de contact",
            url: "/administration/demandes",
            icon: "message",
            text: count(facts.requests, "demande à traiter", "demandes à traiter"),
        },
        Shortcut {
            title: "Paramètres",
            url: "/administration/parametres/organisation",
            icon: "building",
            text: if settings.organisation.is_empty() {
                "À renseigner".into()
            } else {
                settings.organisation.clone()
            },
        },
        Shortcut {
            title: "État du système",
            url: "/administration/etat",
            icon: "server",
            text: "Base, traitements, disque".into(),
        },
    ];
    Ok(Page(Administration { shell: read.shell("Administration"), alerts, shortcuts }))
}
        Shortcut {
            title: "Groupes",
            url: "/administration/groupes",
            icon: "share",
            text: count(facts.groups, "groupe", "groupes"),
        },
        Shortcut {
            title: "Types d’opération",
            url: "/administration/types",
            icon: "layers",
            text: "Champs, workflow et durée de chaque sorte de campagne".into(),
        },
        Shortcut {
            title: "Workflows",
            url: "/administration/workflows",
            icon: "network",
            text: "Statuts, transitions, versions".into(),
        },

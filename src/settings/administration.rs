// SPDX-License-Identifier: EUPL-1.2
//! The administration's first page: what asks for attention, and where things are.
use super::Settings;
use crate::{
    app::App,
    db::Read,
    text::{count, number},
    web::{Page, Result, Shell, format},
};
use askama::Template;
use chrono::{DateTime, Duration, Utc};
use sqlx::PgConnection;

struct Alert {
    class: &'static str,
    icon: &'static str,
    text: String,
    link: Option<(&'static str, &'static str)>,
}

impl Alert {
    fn danger(text: String, link: Option<(&'static str, &'static str)>) -> Self {
        Self { class: "notice--danger", icon: "octagon-alert", text, link }
    }

    fn warning(icon: &'static str, text: String, link: (&'static str, &'static str)) -> Self {
        Self { class: "notice--warning", icon, text, link: Some(link) }
    }
}

struct Shortcut {
    title: &'static str,
    url: String,
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

struct Facts {
    active: i64,
    never: i64,
    groups: i64,
    requests: i64,
    /// Administrators without second factor.
    bare: i64,
    waiting: i64,
    failed: i64,
    tried: i64,
    stuck: i64,
    /// Campaigns whose owner's account is off.
    orphans: i64,
}

async fn facts(conn: &mut PgConnection, now: DateTime<Utc>) -> sqlx::Result<Facts> {
    sqlx::query_as!(
        Facts,
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
    .fetch_one(conn)
    .await
}

pub async fn page(mut read: Read) -> Result<Page<impl Template>> {
    let (now, app) = (read.now(), read.app().clone());
    let facts = facts(read.conn(), now).await?;
    let settings = app.settings();
    let mut alerts = of_mail(&app, &facts);
    alerts.extend(of_work(&facts));
    alerts.extend(of_people(&settings, &facts));
    let shortcuts = shortcuts(&settings, &facts);
    Ok(Page(Administration { shell: read.shell("Administration"), alerts, shortcuts }))
}

fn of_mail(app: &App, facts: &Facts) -> Vec<Alert> {
    const MESSAGES: (&str, &str) = ("Voir les messages", "/administration/messages");
    const FAILED: (&str, &str) = ("Voir les échecs", "/administration/messages?etat=failed");
    let mut alerts = Vec::new();
    if !app.mailer.is_configured() {
        let text = "Aucun relais de messagerie n’est configuré : les messages restent en attente.";
        alerts.push(Alert::warning("mail", text.to_owned(), MESSAGES));
    } else if let Some(since) = app.mailer.silent_since() {
        let text = format!(
            "Le relais de messagerie ne répond pas depuis {} : {} en attente.",
            format::hour(since),
            count(facts.waiting, "message", "messages")
        );
        alerts.push(Alert::danger(text, Some(MESSAGES)));
    }
    if facts.tried > 0 && facts.failed * 20 > facts.tried {
        let failed = count(facts.failed, "message en échec", "messages en échec");
        alerts.push(Alert::danger(format!("{failed} depuis 24 heures."), Some(FAILED)));
    }
    alerts
}

fn of_work(facts: &Facts) -> Vec<Alert> {
    let mut alerts = Vec::new();
    if facts.orphans > 0 {
        let text = count(
            facts.orphans,
            "campagne sans propriétaire actif.",
            "campagnes sans propriétaire actif.",
        );
        alerts.push(Alert::warning("alert", text, ("Voir les campagnes", "/campagnes")));
    }
    if facts.stuck > 0 {
        let stuck = count(
            facts.stuck,
            "traitement abandonné après huit essais",
            "traitements abandonnés après huit essais",
        );
        alerts.push(Alert::danger(format!("{stuck} : consultez le journal technique."), None));
    }
    alerts
}

fn of_people(settings: &Settings, facts: &Facts) -> Vec<Alert> {
    let mut alerts = Vec::new();
    if facts.requests > 0 {
        let requests = count(facts.requests, "demande de contact", "demandes de contact");
        alerts.push(Alert {
            class: "notice--info",
            icon: "message",
            text: format!("{requests} à traiter."),
            link: Some(("Lire", "/administration/demandes")),
        });
    }
    if facts.bare > 0 {
        let text = count(
            facts.bare,
            "compte d’administrateur sans double authentification.",
            "comptes d’administrateur sans double authentification.",
        );
        let link = ("Exiger la double authentification", "/administration/parametres/securite");
        alerts.push(Alert::warning("shield", text, link));
    }
    if settings.organisation.is_empty() || settings.contact.is_empty() || settings.dpo.is_empty() {
        let text = "L’organisation, le contact ou le délégué à la protection des données ne sont pas renseignés.";
        let link = ("Compléter", "/administration/parametres/organisation");
        alerts.push(Alert::warning("alert", text.to_owned(), link));
    }
    alerts
}

fn shortcuts(settings: &Settings, facts: &Facts) -> Vec<Shortcut> {
    let never = match facts.never {
        0 => String::new(),
        n => format!(", dont {} jamais connecté{}", number(n), if n > 1 { "s" } else { "" }),
    };
    let people = count(facts.active, "compte actif", "comptes actifs");
    let waiting = count(facts.waiting, "message", "messages");
    let organisation = match settings.organisation.as_str() {
        "" => "À renseigner",
        name => name,
    };
    [
        ("Utilisateurs", "utilisateurs", "user", format!("{people}{never}")),
        ("Groupes", "groupes", "users", count(facts.groups, "groupe", "groupes")),
        (
            "Types d’opération",
            "types",
            "layers",
            "Champs, workflow et durée de chaque sorte de campagne".into(),
        ),
        ("Workflows", "workflows", "network", "Statuts, transitions, versions".into()),
        (
            "Configuration",
            "configuration",
            "download",
            "Exporter ou importer types et workflows".into(),
        ),
        ("Messages", "messages", "mail", format!("{waiting} en attente")),
        (
            "Demandes de contact",
            "demandes",
            "message",
            count(facts.requests, "demande à traiter", "demandes à traiter"),
        ),
        ("Paramètres", "parametres/organisation", "building", organisation.to_owned()),
        ("Journal d’audit", "audit", "history", "Entrées, intégrité, export".into()),
        ("État du système", "etat", "server", "Base, traitements, disque".into()),
    ]
    .map(|(title, page, icon, text)| Shortcut {
        title,
        url: format!("/administration/{page}"),
        icon,
        text,
    })
    .into()
}

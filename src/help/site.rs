// SPDX-License-Identifier: EUPL-1.2
//! « Plan du site »: every page this visitor can reach, as the routes declare who may.
use crate::{
    accounts::User,
    app::{self, App},
    campaigns::{self, Campaign},
    db::Id,
    web::{Access, Page, Result, Shell, auth::Visitor},
};
use askama::Template;
use axum::extract::State;
use std::{collections::HashMap, sync::LazyLock};

/// Section by section, in the order of the navigation.
const SECTIONS: &[(&str, &[(&str, &str)])] = &[
    (
        "Travail",
        &[
            ("Tableau de bord", "/tableau-de-bord"),
            ("Campagnes", "/campagnes"),
            ("Nouvelle campagne", "/campagnes/nouvelle"),
            ("Corbeille des campagnes", "/campagnes/corbeille"),
            ("Mes interventions", "/terrain"),
            ("Modèles de checklists", "/checklists"),
            ("Nouveau modèle de checklist", "/checklists/nouveau"),
            ("Recherche", "/recherche"),
        ],
    ),
    (
        "Mon compte",
        &[
            ("Connexion", "/connexion"),
            ("Mot de passe oublié", "/mot-de-passe-oublie"),
            ("Mon profil", "/profil"),
            ("Mot de passe", "/profil/mot-de-passe"),
            ("Double authentification", "/profil/double-authentification"),
            ("Mes sessions", "/profil/sessions"),
        ],
    ),
    (
        "Administration",
        &[
            ("Administration", "/administration"),
            ("Utilisateurs", "/administration/utilisateurs"),
            ("Nouvel utilisateur", "/administration/utilisateurs/nouveau"),
            ("Groupes", "/administration/groupes"),
            ("Types d’opération", "/administration/types"),
            ("Nouveau type d’opération", "/administration/types/nouveau"),
            ("Workflows", "/administration/workflows"),
            ("Nouveau workflow", "/administration/workflows/nouveau"),
            ("Configuration", "/administration/configuration"),
            ("Journal d’audit", "/administration/audit"),
            ("Messages", "/administration/messages"),
            ("Demandes de contact", "/administration/demandes"),
            ("Paramètres : organisation", "/administration/parametres/organisation"),
            ("Paramètres : textes", "/administration/parametres/textes"),
            ("Paramètres : sécurité", "/administration/parametres/securite"),
            ("Paramètres : messagerie", "/administration/parametres/messagerie"),
            ("État du système", "/administration/etat"),
        ],
    ),
    (
        "À propos",
        &[
            ("Aide", "/aide"),
            ("Toute l’aide sur une page", "/aide/tout"),
            ("Contact", "/contact"),
            ("Accessibilité", "/accessibilite"),
            ("Mentions légales", "/mentions-legales"),
            ("Données personnelles", "/donnees-personnelles"),
            ("Plan du site", "/plan-du-site"),
        ],
    ),
];

/// Who may reach each page; made once from the routes.
static ACCESS: LazyLock<HashMap<&'static str, Access>> = LazyLock::new(|| {
    app::routes().table.iter().filter(|r| r.method == "GET").map(|r| (r.path, r.access)).collect()
});

#[derive(Template)]
#[template(path = "help/site.html")]
struct Site {
    shell: Shell,
    sections: Vec<(&'static str, Vec<(&'static str, &'static str)>)>,
    campaigns: Vec<Line>,
}

struct Line {
    id: Id<Campaign>,
    name: String,
}

fn reaches(user: Option<&User>, path: &str) -> bool {
    match (ACCESS.get(path), user) {
        // Of no use once signed in.
        (_, Some(_)) if matches!(path, "/connexion" | "/mot-de-passe-oublie") => false,
        (Some(Access::Public), _) | (Some(Access::SignedIn), Some(_)) => true,
        (Some(Access::Roles(roles)), Some(user)) => roles.iter().any(|r| user.roles.has(*r)),
        _ => false,
    }
}

pub async fn page(State(app): State<App>, visitor: Visitor) -> Result<Page<impl Template>> {
    let user = visitor.user.as_ref();
    let sections = SECTIONS
        .iter()
        .map(|(title, pages)| {
            (*title, pages.iter().copied().filter(|(_, path)| reaches(user, path)).collect())
        })
        .filter(|(_, pages): &(_, Vec<_>)| !pages.is_empty())
        .collect();
    let campaigns = match user {
        Some(user) => visible(&app, user).await?,
        None => Vec::new(),
    };
    Ok(Page(Site { shell: Shell::new(&app, &visitor, "Plan du site"), sections, campaigns }))
}

/// By name; each one's own pages are the tabs of its dashboard.
async fn visible(app: &App, user: &User) -> sqlx::Result<Vec<Line>> {
    let mut conn = app.db.acquire().await?;
    let ids = campaigns::visible(&mut conn, user).await?;
    sqlx::query_as!(
        Line,
        r#"select id as "id: Id<Campaign>", name from campaigns where id = any($1) order by name_norm, id limit 500"#,
        &ids as _
    )
    .fetch_all(&mut *conn)
    .await
}

#[cfg(test)]
pub(super) fn lists(path: &str) -> bool {
    SECTIONS.iter().any(|(_, pages)| pages.iter().any(|(_, known)| *known == path))
}

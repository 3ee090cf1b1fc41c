// SPDX-License-Identifier: EUPL-1.2
//! « Statut »: forcing it with a reason, or leaving it to the facts again (US-216, RG-010).
use super::section;
use crate::{
    campaigns::{
        Campaign, Own, Status,
        forced::{self, Forced},
        status,
    },
    db::{Id, Read, Tx},
    web::{Again, Form, Page, Redirect, Result, Shell, auth::Allowed, format},
};
use askama::Template;
use axum::{
    extract::Path,
    response::{IntoResponse, Response},
};
use sqlx::PgConnection;

/// What can be forced: (code, name, what it means).
const FORCED: [(&str, &str, &str); 3] = [
    ("a-venir", "À venir", "Comme si rien n’avait commencé"),
    ("en-cours", "En cours", "Même avant la date de début, ou quand tout est réalisé"),
    (
        "terminee",
        "Terminée",
        "Même s’il reste des opérations ; la campagne peut alors être archivée",
    ),
];

#[derive(Template)]
#[template(path = "campaigns/settings/status.html")]
pub struct StatusPage {
    shell: Shell,
    campaign: Allowed<Own, Campaign>,
    forced: Option<Forced>,
    form: Form,
}

impl StatusPage {
    async fn load(
        conn: &mut PgConnection,
        shell: Shell,
        user: &crate::accounts::User,
        campaign: Allowed<Own, Campaign>,
        form: Form,
    ) -> Result<Self> {
        let forced = forced::forced(conn, campaign.id).await?;
        let shell = section(shell, &campaign, user, "parametres/statut");
        Ok(Self { shell, campaign, forced, form })
    }

    fn choices(&self) -> [(&'static str, &'static str, &'static str); 3] {
        FORCED
    }
}

pub async fn page(mut read: Read, Path(id): Path<Id<Campaign>>) -> Result<Page<StatusPage>> {
    let campaign = read.authorize(Own, id).await?;
    let (shell, user) = (read.shell("Statut"), read.user().clone());
    Ok(Page(StatusPage::load(read.conn(), shell, &user, campaign, Form::default()).await?))
}

pub async fn update(mut tx: Tx, Path(id): Path<Id<Campaign>>, mut form: Form) -> Result<Response> {
    status::lock(&mut tx, id).await?;
    let campaign = tx.authorize_to_change(Own, id).await?;
    let path = campaign.path("parametres/statut");
    if form.checked("automatique") {
        forced::unforce(&mut tx, &campaign).await?;
        tx.commit().await?;
        return Ok(Redirect::to(path).flash("Le statut est de nouveau calculé.").into_response());
    }
    let chosen = form.text("statut");
    let status = FORCED
        .iter()
        .any(|(code, ..)| *code == chosen)
        .then(|| Status::ALL.into_iter().find(|s| s.code() == chosen))
        .flatten();
    if status.is_none() {
        form.refuse("statut", "Choisissez un statut");
    }
    let reason = form.text("motif");
    if reason.is_empty() {
        form.refuse("motif", "Indiquez un motif.");
    } else if !(5..=500).contains(&reason.chars().count()) {
        form.refuse("motif", "Le motif doit compter de 5 à 500 caractères.");
    }
    let (Some(status), true) = (status, form.is_valid()) else {
        let (shell, user) = (tx.shell("Statut"), tx.user()?.clone());
        let page = StatusPage::load(tx.conn(), shell, &user, campaign, form).await?;
        return Ok(Again(page).into_response());
    };
    forced::force(&mut tx, &campaign, status, &reason).await?;
    tx.commit().await?;
    Ok(Redirect::to(path).flash(format!("Statut forcé : {}.", status.label())).into_response())
}

// SPDX-License-Identifier: EUPL-1.2
//! One import: how far it is, what came of it, how to undo it. Closing the page stops nothing.
use super::{Counters, Import, State, job, model, undo::Report};
use crate::{
    audit::Entry,
    campaigns::{self, Campaign, Configure},
    db::{Id, Read, Tx},
    web::{Error, Form, Page, Redirect, Result, Shell},
};
use askama::Template;
use axum::{
    extract::Path,
    response::{IntoResponse, Response},
};
use serde_json::json;

#[derive(Template)]
#[template(path = "imports/show.html")]
pub struct Show {
    shell: Shell,
    campaign: Campaign,
    import: Import,
    step: usize,
    counters: Counters,
    report: Option<Report>,
}

impl Show {
    fn icon(&self) -> &'static str {
        self.import.state.look().0
    }

    fn class(&self) -> &'static str {
        self.import.state.look().1
    }
}

pub async fn page(
    mut read: Read,
    Path((id, import)): Path<(Id<Campaign>, Id<Import>)>,
) -> Result<Response> {
    let campaign = read.authorize(Configure, id).await?.clone();
    let import = model::find(read.conn(), id, import).await?;
    if !import.is_working() && matches!(import.state, State::Analysed | State::Validated) {
        return Ok(Redirect::to(super::upload::current(&import)).into_response());
    }
    let report =
        sqlx::query_scalar!("select counters -> 'undo' from imports where id = $1", import.id as _)
            .fetch_one(read.conn())
            .await?;
    let report = report.map(serde_json::from_value).transpose().map_err(anyhow::Error::from)?;
    let step = if campaign.is_draft { 3 } else { 0 };
    let counters = import.counters.clone().unwrap_or_default();
    let tabs = campaigns::tabs(&campaign, read.user(), "imports");
    let shell = read
        .shell(import.file_name.clone())
        .with_tabs(tabs)
        .under("Campagnes", "/campagnes")
        .under(campaign.name.clone(), campaign.url())
        .under("Imports", campaign.path("imports"));
    Ok(Page(Show { shell, campaign, import, step, counters, report }).into_response())
}

/// « Annuler l’import »: stops what runs and leaves nothing; undoes what is done (RG-097); undoes the undo.
pub async fn cancel(
    mut tx: Tx,
    Path((id, import)): Path<(Id<Campaign>, Id<Import>)>,
    form: Form,
) -> Result<Redirect> {
    tx.authorize(Configure, id).await?;
    let import = model::find_to_decide(tx.conn(), id, import).await?;
    let settled = matches!(import.state, State::Done | State::Undone);
    // The same click twice, or a page seen before another decision, changes nothing (RG-181).
    if settled && (import.is_working() || form.text("version") != import.version.to_string()) {
        return Ok(Redirect::to(import.url()));
    }
    let now = tx.now();
    let said = match import.state {
        State::Done if now - import.finished_at.unwrap_or(now) > chrono::Duration::days(30) => {
            return Err(Error::Refused(
                "Un import ne peut plus être annulé après 30 jours.".into(),
            ));
        }
        State::Done => {
            job::next_stage(&mut tx, import.id, "undo", "done").await?;
            "Annulation de l’import en cours."
        }
        State::Undone => {
            job::next_stage(&mut tx, import.id, "undo", "undone").await?;
            "L’import est de nouveau appliqué."
        }
        State::Failed | State::Cancelled => return Ok(Redirect::to(import.url())),
        _ if import.is_working() => {
            sqlx::query!(
                "update imports set cancel_requested = true, updated_at = $2 where id = $1",
                import.id as _,
                now
            )
            .execute(tx.conn())
            .await?;
            "L’import s’arrête. Rien n’est gardé."
        }
        _ => {
            sqlx::query!("update imports set state = 'cancelled', stage = 'idle', version = version + 1, updated_at = $2, finished_at = $2 where id = $1", import.id as _, now)
                .execute(tx.conn())
                .await?;
            "Import abandonné."
        }
    };
    tx.record(
        Entry::on("import.cancelled", "import", import.id.uuid())
            .campaign(id)
            .changes(json!({ "state": import.state.label() })),
    )
    .await?;
    let work = tx.app().work.clone();
    tx.commit().await?;
    work.notify_one();
    Ok(Redirect::to(import.url()).flash(said))
}

// SPDX-License-Identifier: EUPL-1.2
//! One bulk action: what it will do, how far it is, what it did, how to take it back.
use super::{
    job::Work,
    model::{self, Bulk, Log, Preview},
};
use crate::{
    audit::Entry,
    campaigns::{Campaign, Configure},
    db::{Id, Read, Tx},
    web::{Error, Form, Page, Redirect, Result, Shell, format},
    workflows::Workflow,
};
use askama::Template;
use axum::extract::Path;
use serde_json::json;

#[derive(Template)]
#[template(path = "operations/bulk/show.html")]
pub struct Show {
    shell: Shell,
    bulk: Bulk,
    preview: Option<Preview>,
    log: Log,
    operations: String,
}

impl Show {
    /// Of the items that the work under way must treat.
    fn percent(&self) -> u64 {
        let left = if self.bulk.state == "undoing" { self.log.applied } else { self.log.waiting };
        (self.bulk.total - left.min(self.bulk.total)) * 100 / self.bulk.total.max(1)
    }

    fn status(&self) -> (&'static str, &'static str, &'static str) {
        match self.bulk.state.as_str() {
            "previewed" => ("À confirmer", "circle", "todo"),
            "running" => ("En cours", "play", "in-progress"),
            "undoing" => ("Annulation en cours", "undo", "in-progress"),
            "done" if self.log.waiting > 0 => ("Arrêtée", "slash", "postponed"),
            "done" => ("Terminée", "check", "done"),
            "undone" => ("Annulée", "undo", "cancelled"),
            "cancelled" => ("Abandonnée", "slash", "cancelled"),
            _ => ("Interrompue", "octagon-alert", "blocked"),
        }
    }
}

pub async fn page(
    mut read: Read,
    Path((id, lot)): Path<(Id<Campaign>, Id<Bulk>)>,
) -> Result<Page<Show>> {
    let campaign = read.authorize(Configure, id).await?;
    let (conn, user) = read.split();
    let bulk = Bulk::find(conn, id, lot).await?;
    let preview = match bulk.state.as_str() {
        "previewed" => {
            let workflow = Workflow::load(conn, campaign.workflow_version_id).await?;
            Some(model::preview(conn, &bulk, &workflow, user).await?)
        }
        _ => None,
    };
    let log = model::log(conn, lot, bulk.state == "undone").await?;
    let operations = campaign.path("operations");
    let shell = read
        .shell(bulk.gesture.summary())
        .under("Campagnes", "/campagnes")
        .under(&campaign.name, campaign.url())
        .under("Opérations", operations.as_str());
    Ok(Page(Show { shell, bulk, preview, log, operations }))
}

/// Starts the work; the same click twice starts it once (RG-181).
pub async fn confirm(
    mut tx: Tx,
    Path((id, lot)): Path<(Id<Campaign>, Id<Bulk>)>,
) -> Result<Redirect> {
    tx.authorize(Configure, id).await?;
    let bulk = Bulk::find(tx.conn(), id, lot).await?;
    // The work is done under the rights of the person who starts it.
    let acting = tx.user()?.id;
    let begun = sqlx::query!(
        "update bulk_actions set state = 'running', acting_id = $2 where id = $1 and state = 'previewed'",
        lot as _,
        acting as _
    )
    .execute(tx.conn())
    .await?;
    if begun.rows_affected() == 0 {
        tx.commit_quietly("the same click twice: it was begun and traced by the first").await?;
        return Ok(Redirect::to(bulk.url()));
    }
    tx.record(Entry::on("bulk.confirmed", "bulk", lot.uuid()).campaign(id).changes(json!({
        "gesture": bulk.gesture.summary(),
        "rows": bulk.total,
    })))
    .await?;
    tx.enqueue(Work { bulk: lot }).await?;
    let work = tx.app().work.clone();
    tx.commit().await?;
    work.notify_one();
    Ok(Redirect::to(bulk.url()))
}

/// Gives up what is not begun, stops what runs, takes back what is done, does again what was taken back.
pub async fn cancel(
    mut tx: Tx,
    Path((id, lot)): Path<(Id<Campaign>, Id<Bulk>)>,
    form: Form,
) -> Result<Redirect> {
    tx.authorize(Configure, id).await?;
    let (acting, now) = (tx.user()?.id, tx.now());
    let state = sqlx::query_scalar!(
        "select state from bulk_actions where id = $1 and campaign_id = $2 for update",
        lot as _,
        id as _
    )
    .fetch_optional(tx.conn())
    .await?
    .ok_or(Error::NotFound)?;
    let bulk = Bulk::find(tx.conn(), id, lot).await?;
    // The same click twice, or a page seen before another decision, changes nothing (RG-181).
    if form.text("etat") != state {
        return Ok(Redirect::to(bulk.url()));
    }
    let (to, said) = match state.as_str() {
        "previewed" => ("cancelled", "Action groupée abandonnée : rien n’a changé."),
        // What is already changed can be taken back.
        "done" | "failed" if bulk.finished_at.is_some_and(|at| now - at > model::UNDONE_WITHIN) => {
            return Err(Error::Refused(
                "Une action groupée ne peut plus être annulée après 30 jours.".into(),
            ));
        }
        "running" => ("done", "L’action groupée s’arrête. Ce qui est fait peut être annulé."),
        "done" | "failed" if bulk.gesture.can_be_undone() => ("undoing", "Annulation en cours."),
        "done" => return Err(Error::Refused("Les notes ne s’annulent pas.".into())),
        "undone" => ("running", "L’action groupée est de nouveau appliquée."),
        _ => return Ok(Redirect::to(bulk.url())),
    };
    if state == "undone" {
        // What a stop had left is not done now either.
        sqlx::query!(
            "update bulk_items set outcome = 'refused', why = 'Non traitée : l’action avait été arrêtée.' where bulk_id = $1 and outcome is null",
            lot as _
        )
        .execute(tx.conn())
        .await?;
        sqlx::query!(
            "update bulk_items set outcome = null, why = null where bulk_id = $1 and outcome = 'undone'",
            lot as _
        )
        .execute(tx.conn())
        .await?;
    }
    sqlx::query!(
        "update bulk_actions set state = $2, acting_id = $3, finished_at = $4 where id = $1",
        lot as _,
        to,
        acting as _,
        (to == "done").then_some(now)
    )
    .execute(tx.conn())
    .await?;
    if matches!(to, "undoing" | "running") {
        tx.enqueue(Work { bulk: lot }).await?;
    }
    tx.record(Entry::on("bulk.cancelled", "bulk", lot.uuid()).campaign(id).changes(json!({
        "gesture": bulk.gesture.summary(),
        "state": to,
    })))
    .await?;
    let work = tx.app().work.clone();
    tx.commit().await?;
    work.notify_one();
    Ok(Redirect::to(bulk.url()).flash(said))
}

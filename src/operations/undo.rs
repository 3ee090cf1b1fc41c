// SPDX-License-Identifier: EUPL-1.2
//! « Annuler cette action »: the author of the last transition, within ten minutes, if nothing
//! else changed since (RG-024). Both events stay in the history.
use super::{Act, Edit, Event, Operation, record, transition::after_status};
use crate::{
    accounts::User,
    audit::Entry,
    db::{Id, Tx},
    web::{Error, Result, auth::Allowed, format},
    workflows::{Category, Workflow},
};
use chrono::{DateTime, Duration, Utc};
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::PgConnection;

const DELAY: Duration = Duration::minutes(10);

#[derive(Deserialize)]
struct Before {
    planned_at: Option<DateTime<Utc>>,
    initial_planned_at: Option<DateTime<Utc>>,
    postpone_count: i16,
    last_reason: Option<String>,
    started_at: Option<DateTime<Utc>>,
    done_at: Option<DateTime<Utc>>,
}

struct Last {
    at: DateTime<Utc>,
    kind: String,
    actor_id: Option<Id<User>>,
    actor_name: Option<String>,
    from_status: Option<i32>,
    changes: Option<Value>,
}

async fn last_event(
    conn: &mut PgConnection,
    operation: Id<Operation>,
) -> sqlx::Result<Option<Last>> {
    sqlx::query_as!(
        Last,
        r#"select e.at, e.kind, e.actor_id as "actor_id: Id<User>", u.first_name || ' ' || upper(u.last_name) as actor_name,
                  e.from_status, e.changes
           from operation_events e left join users u on u.id = e.actor_id
           where e.operation_id = $1 and e.kind not in ('note', 'ticked', 'unticked', 'checklist_moved') order by e.seq desc limit 1"#,
        operation as _
    )
    .fetch_optional(conn)
    .await
}

/// Whether the button is shown to this person.
pub async fn undoable(
    conn: &mut PgConnection,
    operation: &Operation,
    user: &User,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let last = last_event(conn, operation.id).await?;
    Ok(last.is_some_and(|last| why_not(&last, operation, user, now).is_none()))
}

/// The cause of a refusal, as the person reads it.
fn why_not(last: &Last, operation: &Operation, user: &User, now: DateTime<Utc>) -> Option<String> {
    if last.actor_id != Some(user.id) {
        let who = last.actor_name.as_deref().unwrap_or("quelqu’un d’autre");
        return Some(format!("{who} a modifié l’opération depuis"));
    }
    if !matches!(last.kind.as_str(), "transition" | "correction") {
        return Some("l’opération a été modifiée depuis".into());
    }
    if now - last.at > DELAY {
        return Some(format!(
            "plus de 10 minutes se sont écoulées depuis {}",
            format::hour(last.at)
        ));
    }
    let version = last.changes.as_ref().and_then(|c| c["version"].as_i64());
    (version != Some(i64::from(operation.version)))
        .then(|| "l’opération a été modifiée depuis".into())
}

/// Restores the state before the person's last transition.
///
/// # Errors
/// `Refused` with the cause.
pub async fn undo(tx: &mut Tx, operation: &Allowed<Act, Operation>) -> Result<Category> {
    let user = tx.user()?.clone();
    let refuse =
        |cause: &str| Error::Refused(format!("Cette action ne peut plus être annulée : {cause}."));
    let last = last_event(tx.conn(), operation.id)
        .await?
        .ok_or_else(|| refuse("aucune action à annuler"))?;
    if let Some(cause) = why_not(&last, operation, &user, tx.now()) {
        return Err(refuse(&cause));
    }
    restore(tx, operation, last).await
}

/// Restores the state before the last transition, whoever did it and whenever: the undo of a bulk
/// action, which knows that nothing changed since (RG-097).
///
/// # Errors
/// `Refused` when the last event is not a transition.
pub(super) async fn take_back(
    tx: &mut Tx,
    operation: &Allowed<Edit, Operation>,
) -> Result<Category> {
    match last_event(tx.conn(), operation.id).await? {
        Some(last) if last.kind == "transition" => restore(tx, operation, last).await,
        _ => Err(Error::Refused("modifiée depuis".into())),
    }
}

async fn restore(tx: &mut Tx, operation: &Operation, last: Last) -> Result<Category> {
    let user = tx.actor().user_id();
    let workflow = Workflow::load(tx.conn(), operation.campaign.workflow_version_id).await?;
    let from = last.from_status.ok_or_else(|| Error::Refused("Aucune action à annuler.".into()))?;
    let back = workflow.status(from)?;
    let before = last.changes.as_ref().map(|c| c["before"].clone()).unwrap_or_default();
    let before: Before =
        serde_json::from_value(before).map_err(|err| Error::Internal(err.into()))?;
    let now = tx.now();
    sqlx::query!(
        "update operations set status_id = $2, category = $3, planned_at = $4, initial_planned_at = $5, postpone_count = $6,
                last_reason = $7, started_at = $8, done_at = $9, version = version + 1, updated_at = $10, updated_by = $11
         where id = $1",
        operation.id as _,
        back.id,
        back.category as _,
        before.planned_at,
        before.initial_planned_at,
        before.postpone_count,
        before.last_reason,
        before.started_at,
        before.done_at,
        now,
        user as _,
    )
    .execute(tx.conn())
    .await?;
    record(
        tx,
        Event {
            from_status: Some(operation.status_id),
            to_status: Some(back.id),
            planned_after: before.planned_at,
            ..Event::on(operation, "undo")
        },
    )
    .await?;
    tx.record(
        Entry::on("operation.undone", "operation", operation.id.uuid())
            .campaign(operation.campaign.id)
            .changes(json!({ "status": [operation.status_id, back.id] })),
    )
    .await?;
    after_status(tx, operation, back.category).await?;
    Ok(back.category)
}

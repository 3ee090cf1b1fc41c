// SPDX-License-Identifier: EUPL-1.2
//! The one function that changes a status (RG-017): screen, field, bulk and booking all come here.
use super::{Act, Edit, Event, Operation, model, record};
use crate::{
    accounts::User,
    audit::Entry,
    campaigns, checklists,
    db::Tx,
    prerequisites,
    text::count,
    web::{
        Error, Result,
        auth::{Allowed, Permits},
    },
    workflows::{Category, DateMode, ReasonMode, Workflow},
};
use chrono::{DateTime, Datelike, Utc};
use serde_json::{Value, json};
use sqlx::PgConnection;

/// What a person asks for.
#[derive(Default)]
pub struct Change {
    /// Code of the transition.
    pub transition: String,
    pub reason: Option<String>,
    /// A new planned date, where the transition takes one.
    pub date: Option<DateTime<Utc>>,
    /// The same key twice is one event (RG-181).
    pub key: Option<String>,
    /// « Terminer quand même », with mandatory steps that are not ticked (RG-036).
    pub despite_steps: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Done(Category),
    /// The same request had already been obeyed.
    AlreadyDone,
}

/// Moves an operation along its workflow.
///
/// # Errors
/// `Refused` in French when the graph, the roles, the reason or the date say no.
pub async fn transition(
    tx: &mut Tx,
    operation: &Allowed<Act, Operation>,
    change: Change,
) -> Result<Outcome> {
    if let Some(key) = &change.key {
        let known = sqlx::query_scalar!(
            r#"select exists (select 1 from operation_events where operation_id = $1 and idempotency_key = $2) as "known!""#,
            operation.id as _,
            key
        )
        .fetch_one(tx.conn())
        .await?;
        if known {
            return Ok(Outcome::AlreadyDone);
        }
    }
    let workflow = Workflow::load(tx.conn(), operation.campaign.workflow_version_id).await?;
    let user = tx.user()?.clone();
    let offered = model::offered(operation, &workflow, &user);
    let Some(chosen) = offered.into_iter().find(|t| t.code == change.transition) else {
        return Err(Error::Refused("Transition non autorisée. L’opération a peut-être changé entre-temps : rechargez la page.".into()));
    };
    let to = workflow.status(chosen.to)?;
    let reason = check_reason(change.reason, chosen.reason)?;
    if to.category == Category::Done {
        check_steps(tx, operation, &user, change.despite_steps, reason.as_deref()).await?;
    }
    let planned = match (chosen.date, change.date) {
        (DateMode::Untouched, _) => operation.planned_at,
        (DateMode::Cleared, _) => None,
        (DateMode::Required, None) => {
            return Err(Error::Refused("Indiquez la date prévue (jj/mm/aaaa).".into()));
        }
        (DateMode::Required | DateMode::Optional, Some(date)) => Some(check_date(date)?),
        (DateMode::Optional, None) if to.category == Category::Postponed => None,
        (DateMode::Optional, None) => operation.planned_at,
    };
    let moved = Moved {
        to: chosen.to,
        category: to.category,
        planned,
        reason: reason.as_deref(),
        kind: "transition",
        key: change.key.as_deref(),
    };
    apply(tx, operation, &moved).await?;
    Ok(Outcome::Done(to.category))
}

/// What « Terminer » meets when mandatory steps are not ticked (RG-036): the sentence to confirm, or
/// the refusal of a campaign that blocks; `None` when nothing is in the way.
pub async fn open_steps(
    conn: &mut PgConnection,
    operation: &Operation,
) -> sqlx::Result<Option<String>> {
    let level = operation.campaign.finish_level.as_str();
    if level == "free" {
        return Ok(None);
    }
    let progress = checklists::progress_of(conn, operation.id).await?.unwrap_or_default();
    let open = u64::from(progress.open());
    if open == 0 {
        return Ok(None);
    }
    let said = count(
        open,
        "étape obligatoire n’est pas cochée",
        "étapes obligatoires ne sont pas cochées",
    );
    Ok(Some(match level {
        "block" => format!("{said} : cochez-les avant de terminer."),
        _ => format!("{said}. Terminer quand même ?"),
    }))
}

async fn check_steps(
    tx: &mut Tx,
    operation: &Operation,
    user: &User,
    confirmed: bool,
    reason: Option<&str>,
) -> Result<()> {
    let Some(said) = open_steps(tx.conn(), operation).await? else { return Ok(()) };
    let overrides = Permits::<Edit>::permits(operation, user) && reason.is_some();
    match operation.campaign.finish_level.as_str() {
        "block" if confirmed && overrides => Ok(()),
        "block" => Err(Error::Refused(said)),
        _ if confirmed => Ok(()),
        _ => Err(Error::Refused(said)),
    }
}

/// Sets any status of the workflow, with a mandatory reason (RG-026).
///
/// # Errors
/// `Refused` without a reason of 5 to 500 characters, or for the status it already has.
pub async fn correct(
    tx: &mut Tx,
    operation: &Allowed<Edit, Operation>,
    status: i32,
    reason: Option<String>,
) -> Result<Category> {
    let workflow = Workflow::load(tx.conn(), operation.campaign.workflow_version_id).await?;
    let to = workflow.statuses.iter().find(|s| s.id == status).ok_or(Error::NotFound)?;
    if status == operation.status_id {
        return Err(Error::Refused(format!("L’opération est déjà « {} ».", to.name)));
    }
    let reason = check_reason(reason, ReasonMode::Required)?;
    let moved = Moved {
        to: status,
        category: to.category,
        planned: operation.planned_at,
        reason: reason.as_deref(),
        kind: "correction",
        key: None,
    };
    apply(tx, operation, &moved).await?;
    Ok(to.category)
}

struct Moved<'a> {
    to: i32,
    category: Category,
    planned: Option<DateTime<Utc>>,
    reason: Option<&'a str>,
    kind: &'static str,
    key: Option<&'a str>,
}

async fn apply(tx: &mut Tx, operation: &Operation, moved: &Moved<'_>) -> Result<()> {
    if moved.category == Category::InProgress && operation.started_at.is_none() {
        prerequisites::check_start(tx.conn(), operation).await?;
    }
    let (now, user) = (tx.now(), tx.actor().user_id());
    let written = sqlx::query_scalar!(
        "update operations set status_id = $2, category = $3, planned_at = $4,
                initial_planned_at = coalesce(initial_planned_at, planned_at, $4),
                postpone_count = postpone_count + case when $3 = 'postponed'::status_category then 1 else 0 end,
                last_reason = coalesce($5, last_reason),
                started_at = case when $3 = 'in_progress'::status_category then coalesce(started_at, $6) else started_at end,
                done_at = case when $3 = 'done'::status_category then $6::timestamptz end,
                version = version + 1, updated_at = $6, updated_by = $7
         where id = $1 and version = $8 returning version",
        operation.id as _,
        moved.to,
        moved.category as _,
        moved.planned,
        moved.reason,
        now,
        user as _,
        operation.version,
    )
    .fetch_optional(tx.conn())
    .await?;
    let Some(version) = written else {
        return Err(Error::Refused(
            "L’opération a changé entre-temps. Rechargez la page, puis recommencez.".into(),
        ));
    };
    record(
        tx,
        Event {
            from_status: Some(operation.status_id),
            to_status: Some(moved.to),
            planned_after: moved.planned,
            reason: moved.reason,
            changes: Some(state_before(operation, version)),
            key: moved.key,
            ..Event::on(operation, moved.kind)
        },
    )
    .await?;
    tx.record(
        Entry::on(if moved.kind == "correction" { "operation.corrected" } else { "operation.moved" }, "operation", operation.id.uuid())
            .campaign(operation.campaign.id)
            .changes(json!({ "status": [operation.status_id, moved.to], "planned_at": [operation.planned_at, moved.planned] }))
            .reason(moved.reason.map(str::to_owned)),
    )
    .await?;
    after_status(tx, operation, moved.category).await
}

/// What an undo restores, and the version it must still find (RG-024).
fn state_before(operation: &Operation, version: i32) -> Value {
    json!({
        "version": version,
        "before": {
            "planned_at": operation.planned_at,
            "initial_planned_at": operation.initial_planned_at,
            "postpone_count": operation.postpone_count,
            "last_reason": operation.last_reason,
            "started_at": operation.started_at,
            "done_at": operation.done_at,
        }
    })
}

/// What follows a status wherever it came from: the campaign's own status, the live screens.
pub(super) async fn after_status(tx: &mut Tx, operation: &Operation, to: Category) -> Result<()> {
    let campaign = operation.campaign.id;
    let starts = matches!(to, Category::InProgress | Category::Done);
    let mut first_start = false;
    if starts {
        first_start = sqlx::query_scalar!(
            "select not ever_started from campaigns where id = $1",
            campaign as _
        )
        .fetch_one(tx.conn())
        .await?
        .unwrap_or(false);
    }
    if first_start {
        campaigns::status::lock(tx, campaign).await?;
        sqlx::query!("update campaigns set ever_started = true where id = $1", campaign as _)
            .execute(tx.conn())
            .await?;
    }
    if first_start || to.is_final() != operation.category.is_final() {
        campaigns::status::refresh(tx, campaign).await?;
    }
    tx.touch_campaign(campaign).await?;
    tx.touch_person(operation.assignee_id).await?;
    Ok(())
}

fn check_reason(reason: Option<String>, mode: ReasonMode) -> Result<Option<String>> {
    let reason = reason.map(|text| crate::text::clean(&text)).filter(|text| !text.is_empty());
    match (&reason, mode) {
        (None, ReasonMode::Required) => Err(Error::Refused("Indiquez un motif.".into())),
        (Some(text), _) if !(5..=500).contains(&text.chars().count()) => {
            Err(Error::Refused("Le motif doit compter de 5 à 500 caractères.".into()))
        }
        _ => Ok(reason),
    }
}

/// RG-027: 2000-01-01 … 2099-12-31.
pub(super) fn check_date(date: DateTime<Utc>) -> Result<DateTime<Utc>> {
    if (2000..=2099).contains(&crate::clock::day(date).year()) {
        Ok(date)
    } else {
        Err(Error::Refused(
            "La date doit être comprise entre le 01/01/2000 et le 31/12/2099.".into(),
        ))
    }
}

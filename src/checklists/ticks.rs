// SPDX-License-Identifier: EUPL-1.2
//! Ticking (US-501, 505, 509; RG-033): a step is set ticked or unticked, never toggled; the first tick
//! stays; a value captured with it is saved with it or not at all.
use super::{Definition, Step, frozen::locked_by};
use crate::{
    audit::Entry,
    campaigns::{Campaign, Configure, Field, fields},
    db::{Id, Tx},
    operations::{Act, Edit, Event, Operation, WorkOnSite, record, values::Checker, write_values},
    text::norm,
    web::{
        Error, Form, Redirect, Result,
        auth::{Allowed, Permits},
        local,
    },
};
use axum::extract::Path;
use serde_json::json;
use uuid::Uuid;

pub const FINISHED: &str = "Intervention terminée : la checklist ne peut plus être modifiée.";

/// What a person asks of a step.
#[derive(Default)]
pub struct Tick {
    pub on: bool,
    /// What was typed for the field that the step captures.
    pub value: Option<String>,
    /// The same key twice is one event (RG-181).
    pub key: Option<String>,
}

/// The field of this campaign that a step captures, by its label.
pub fn captured<'a>(fields: &'a [Field], step: &Step) -> Option<&'a Field> {
    let wanted = norm(&step.capture);
    fields
        .iter()
        .find(|f| !wanted.is_empty() && f.label_norm == wanted && !f.hidden && !f.is_column())
}

/// Sets a step; whether anything changed.
///
/// # Errors
/// `Refused` in French: a finished intervention for its technician, a locked phase, a value that its
/// field does not accept. `NotFound` for a step of another checklist.
pub async fn tick(
    tx: &mut Tx,
    operation: &Allowed<Act, Operation>,
    step: Uuid,
    asked: Tick,
) -> Result<bool> {
    if let Some(key) = &asked.key
        && already_done(tx, operation.id, key).await?
    {
        return Ok(false);
    }
    // Ticks of one operation wait for each other: what is locked is judged on what is ticked.
    let stored = sqlx::query_scalar!(
        "select v.definition from checklists k join checklist_versions v on v.id = k.version_id where k.operation_id = $1 for update of k",
        operation.id as _
    )
    .fetch_optional(tx.conn())
    .await?
    .ok_or(Error::NotFound)?;
    let definition: Definition = serde_json::from_value(stored).map_err(anyhow::Error::from)?;
    let (phase, step) = definition
        .phases
        .iter()
        .find_map(|phase| Some((phase, phase.steps.iter().find(|known| known.id == step)?)))
        .ok_or(Error::NotFound)?;
    if operation.category.is_final() && !Permits::<Edit>::permits(&**operation, tx.user()?) {
        return Err(Error::Refused(FINISHED.into()));
    }
    let ticked: Vec<Uuid> =
        sqlx::query_scalar!("select step_id from ticks where operation_id = $1", operation.id as _)
            .fetch_all(tx.conn())
            .await?;
    if let Some(before) = locked_by(&definition, phase.id, |id| ticked.contains(&id)) {
        return Err(Error::Refused(format!("Terminez d’abord la phase « {} »", before.label)));
    }
    if asked.on {
        capture(tx, operation, step, asked.value.as_deref()).await?;
    }
    let changed = write(tx, operation, step.id, asked.on).await?;
    if !changed {
        return Ok(false);
    }
    record(
        tx,
        Event {
            changes: Some(json!({ "step": step.label })),
            key: asked.key.as_deref(),
            ..Event::on(operation, if asked.on { "ticked" } else { "unticked" })
        },
    )
    .await?;
    let action = if asked.on { "operation.ticked" } else { "operation.unticked" };
    tx.record(
        Entry::on(action, "operation", operation.id.uuid())
            .campaign(operation.campaign.id)
            .changes(json!({ "step": step.id })),
    )
    .await?;
    tx.touch_campaign(operation.campaign.id).await?;
    tx.touch_person(operation.assignee_id).await?;
    Ok(true)
}

async fn already_done(tx: &mut Tx, operation: Id<Operation>, key: &str) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (select 1 from operation_events where operation_id = $1 and idempotency_key = $2) as "known!""#,
        operation as _,
        key
    )
    .fetch_one(tx.conn())
    .await
}

async fn write(tx: &mut Tx, operation: &Operation, step: Uuid, on: bool) -> Result<bool> {
    let (now, user) = (tx.now(), tx.actor().user_id());
    let written = if on {
        sqlx::query!(
            "insert into ticks (operation_id, step_id, by_id, at) values ($1, $2, $3, $4) on conflict (operation_id, step_id) do nothing",
            operation.id as _,
            step,
            user as _,
            now
        )
        .execute(tx.conn())
        .await?
    } else {
        sqlx::query!(
            "delete from ticks where operation_id = $1 and step_id = $2",
            operation.id as _,
            step
        )
        .execute(tx.conn())
        .await?
    };
    Ok(written.rows_affected() > 0)
}

/// Writes the captured value; an empty one leaves the field as it is.
async fn capture(
    tx: &mut Tx,
    operation: &Operation,
    step: &Step,
    typed: Option<&str>,
) -> Result<()> {
    let Some(typed) = typed.map(crate::text::clean).filter(|text| !text.is_empty()) else {
        return Ok(());
    };
    let all = fields(tx.conn(), operation.campaign.id).await?;
    let Some(field) = captured(&all, step) else { return Ok(()) };
    let stored = match Checker::of(field).check(&typed) {
        Ok(accepted) => accepted.map(|a| a.stored.into_owned()).unwrap_or_default(),
        Err(why) => return Err(Error::Refused(why)),
    };
    if stored == operation.value(field.number) {
        return Ok(());
    }
    write_values(tx, operation, &[(field.clone(), stored)]).await
}

fn asked(form: &Form) -> Tick {
    Tick { on: form.has("etat", "oui"), value: form.given("valeur"), key: form.given("cle") }
}

/// On the technician's own screen.
pub async fn create_onsite(
    mut tx: Tx,
    Path((id, step)): Path<(Id<Operation>, Uuid)>,
    form: Form,
) -> Result<axum::response::Response> {
    tx.authorize_to_change(WorkOnSite, id).await?;
    let operation = tx.authorize(Act, id).await?;
    match tick(&mut tx, &operation, step, asked(&form)).await {
        Ok(_) => {
            tx.commit_quietly("traced when something changed").await?;
            Ok(axum::response::IntoResponse::into_response(Redirect::to(operation.onsite_url())))
        }
        Err(Error::Refused(why)) => {
            let refused = Refusal { step, why, typed: form.text("valeur") };
            crate::onsite::refused_tick(&mut tx, id, refused).await
        }
        Err(err) => Err(err),
    }
}

/// A step that could not be ticked: told beside it, with what was typed.
#[derive(Clone, Debug)]
pub struct Refusal {
    pub step: Uuid,
    pub why: String,
    pub typed: String,
}

/// On the campaign's side, by whoever configures it.
pub async fn create(
    mut tx: Tx,
    Path((campaign, id, step)): Path<(Id<Campaign>, Id<Operation>, Uuid)>,
    form: Form,
) -> Result<Redirect> {
    tx.authorize(Configure, campaign).await?;
    tx.authorize_to_change(Act, id).await.and_then(|operation: Allowed<Act, Operation>| {
        if operation.campaign.id == campaign { Ok(()) } else { Err(Error::NotFound) }
    })?;
    let operation = tx.authorize(Act, id).await?;
    tick(&mut tx, &operation, step, asked(&form)).await?;
    tx.commit_quietly("traced when something changed").await?;
    let back = form.given("retour").filter(|to| local(Some(to)).is_some());
    Ok(Redirect::to(back.unwrap_or_else(|| operation.url())))
}

// SPDX-License-Identifier: EUPL-1.2
//! What a gestionnaire does to an operation beside its status: create, edit, assign, plan, move, note.
use super::{Edit, Event, Operation, record, transition::check_date};
use crate::{
    accounts::{Role, User},
    audit::Entry,
    campaigns::{self, Campaign, Configure, Field, Segment, Usage},
    db::{Id, Tx, sqlstate},
    text::{clean, norm},
    web::{
        Error, Result,
        auth::{Allowed, Permits},
    },
    workflows::Workflow,
};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use uuid::Uuid;

const NOT_A_TECHNICIAN: &str = "Cette personne n’est pas technicien.";

/// Checked values of a new operation; see `values::Checker`.
pub struct NewOperation {
    pub identifier: String,
    pub label: String,
    /// By field number, without identifier and label.
    pub values: Map<String, Value>,
    pub segment: Option<Id<Segment>>,
    pub assignee: Option<Id<User>>,
    pub planned: Option<DateTime<Utc>>,
}

/// What the search finds: identifier, label and searchable values, normalised (US-308).
pub fn search_text(
    identifier: &str,
    label: &str,
    values: &Map<String, Value>,
    fields: &[Field],
) -> String {
    let mut text = format!("{} {}", norm(identifier), norm(label));
    for field in fields.iter().filter(|f| f.searchable && !f.is_column()) {
        if let Some(value) = values.get(&field.key()).and_then(Value::as_str) {
            text.push(' ');
            text.push_str(&norm(value));
        }
    }
    text
}

/// Adds one operation by hand, in the workflow's initial status (RG-014).
///
/// # Errors
/// « Cet identifiant existe déjà dans la campagne ».
pub async fn create(
    tx: &mut Tx,
    campaign: &Allowed<Configure, Campaign>,
    new: NewOperation,
) -> Result<Id<Operation>> {
    let fields = campaigns::fields(tx.conn(), campaign.id).await?;
    let workflow = Workflow::load(tx.conn(), campaign.workflow_version_id).await?;
    let initial = workflow.initial()?;
    check_technician(tx, new.assignee).await?;
    let planned = new.planned.map(check_date).transpose()?;
    let id = Id::<Operation>::new();
    let (now, user) = (tx.now(), tx.actor().user_id());
    let text = search_text(&new.identifier, &new.label, &new.values, &fields);
    sqlx::query!(
        "insert into operations (id, campaign_id, segment_id, status_id, category, assignee_id, identifier, identifier_norm,
           label, label_norm, values, search_text, planned_at, initial_planned_at, created_at, created_by, updated_at, updated_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13, $14, $15, $14, $15)",
        id as _,
        campaign.id as _,
        new.segment as _,
        initial.id,
        initial.category as _,
        new.assignee as _,
        new.identifier,
        norm(&new.identifier),
        new.label,
        norm(&new.label),
        Value::Object(new.values.clone()),
        text,
        planned,
        now,
        user as _,
    )
    .execute(tx.conn())
    .await
    .map_err(duplicate)?;
    record(
        tx,
        Event {
            operation: id,
            campaign: campaign.id,
            kind: "created",
            from_status: None,
            to_status: Some(initial.id),
            assignee: new.assignee,
            planned_before: None,
            planned_after: planned,
            reason: None,
            changes: None,
            batch: None,
            key: None,
        },
    )
    .await?;
    tx.record(
        Entry::on("operation.created", "operation", id.uuid())
            .campaign(campaign.id)
            .changes(json!({ "identifier": [null, new.identifier], "label": [null, new.label], "values": [null, new.values] })),
    )
    .await?;
    campaigns::status::refresh(tx, campaign.id).await?;
    campaigns::status::follows(tx, campaign.id, campaign.workflow_version_id).await?;
    tx.touch_campaign(campaign.id).await?;
    tx.touch_person(new.assignee).await?;
    Ok(id)
}

fn duplicate(err: sqlx::Error) -> Error {
    match sqlstate(&err).as_deref() {
        Some("23505") => Error::Refused("Cet identifiant existe déjà dans la campagne".into()),
        _ => err.into(),
    }
}

/// Writes checked texts by field; the others are untouched. `changed`: (field, new stored text).
///
/// # Errors
/// « Cet identifiant existe déjà dans la campagne ».
pub async fn edit(
    tx: &mut Tx,
    operation: &Allowed<Edit, Operation>,
    changed: &[(Field, String)],
) -> Result<()> {
    if changed.is_empty() {
        return Ok(());
    }
    write_values(tx, operation, changed).await
}

/// Writes checked values and their trace; whoever calls it has decided that this person may.
pub async fn write_values(
    tx: &mut Tx,
    operation: &Operation,
    changed: &[(Field, String)],
) -> Result<()> {
    let fields = campaigns::fields(tx.conn(), operation.campaign.id).await?;
    let (mut identifier, mut label, mut values) =
        (operation.identifier.clone(), operation.label.clone(), operation.values.clone());
    let mut trace = Map::new();
    for (field, text) in changed {
        let before = if field.is(Usage::Identifier) {
            std::mem::replace(&mut identifier, text.clone())
        } else if field.is(Usage::Label) {
            std::mem::replace(&mut label, text.clone())
        } else {
            let former = if text.is_empty() {
                values.remove(&field.key())
            } else {
                values.insert(field.key(), json!(text))
            };
            former.and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
        };
        trace.insert(field.label.clone(), json!([before, text]));
    }
    let search = search_text(&identifier, &label, &values, &fields);
    let (now, user) = (tx.now(), tx.actor().user_id());
    sqlx::query!(
        "update operations set identifier = $2, identifier_norm = $3, label = $4, label_norm = $5, values = $6, search_text = $7,
                version = version + 1, updated_at = $8, updated_by = $9 where id = $1",
        operation.id as _,
        identifier,
        norm(&identifier),
        label,
        norm(&label),
        Value::Object(values),
        search,
        now,
        user as _,
    )
    .execute(tx.conn())
    .await
    .map_err(duplicate)?;
    traced(tx, operation, "edited", "operation.edited", Value::Object(trace), operation.planned_at)
        .await
}

/// Gives the operation to a technician, or to nobody (RG-018).
///
/// # Errors
/// « Cette personne n’est pas technicien. »
pub async fn assign(
    tx: &mut Tx,
    operation: &Allowed<Edit, Operation>,
    to: Option<Id<User>>,
) -> Result<()> {
    if to == operation.assignee_id {
        return Ok(());
    }
    // One statement checks and writes: ten thousand operations are assigned one by one.
    let (now, user) = (tx.now(), tx.actor().user_id());
    let written = sqlx::query!(
        r#"update operations o set assignee_id = $2, version = o.version + 1, updated_at = $3, updated_by = $4
           from (select 1) one left join users u on u.id = $2 and u.active and 'technician' = any (u.roles)
           where o.id = $1 and ($2::uuid is null or u.id is not null)
           returning u.first_name as "first_name?", u.last_name as "last_name?""#,
        operation.id as _,
        to as _,
        now,
        user as _
    )
    .fetch_optional(tx.conn())
    .await?;
    let Some(written) = written else { return Err(Error::Refused(NOT_A_TECHNICIAN.into())) };
    let name = written
        .first_name
        .zip(written.last_name)
        .map(|(first, last)| crate::accounts::display_name(&first, &last));
    tx.touch_person(to).await?;
    let changes = json!({ "Technicien": [operation.assignee_name, name] });
    traced(tx, operation, "assigned", "operation.assigned", changes, operation.planned_at).await
}

async fn check_technician(tx: &mut Tx, user: Option<Id<User>>) -> Result<Option<String>> {
    let Some(user) = user else { return Ok(None) };
    let row = sqlx::query!(
        "select first_name, last_name, active, roles from users where id = $1",
        user as _
    )
    .fetch_optional(tx.conn())
    .await?;
    match row {
        Some(row) if row.active && row.roles.iter().any(|r| r == Role::Technician.code()) => {
            Ok(Some(crate::accounts::display_name(&row.first_name, &row.last_name)))
        }
        _ => Err(Error::Refused(NOT_A_TECHNICIAN.into())),
    }
}

/// Changes the planned date, without touching the status (RG-027).
///
/// # Errors
/// A date outside 2000 … 2099.
pub async fn plan(
    tx: &mut Tx,
    operation: &Allowed<Edit, Operation>,
    to: Option<DateTime<Utc>>,
) -> Result<()> {
    if to == operation.planned_at {
        return Ok(());
    }
    let to = to.map(check_date).transpose()?;
    let (now, user) = (tx.now(), tx.actor().user_id());
    sqlx::query!(
        "update operations set planned_at = $2, initial_planned_at = coalesce(initial_planned_at, planned_at, $2),
                version = version + 1, updated_at = $3, updated_by = $4 where id = $1",
        operation.id as _,
        to,
        now,
        user as _
    )
    .execute(tx.conn())
    .await?;
    let changes = json!({ "Date prévue": [operation.planned_at, to] });
    traced(tx, operation, "planned", "operation.planned", changes, to).await
}

/// Moves the operation to a segment of its campaign, or to none.
///
/// # Errors
/// `NotFound` for a segment of another campaign.
pub async fn move_to_segment(
    tx: &mut Tx,
    operation: &Allowed<Edit, Operation>,
    to: Option<Id<Segment>>,
) -> Result<()> {
    if to == operation.segment_id {
        return Ok(());
    }
    let known = campaigns::segments(tx.conn(), operation.campaign.id).await?;
    let name = match to {
        None => campaigns_none(),
        Some(id) => known.into_iter().find(|s| s.id == id).ok_or(Error::NotFound)?.name,
    };
    let (now, user) = (tx.now(), tx.actor().user_id());
    sqlx::query!(
        "update operations set segment_id = $2, version = version + 1, updated_at = $3, updated_by = $4 where id = $1",
        operation.id as _,
        to as _,
        now,
        user as _
    )
    .execute(tx.conn())
    .await?;
    let former = operation.segment_name.clone().unwrap_or_else(campaigns_none);
    traced(
        tx,
        operation,
        "moved",
        "operation.segment_changed",
        json!({ "Segment": [former, name] }),
        operation.planned_at,
    )
    .await
}

fn campaigns_none() -> String {
    campaigns::NO_SEGMENT.to_owned()
}

/// A dated note, never changed afterwards (US-410). The technician may on his own operations.
///
/// # Errors
/// Empty, or longer than 2 000 characters.
pub async fn add_note<A>(tx: &mut Tx, operation: &Allowed<A, Operation>, body: &str) -> Result<()>
where
    Operation: Permits<A>,
{
    let body = clean(body);
    if body.is_empty() || body.chars().count() > 2_000 {
        return Err(Error::Refused("La note doit compter de 1 à 2 000 caractères.".into()));
    }
    let (now, author) = (tx.now(), tx.user()?.id);
    sqlx::query!(
        "insert into operation_notes (id, operation_id, author_id, body, at) values ($1, $2, $3, $4, $5)",
        Uuid::now_v7(),
        operation.id as _,
        author as _,
        body,
        now
    )
    .execute(tx.conn())
    .await?;
    record(tx, Event::on(operation, "note")).await?;
    tx.record(
        Entry::on("operation.noted", "operation", operation.id.uuid())
            .campaign(operation.campaign.id)
            .changes(json!({ "length": body.chars().count() })),
    )
    .await?;
    tx.touch_campaign(operation.campaign.id).await?;
    tx.touch_person(operation.assignee_id).await?;
    Ok(())
}

async fn traced(
    tx: &mut Tx,
    operation: &Operation,
    kind: &'static str,
    action: &'static str,
    changes: Value,
    planned_after: Option<DateTime<Utc>>,
) -> Result<()> {
    record(
        tx,
        Event { planned_after, changes: Some(changes.clone()), ..Event::on(operation, kind) },
    )
    .await?;
    tx.record(
        Entry::on(action, "operation", operation.id.uuid())
            .campaign(operation.campaign.id)
            .changes(changes),
    )
    .await?;
    tx.touch_campaign(operation.campaign.id).await?;
    tx.touch_person(operation.assignee_id).await?;
    Ok(())
}

// SPDX-License-Identifier: EUPL-1.2
//! To the bin and back.
use crate::{
    audit::Entry,
    campaigns::{self, Campaign, Configure, Usage},
    db::{Id, Tx, unless_taken},
    operations::{Edit, Event, Operation, record, search_text, values::Checker},
    text::norm,
    web::{Error, Result, auth::Allowed},
};
use chrono::{DateTime, Duration, Utc};
use serde_json::{Value, json};
use sqlx::PgConnection;

pub const KEPT: Duration = Duration::days(30);

/// Gone from lists, figures and the technician's screen; traced, restorable.
pub async fn delete(tx: &mut Tx, operation: &Allowed<Edit, Operation>) -> Result<()> {
    let (now, user) = (tx.now(), tx.actor().user_id());
    sqlx::query!(
        "update operations set deleted_at = $2, version = version + 1, updated_at = $2, updated_by = $3 where id = $1",
        operation.id as _,
        now,
        user as _
    )
    .execute(tx.conn())
    .await?;
    record(tx, Event::on(operation, "deleted")).await?;
    let campaign = operation.campaign.id;
    tx.record(
        Entry::on("operation.deleted", "operation", operation.id.uuid())
            .campaign(campaign)
            .changes(json!({ "identifier": [operation.identifier, null] })),
    )
    .await?;
    campaigns::status::refresh(tx, campaign).await?;
    tx.touch_campaign(campaign).await?;
    tx.touch_person(operation.assignee_id).await?;
    Ok(())
}

/// A deleted operation of the last thirty days.
#[derive(Clone, Debug)]
pub struct Deleted {
    pub id: Id<Operation>,
    pub identifier: String,
    pub label: String,
    pub at: DateTime<Utc>,
    pub by: String,
    /// Its identifier was given to another operation meanwhile.
    pub taken: bool,
}

/// Newest first, after a page's last one.
pub async fn deleted(
    conn: &mut PgConnection,
    campaign: Id<Campaign>,
    since: DateTime<Utc>,
    before: Option<(DateTime<Utc>, Id<Operation>)>,
    limit: i64,
) -> sqlx::Result<Vec<Deleted>> {
    let (at, id) = before.unzip();
    sqlx::query_as!(
        Deleted,
        r#"select o.id, o.identifier, o.label, o.deleted_at as "at!", coalesce(u.first_name || ' ' || upper(u.last_name), 'le programme') as "by!",
                  exists (select 1 from operations l where l.campaign_id = $1 and l.identifier_norm = o.identifier_norm and l.deleted_at is null) as "taken!"
           from operations o
           left join lateral (select e.actor_id from operation_events e
             where e.operation_id = o.id and e.kind in ('deleted', 'import_undone') order by e.seq desc limit 1) e on true
           left join users u on u.id = e.actor_id
           where o.campaign_id = $1 and o.deleted_at > $2 and ($3::timestamptz is null or (o.deleted_at, o.id) < ($3, $4))
           order by o.deleted_at desc, o.id desc limit $5"#,
        campaign as _,
        since,
        at,
        id as _,
        limit
    )
    .fetch_all(conn)
    .await
}

/// Why an identifier cannot be given: what the field's own rules say of it (RG-015, RG-061).
pub async fn refusal(
    conn: &mut PgConnection,
    campaign: Id<Campaign>,
    identifier: Option<&str>,
) -> Result<Option<String>> {
    let Some(identifier) = identifier else { return Ok(None) };
    let fields = campaigns::fields(conn, campaign).await?;
    let Some(field) = fields.iter().find(|f| f.is(Usage::Identifier)) else { return Ok(None) };
    let checker = Checker::new(
        field.kind,
        &field.label,
        true,
        field.pattern.as_deref(),
        field.hint.as_deref(),
        &field.choices,
    );
    Ok(checker.check(identifier).err())
}

/// Brings one back, under another identifier if one is given. `false` when it is taken.
///
/// # Errors
/// `NotFound` for an operation that is not in this campaign's bin.
pub async fn restore(
    tx: &mut Tx,
    campaign: &Allowed<Configure, Campaign>,
    id: Id<Operation>,
    identifier: Option<&str>,
) -> Result<bool> {
    let (now, user, kind) = (tx.now(), tx.actor().user_id(), tx.actor().kind());
    let row = sqlx::query!(
        r#"select identifier, label, values, assignee_id, planned_at from operations
           where id = $1 and campaign_id = $2 and deleted_at > $3 for update"#,
        id as _,
        campaign.id as _,
        now - KEPT
    )
    .fetch_optional(tx.conn())
    .await?
    .ok_or(Error::NotFound)?;
    let identifier = identifier.unwrap_or(&row.identifier);
    let fields = campaigns::fields(tx.conn(), campaign.id).await?;
    let values = row.values.as_object().cloned().unwrap_or_default();
    let text = search_text(identifier, &row.label, &values, &fields);
    let statement = sqlx::query!(
        "update operations o set deleted_at = null, identifier = $2, identifier_norm = $3, search_text = $4, version = version + 1,
                segment_id = (select s.id from segments s where s.id = o.segment_id), updated_at = $5, updated_by = $6 where id = $1",
        id as _,
        identifier,
        norm(identifier),
        text,
        now,
        user as _
    );
    if !unless_taken(tx.conn(), statement).await? {
        return Ok(false);
    }
    sqlx::query!(
        "insert into operation_events (operation_id, campaign_id, at, actor_kind, actor_id, kind, assignee_id, planned_before, planned_after)
         values ($1, $2, $3, $4, $5, 'restored', $6, $7, $7)",
        id as _,
        campaign.id as _,
        now,
        kind,
        user as _,
        row.assignee_id as _,
        row.planned_at
    )
    .execute(tx.conn())
    .await?;
    let changes = if identifier == row.identifier {
        json!({})
    } else {
        json!({ "identifier": [row.identifier, Value::from(identifier)] })
    };
    tx.record(
        Entry::on("operation.restored", "operation", id.uuid())
            .campaign(campaign.id)
            .changes(changes),
    )
    .await?;
    campaigns::status::refresh(tx, campaign.id).await?;
    tx.touch_campaign(campaign.id).await?;
    tx.touch_person(row.assignee_id).await?;
    Ok(true)
}

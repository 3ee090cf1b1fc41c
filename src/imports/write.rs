// SPDX-License-Identifier: EUPL-1.2
//! The rows that an import writes: new operations by blocks, then those that exist, merged once more
//! under lock (03 §2.5).
use super::{
    Import,
    commit::refused,
    compare::{self, Change},
    job::{self, Stop},
    staging,
};
use crate::{
    accounts::User,
    app::App,
    campaigns::{self, Segment},
    db::{Id, Tx},
    operations,
    text::norm,
    workflows::Workflow,
};
use serde_json::{Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

/// Lines written between two looks at the cancel flag.
const STEP: i64 = 20_000;

pub async fn insert(
    app: &App,
    tx: &mut Tx,
    import: &Import,
    segments: &[Id<Segment>],
    workflow: &Workflow,
) -> Result<i64, Stop> {
    let initial = workflow.initial().map_err(refused)?;
    let (now, user, kind) = (tx.now(), tx.actor().user_id(), tx.actor().kind());
    let mut columns = label_keys(tx.conn(), import).await?;
    columns.extend(["segment".into(), "date".into(), "technician".into()]);
    let last: i64 =
        sqlx::query_scalar(staging::sql(import.id, "select coalesce(max(line), 0) from staging"))
            .fetch_one(tx.conn())
            .await?;
    let (mut from, mut created) = (0i64, 0i64);
    while from < last {
        let to = from + STEP;
        let written = sqlx::query(staging::sql(
            import.id,
            "insert into operations (id, campaign_id, segment_id, status_id, category, assignee_id, identifier, identifier_norm, label, label_norm,
               values, import_base, import_id, search_text, planned_at, initial_planned_at, created_at, created_by, updated_at, updated_by)
             select op_id, $1, ($2::uuid[])[segment + 1], $3, $4, technician, identifier, identifier_norm, label, label_norm,
               base - $5::text[], base, $6, search_text, planned_at, planned_at, $7, $8, $7, $8
             from staging where not known and line > $9 and line <= $10",
        ))
        .bind(import.campaign_id)
        .bind(segments)
        .bind(initial.id)
        .bind(initial.category)
        .bind(&columns)
        .bind(import.id)
        .bind(now)
        .bind(user)
        .bind(from)
        .bind(to)
        .execute(tx.conn())
        .await?;
        created += written.rows_affected() as i64;
        sqlx::query(staging::sql(
            import.id,
            "insert into operation_events (operation_id, campaign_id, at, actor_kind, actor_id, kind, to_status, assignee_id, planned_after, batch_id)
             select op_id, $1, $2, $3, $4, 'imported', $5, technician, planned_at, $6 from staging where not known and line > $7 and line <= $8",
        ))
        .bind(import.campaign_id)
        .bind(now)
        .bind(kind)
        .bind(user)
        .bind(initial.id)
        .bind(import.id)
        .bind(from)
        .bind(to)
        .execute(tx.conn())
        .await?;
        from = to;
        if !job::progress(&app.db, import.id, created).await? {
            return Err(Stop::Cancelled);
        }
    }
    notes(tx, import).await?;
    Ok(created)
}

/// The label's key in the staged values: it has a column of its own.
async fn label_keys(conn: &mut PgConnection, import: &Import) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"select number::text as "key!" from campaign_fields where campaign_id = $1 and 'label' = any (usages) and deleted_at is null"#,
        import.campaign_id as _
    )
    .fetch_all(conn)
    .await
}

async fn notes(tx: &mut Tx, import: &Import) -> Result<(), Stop> {
    let (now, user) = (tx.now(), tx.actor().user_id());
    sqlx::query(staging::sql(
        import.id,
        "insert into operation_notes (id, operation_id, author_id, body, at)
         select gen_random_uuid(), op_id, coalesce($1, (select owner_id from campaigns where id = $2)), notes, $3
         from staging where not known and notes is not null",
    ))
    .bind(user)
    .bind(import.campaign_id)
    .bind(now)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Lines updated, and conflicts where the human's value stayed.
pub async fn update(
    tx: &mut Tx,
    import: &Import,
    segments: &[Id<Segment>],
) -> Result<(i64, i64), Stop> {
    let fields = campaigns::fields(tx.conn(), import.campaign_id).await?;
    let (mut after, mut updated, mut conflicts) = (0, 0, 0);
    while let Some((last, changes)) = compare::changes_after(tx.conn(), import, after).await? {
        after = last;
        conflicts += changes.iter().map(|c| c.conflicts).sum::<i64>();
        let (visible, silent): (Vec<Change>, Vec<Change>) =
            changes.into_iter().partition(Change::is_visible);
        updated += visible.len() as i64;
        move_bases(tx, import, silent).await?;
        if !job::progress(&tx.app().db.clone(), import.id, after).await? {
            return Err(Stop::Cancelled);
        }
        for change in visible {
            apply(tx, import, &fields, segments, change).await?;
        }
    }
    Ok((updated, conflicts))
}

/// Where nothing visible changes, the last imported values follow the file; the undo brings them back.
async fn move_bases(tx: &mut Tx, import: &Import, silent: Vec<Change>) -> Result<(), Stop> {
    let (ids, bases): (Vec<Uuid>, Vec<Value>) = silent
        .into_iter()
        .filter(|change| change.base_moves)
        .map(|change| (change.operation, Value::Object(change.base)))
        .unzip();
    sqlx::query!(
        "with n as (select * from unnest($2::uuid[], $3::jsonb[]) n (id, base)),
              noted as (
                insert into import_changes (import_id, operation_id, before, after, version_after)
                select $1, o.id, jsonb_build_object('import_base', o.import_base), jsonb_build_object('import_base', n.base), o.version
                from n join operations o on o.id = n.id)
         update operations o set import_base = n.base from n where o.id = n.id",
        import.id as _,
        &ids,
        &bases
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

async fn apply(
    tx: &mut Tx,
    import: &Import,
    fields: &[campaigns::Field],
    segments: &[Id<Segment>],
    change: Change,
) -> Result<(), Stop> {
    let (now, user, kind) = (tx.now(), tx.actor().user_id(), tx.actor().kind());
    let row = sqlx::query!("select identifier, label, segment_id, planned_at, initial_planned_at, assignee_id, values, import_base from operations where id = $1 for update", change.operation)
        .fetch_one(tx.conn())
        .await?;
    let named = |rank: i32| segments.get(rank as usize).copied();
    let segment = change.segment.map_or(row.segment_id, |rank| rank.and_then(named));
    let planned = change.planned_at.unwrap_or(row.planned_at);
    let assignee = change.technician.map(Id::<User>::from).or(row.assignee_id);
    let label = change.label.clone().unwrap_or_else(|| row.label.clone());
    let search = operations::search_text(&row.identifier, &label, &change.values, fields);
    let before = json!({
        "label": row.label, "segment_id": row.segment_id, "planned_at": row.planned_at, "assignee_id": row.assignee_id,
        "initial_planned_at": row.initial_planned_at,
        "values": row.values, "import_base": row.import_base,
    });
    let after = json!({
        "label": label, "values": change.values, "import_base": change.base,
        "segment_id": segment, "planned_at": planned, "assignee_id": assignee,
        "initial_planned_at": row.initial_planned_at.or(row.planned_at).or(planned),
    });
    sqlx::query!(
        "update operations set label = $2, label_norm = $3, values = $4, import_base = $5, search_text = $6, segment_id = $7,
                planned_at = $8, initial_planned_at = coalesce(initial_planned_at, planned_at, $8),
                assignee_id = $9, version = version + 1, updated_at = $10, updated_by = $11
         where id = $1",
        change.operation,
        label,
        norm(&label),
        Value::Object(change.values),
        Value::Object(change.base),
        search,
        segment as _,
        planned,
        assignee as _,
        now,
        user as _,
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "insert into import_changes (import_id, operation_id, before, after, version_after) values ($1, $2, $3, $4, $5)",
        import.id as _,
        change.operation,
        before,
        after,
        change.version + 1
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "insert into operation_events (operation_id, campaign_id, at, actor_kind, actor_id, kind, planned_before, planned_after, changes, batch_id)
         values ($1, $2, $3, $4, $5, 'edited', $6, $7, $8, $9)",
        change.operation,
        import.campaign_id as _,
        now,
        kind,
        user as _,
        row.planned_at,
        planned,
        Value::Object(change.trace),
        import.id as _
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

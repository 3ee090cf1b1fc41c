// SPDX-License-Identifier: EUPL-1.2
//! Whole rows of a re-import: operations that the file no longer names, and identifiers that are
//! only in the bin (03 §2.5). Brought back or cancelled with the import, undone with it.
use super::{Import, cells::Decisions, job::Stop, staging};
use crate::{
    db::{Id, Tx},
    operations::{Applied, Gesture, Operation},
    workflows::{Category, DateMode, ReasonMode, Workflow},
};
use sqlx::PgConnection;
use std::collections::HashMap;
use uuid::Uuid;

/// An operation that stood when the file was checked and that no line names, rejected ones included.
/// `$1` the campaign, `$2` the import.
pub const VANISHED: &str = "o.campaign_id = $1 and o.deleted_at is null and o.created_at <= coalesce((select i.checked_at from imports i where i.id = $2), now()) \
      and not exists (select 1 from staging s where s.identifier_norm = o.identifier_norm) \
      and not exists (select 1 from import_rejects r where r.import_id = $2 and r.identifier_norm = o.identifier_norm)";

/// How many; with `statuses`, only those in one of them.
pub async fn count_vanished(
    conn: &mut PgConnection,
    import: &Import,
    statuses: Option<&[i32]>,
) -> sqlx::Result<i64> {
    let statement = format!(
        "select count(*) from operations o where {VANISHED} and ($3::int[] is null or o.status_id = any ($3))"
    );
    sqlx::query_scalar(staging::sql(import.id, &statement))
        .bind(import.campaign_id)
        .bind(import.id)
        .bind(statuses)
        .fetch_one(conn)
        .await
}

/// Everything that the import may write, locked in the order of every other writer of many rows.
pub async fn lock(tx: &mut Tx, import: &Import, decisions: &Decisions) -> Result<(), Stop> {
    let statement = format!(
        "select count(*) from (select 1 from operations o where o.id in (
           select k.id from staging s join operations k on k.id = s.op_id
            where s.known and (k.version > 1 or s.base is distinct from k.import_base)
           union all select o.id from operations o where $3 and {VANISHED}) order by o.id for update of o) l"
    );
    sqlx::query(staging::sql(import.id, &statement))
        .bind(import.campaign_id)
        .bind(import.id)
        .bind(decisions.cancel_vanished)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// The same for what its undo or redo may write.
pub async fn lock_written(tx: &mut Tx, import: &Import) -> Result<(), Stop> {
    sqlx::query_scalar!(
        "select count(*) from (select 1 from operations o where o.import_id = $1
           or o.id in (select operation_id from import_changes where import_id = $1 union all select operation_id from import_rows where import_id = $1)
         order by o.id for update of o) l",
        import.id as _
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(())
}

/// Distinct identifiers of the file that exist only in the bin.
pub async fn count_binned(conn: &mut PgConnection, import: &Import) -> sqlx::Result<i64> {
    sqlx::query_scalar(staging::sql(
        import.id,
        "select count(distinct o.identifier_norm) from operations o join staging s on s.identifier_norm = o.identifier_norm
         where o.campaign_id = $1 and o.deleted_at > now() - interval '30 days' and not s.known",
    ))
    .bind(import.campaign_id)
    .fetch_one(conn)
    .await
}

/// Brings back, for each such identifier, the operation that was deleted last; how many.
pub async fn restore_binned(tx: &mut Tx, import: &Import) -> Result<i64, Stop> {
    let (now, user, kind) = (tx.now(), tx.actor().user_id(), tx.actor().kind());
    let back = sqlx::query_scalar::<_, i64>(staging::sql(
        import.id,
        "with last as (
           select distinct on (o.identifier_norm) o.id from operations o join staging s on s.identifier_norm = o.identifier_norm
           where o.campaign_id = $1 and o.deleted_at > now() - interval '30 days' and not s.known order by o.identifier_norm, o.deleted_at desc, o.id),
         back as (
           update operations o set deleted_at = null, version = o.version + 1, updated_at = $3, updated_by = $4,
                  segment_id = (select g.id from segments g where g.id = o.segment_id)
           from last where o.id = last.id returning o.id, o.version, o.status_id, o.assignee_id, o.planned_at),
         told as (
           insert into operation_events (operation_id, campaign_id, at, actor_kind, actor_id, kind, to_status, assignee_id, planned_after, batch_id)
           select id, $1, $3, $5, $4, 'restored', status_id, assignee_id, planned_at, $2 from back),
         noted as (
           insert into import_rows (import_id, operation_id, kind, version_after) select $2, id, 'restored', version from back
           on conflict (import_id, operation_id) do update set version_after = excluded.version_after)
         select count(*) from back",
    ))
    .bind(import.campaign_id)
    .bind(import.id)
    .bind(now)
    .bind(user)
    .bind(kind)
    .fetch_one(tx.conn())
    .await?;
    Ok(back)
}

/// After everything is written: the version that the undo must find.
pub async fn note_versions(tx: &mut Tx, import: &Import) -> Result<(), Stop> {
    let (now, user) = (tx.now(), tx.actor().user_id());
    sqlx::query!(
        "update import_rows r set version_after = o.version from operations o where r.import_id = $1 and r.kind = 'restored' and o.id = r.operation_id and o.updated_at = $2 and o.updated_by is not distinct from $3",
        import.id as _,
        now,
        user as _
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The transition that cancels an operation in each status, where the workflow has one for a gestionnaire.
fn cancelling(workflow: &Workflow, file: &str) -> HashMap<i32, Gesture> {
    let mut by_status = HashMap::new();
    for t in &workflow.transitions {
        let cancels = workflow.status(t.to).is_ok_and(|s| s.category == Category::Cancelled);
        if cancels && t.for_manager && t.date != DateMode::Required {
            let file: String = file.chars().take(200).collect();
            let reason =
                (t.reason != ReasonMode::None).then(|| format!("Absente du fichier « {file} »"));
            by_status.entry(t.from).or_insert_with(|| Gesture::Transition {
                code: t.code.clone(),
                label: t.label.clone(),
                reason,
                date: None,
            });
        }
    }
    by_status
}

/// Statuses from which the workflow lets a gestionnaire cancel.
pub fn cancellable(workflow: &Workflow) -> Vec<i32> {
    cancelling(workflow, "").into_keys().collect()
}

/// Cancels, one by one as a person would, the operations that the file does not name; how many.
pub async fn cancel_vanished(
    tx: &mut Tx,
    import: &Import,
    workflow: &Workflow,
) -> Result<i64, Stop> {
    let gestures = cancelling(workflow, &import.file_name);
    let statuses: Vec<i32> = gestures.keys().copied().collect();
    let statement = format!(
        "select o.id, o.status_id from operations o where {VANISHED} and o.status_id = any ($3) order by o.id"
    );
    let rows: Vec<(Uuid, i32)> = sqlx::query_as(staging::sql(import.id, &statement))
        .bind(import.campaign_id)
        .bind(import.id)
        .bind(&statuses)
        .fetch_all(tx.conn())
        .await?;
    cancel(tx, import, &gestures, rows).await
}

/// After the undo of the undo: those that nobody touched meanwhile.
pub async fn cancel_again(tx: &mut Tx, import: &Import, workflow: &Workflow) -> Result<i64, Stop> {
    let gestures = cancelling(workflow, &import.file_name);
    let rows = sqlx::query!(
        "select o.id, o.status_id from import_rows r join operations o on o.id = r.operation_id
         where r.import_id = $1 and r.kind = 'cancelled' and o.deleted_at is null and o.version = r.version_after + 1 order by o.id for update of o",
        import.id as _
    )
    .fetch_all(tx.conn())
    .await?;
    let rows = rows.into_iter().map(|row| (row.id.uuid(), row.status_id)).collect();
    cancel(tx, import, &gestures, rows).await
}

async fn cancel(
    tx: &mut Tx,
    import: &Import,
    gestures: &HashMap<i32, Gesture>,
    rows: Vec<(Uuid, i32)>,
) -> Result<i64, Stop> {
    let mut cancelled = 0;
    for (id, status) in rows {
        let Some(gesture) = gestures.get(&status) else { continue };
        if let Applied::Done { before, version } =
            gesture.apply(tx, id.into(), None).await.map_err(anyhow::Error::from)?
        {
            cancelled += 1;
            sqlx::query!(
                "insert into import_rows (import_id, operation_id, kind, before, version_after) values ($1, $2, 'cancelled', $3, $4)
                 on conflict (import_id, operation_id) do update set before = excluded.before, version_after = excluded.version_after",
                import.id as _,
                id,
                before,
                version
            )
            .execute(tx.conn())
            .await?;
        }
    }
    Ok(cancelled)
}

/// What came back with the import and was not touched since; to be binned again by its undo.
pub async fn restored(tx: &mut Tx, import: &Import) -> Result<Vec<Uuid>, Stop> {
    Ok(sqlx::query_scalar!(
        r#"select o.id as "id: Uuid" from import_rows r join operations o on o.id = r.operation_id
         where r.import_id = $1 and r.kind = 'restored' and o.deleted_at is null and o.version = r.version_after order by o.id for update of o"#,
        import.id as _
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Back to the bin.
pub async fn bin_again(tx: &mut Tx, import: &Import, ids: &[Uuid]) -> Result<i64, Stop> {
    let (now, user, kind) = (tx.now(), tx.actor().user_id(), tx.actor().kind());
    sqlx::query!(
        "with gone as (
           update operations set deleted_at = $3, updated_at = $3, updated_by = $4 where id = any ($2) returning id, campaign_id)
         insert into operation_events (operation_id, campaign_id, at, actor_kind, actor_id, kind, batch_id)
         select id, campaign_id, $3, $5, $4, 'import_undone', $1 from gone",
        import.id as _,
        ids,
        now,
        user as _,
        kind
    )
    .execute(tx.conn())
    .await?;
    Ok(ids.len() as i64)
}

/// Takes the cancellations back; how many.
pub async fn uncancel(tx: &mut Tx, import: &Import) -> Result<i64, Stop> {
    let rows = sqlx::query!(
        "select r.operation_id, r.before, r.version_after from import_rows r join operations o on o.id = r.operation_id
         where r.import_id = $1 and r.kind = 'cancelled' and o.version = r.version_after order by o.id for update of o",
        import.id as _
    )
    .fetch_all(tx.conn())
    .await?;
    let gesture =
        Gesture::Transition { code: String::new(), label: String::new(), reason: None, date: None };
    let mut back = 0;
    for row in rows {
        let id = Id::<Operation>::from(row.operation_id);
        let before = row.before.unwrap_or_default();
        let undone = gesture.undo(tx, id, before, row.version_after).await;
        back += i64::from(undone.map_err(anyhow::Error::from)?.is_ok());
    }
    Ok(back)
}

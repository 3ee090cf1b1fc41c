// SPDX-License-Identifier: EUPL-1.2
//! Writes what was told: one statement a table, whatever the number of rows, oldest first.
use super::story::Chronicle;
use serde_json::Value;
use sqlx::PgConnection;

pub async fn write(conn: &mut PgConnection, mut chronicle: Chronicle) -> anyhow::Result<()> {
    chronicle.events.sort_by_key(|e| e.at);
    chronicle.audit.sort_by_key(|a| a.at);
    operations(conn, serde_json::to_value(&chronicle.operations)?).await?;
    events(conn, serde_json::to_value(&chronicle.events)?).await?;
    notes(conn, serde_json::to_value(&chronicle.notes)?).await?;
    crate::audit::write_past(conn, serde_json::to_value(&chronicle.audit)?).await
}

async fn operations(conn: &mut PgConnection, rows: Value) -> sqlx::Result<()> {
    sqlx::query!(
        r#"insert into operations (id, campaign_id, segment_id, status_id, category, assignee_id, identifier, identifier_norm, label,
             label_norm, "values", import_base, import_id, search_text, planned_at, initial_planned_at, postpone_count, last_reason,
             started_at, done_at, version, created_at, created_by, updated_at, updated_by)
           select t.id, t.campaign_id, t.segment_id, t.status_id, s.category, t.assignee_id, t.identifier, t.identifier_norm, t.label,
             t.label_norm, t."values", t.import_base, t.import_id, t.search_text, t.planned_at, t.initial_planned_at, t.postpone_count,
             t.last_reason, t.started_at, t.done_at, t.version, t.created_at, t.created_by, t.updated_at, t.updated_by
           from jsonb_to_recordset($1) as t (id uuid, campaign_id uuid, segment_id uuid, status_id int, assignee_id uuid, identifier text,
             identifier_norm text, label text, label_norm text, "values" jsonb, import_base jsonb, import_id uuid, search_text text,
             planned_at timestamptz, initial_planned_at timestamptz, postpone_count smallint, last_reason text, started_at timestamptz,
             done_at timestamptz, version int, created_at timestamptz, created_by uuid, updated_at timestamptz, updated_by uuid)
           join workflow_statuses s on s.id = t.status_id"#,
        rows
    )
    .execute(conn)
    .await
    .map(drop)
}

async fn events(conn: &mut PgConnection, rows: Value) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into operation_events (operation_id, campaign_id, at, actor_kind, actor_id, kind, from_status, to_status, assignee_id,
           planned_before, planned_after, reason, changes, batch_id)
         select t.operation_id, t.campaign_id, t.at, 'user', t.actor_id, t.kind, t.from_status, t.to_status, t.assignee_id,
           t.planned_before, t.planned_after, t.reason, t.changes, t.batch_id
         from jsonb_to_recordset($1) as t (operation_id uuid, campaign_id uuid, at timestamptz, actor_id uuid, kind text, from_status int,
           to_status int, assignee_id uuid, planned_before timestamptz, planned_after timestamptz, reason text, changes jsonb, batch_id uuid)",
        rows
    )
    .execute(conn)
    .await
    .map(drop)
}

async fn notes(conn: &mut PgConnection, rows: Value) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into operation_notes (id, operation_id, author_id, body, at)
         select t.id, t.operation_id, t.author_id, t.body, t.at
         from jsonb_to_recordset($1) as t (id uuid, operation_id uuid, author_id uuid, body text, at timestamptz)",
        rows
    )
    .execute(conn)
    .await
    .map(drop)
}

// SPDX-License-Identifier: EUPL-1.2
//! The checked lines of one import, in a table of their own between « Vérifier » and « Importer »:
//! unlogged, since losing it only means checking again.
use super::{Import, line::Issue};
use crate::db::Id;
use sqlx::{AssertSqlSafe, PgConnection, PgPool, postgres::PgPoolCopyExt};
use tokio::sync::mpsc;

pub fn table(import: Id<Import>) -> String {
    format!("import_lines_{}", import.uuid().simple())
}

/// Statements name the table of the import; it is made of hexadecimal digits only.
pub fn sql(import: Id<Import>, statement: &str) -> AssertSqlSafe<String> {
    AssertSqlSafe(statement.replace("staging", &table(import)))
}

pub async fn create(db: &PgPool, import: Id<Import>) -> sqlx::Result<()> {
    drop_table(db, import).await?;
    sqlx::query(sql(
        import,
        "create unlogged table staging (line bigint not null, op_id uuid not null, identifier text not null, identifier_norm text not null,
           label text not null, label_norm text not null, base jsonb not null, search_text text not null, segment int,
           planned_at timestamptz, technician uuid, notes text, known boolean not null default false)",
    ))
    .execute(db)
    .await
    .map(drop)
}

pub async fn drop_table(db: &PgPool, import: Id<Import>) -> sqlx::Result<()> {
    sqlx::query(sql(import, "drop table if exists staging")).execute(db).await.map(drop)
}

pub async fn exists(conn: &mut PgConnection, import: Id<Import>) -> sqlx::Result<bool> {
    sqlx::query_scalar("select to_regclass($1) is not null")
        .bind(table(import))
        .fetch_one(conn)
        .await
}

/// A line that is not imported.
pub struct Reject {
    pub line: i64,
    pub message: String,
    /// The original ones, to be given back.
    pub cells: Vec<String>,
    /// Normalised; empty when unreadable or already kept from another line.
    pub identifier: String,
}

/// What the checking thread sends.
pub enum Batch {
    /// Lines of `COPY`.
    Lines(String),
    Issues(Vec<Issue>),
    Rejects(Vec<Reject>),
    /// Lines read so far.
    Progress(i64),
}

/// Writes the batches as they come: lines by `COPY`, the rest by arrays. `false` when cancelled.
pub async fn receive(
    db: &PgPool,
    import: Id<Import>,
    mut batches: mpsc::Receiver<Batch>,
) -> anyhow::Result<bool> {
    let statement = sql(
        import,
        "copy staging (line, op_id, identifier, identifier_norm, label, label_norm, base, search_text, segment, planned_at, technician, notes) from stdin",
    );
    let mut copy = db.copy_in_raw(&statement.0).await?;
    while let Some(batch) = batches.recv().await {
        match batch {
            Batch::Lines(lines) => {
                copy.send(lines.into_bytes()).await?;
            }
            Batch::Issues(issues) => write_issues(db, import, &issues).await?,
            Batch::Rejects(rejects) => write_rejects(db, import, &rejects).await?,
            Batch::Progress(lines) => {
                if !super::job::progress(db, import, lines).await? {
                    copy.abort("annulé").await?;
                    return Ok(false);
                }
            }
        }
    }
    copy.finish().await?;
    Ok(true)
}

pub async fn write_issues(db: &PgPool, import: Id<Import>, issues: &[Issue]) -> sqlx::Result<()> {
    let lines: Vec<i64> = issues.iter().map(|i| i.line as i64).collect();
    let fields: Vec<&str> = issues.iter().map(|i| i.field.as_str()).collect();
    let values: Vec<&str> = issues.iter().map(|i| i.value.as_str()).collect();
    let levels: Vec<&str> =
        issues.iter().map(|i| if i.is_error { "error" } else { "warning" }).collect();
    let messages: Vec<&str> = issues.iter().map(|i| i.message.as_str()).collect();
    sqlx::query(
        "insert into import_issues (import_id, line, field, value, level, message)
         select $1, * from unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[])",
    )
    .bind(import)
    .bind(lines)
    .bind(fields)
    .bind(values)
    .bind(levels)
    .bind(messages)
    .execute(db)
    .await
    .map(drop)
}

pub async fn write_rejects(
    db: &PgPool,
    import: Id<Import>,
    rejects: &[Reject],
) -> sqlx::Result<()> {
    let lines: Vec<i64> = rejects.iter().map(|r| r.line).collect();
    let messages: Vec<&str> = rejects.iter().map(|r| r.message.as_str()).collect();
    let cells: Vec<serde_json::Value> =
        rejects.iter().map(|r| serde_json::json!(r.cells)).collect();
    let identifiers: Vec<&str> = rejects.iter().map(|r| r.identifier.as_str()).collect();
    sqlx::query(
        "insert into import_rejects (import_id, line, message, cells, identifier_norm)
         select $1, line, message, array(select jsonb_array_elements_text(cells)), identifier
         from unnest($2::bigint[], $3::text[], $4::jsonb[], $5::text[]) as r (line, message, cells, identifier)",
    )
    .bind(import)
    .bind(lines)
    .bind(messages)
    .bind(cells)
    .bind(identifiers)
    .execute(db)
    .await
    .map(drop)
}

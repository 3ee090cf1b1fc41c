// SPDX-License-Identifier: EUPL-1.2
//! What the check found different, kept cell by cell until « Importer », with what a person decides
//! of each cell, column or line (03 §2.5).
use super::{
    Import,
    compare::{self, Cell},
    merge::Choice,
};
use crate::{
    db::{Id, Tx},
    web::Result,
};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

/// Counts of what is different, by the choices made so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Lines with at least one cell that takes the file's value.
    pub updated: i64,
    /// Cells by verdict.
    pub changes: i64,
    pub kept: i64,
    pub conflicts: i64,
    pub emptied: i64,
    /// Conflicts that nobody settled: the human's value stays.
    pub undecided: i64,
}

/// Decisions on rows rather than cells, in `imports.decisions`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Decisions {
    /// Operations that the file does not name are cancelled where the workflow allows.
    pub cancel_vanished: bool,
    /// Identifiers found only in the bin come back instead of being created again.
    pub restore_binned: bool,
}

/// Looks at every known line again. A new check forgets what was decided; one that is done again
/// after « Importer » (`decided`) keeps the choices made on values that still stand.
pub async fn fill(conn: &mut PgConnection, import: &Import, decided: bool) -> anyhow::Result<()> {
    if !decided {
        forget(conn, import.id).await?;
        sqlx::query!(
            "update imports set decisions = '{}', checked_at = now() where id = $1",
            import.id as _
        )
        .execute(&mut *conn)
        .await?;
    }
    let mut after = 0;
    while let Some((last, cells)) = compare::cells(conn, import, after).await? {
        after = last;
        write(conn, import.id, &cells).await?;
    }
    Ok(())
}

pub async fn forget(conn: &mut PgConnection, import: Id<Import>) -> sqlx::Result<()> {
    sqlx::query!("delete from import_cells where import_id = $1", import as _)
        .execute(conn)
        .await
        .map(drop)
}

async fn write(conn: &mut PgConnection, import: Id<Import>, cells: &[Cell]) -> sqlx::Result<()> {
    let (mut lines, mut operations, mut keys, mut verdicts) = (vec![], vec![], vec![], vec![]);
    let (mut bases, mut files, mut heres) = (vec![], vec![], vec![]);
    for cell in cells {
        let Some(verdict) = cell.verdict.code() else { continue };
        lines.push(cell.line);
        operations.push(cell.operation);
        keys.push(cell.key.clone());
        verdicts.push(verdict.to_owned());
        bases.push(cell.base.clone());
        files.push(cell.file.clone());
        heres.push(cell.here.clone());
    }
    sqlx::query!(
        "insert into import_cells (import_id, line, operation_id, key, verdict, base, file, here)
         select $1, * from unnest($2::bigint[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
         on conflict (import_id, line, key) do update set verdict = excluded.verdict, base = excluded.base, file = excluded.file, here = excluded.here,
           choice = case when import_cells.here = excluded.here then import_cells.choice end",
        import as _,
        &lines,
        &operations,
        &keys,
        &verdicts,
        &bases as _,
        &files,
        &heres,
    )
    .execute(conn)
    .await
    .map(drop)
}

pub async fn totals(conn: &mut PgConnection, import: Id<Import>) -> sqlx::Result<Totals> {
    sqlx::query_as!(
        Totals,
        r#"select count(distinct line) filter (where coalesce(choice, case verdict when 'apply' then 'file' end) = 'file') as "updated!",
                  count(*) filter (where verdict = 'apply') as "changes!", count(*) filter (where verdict = 'kept') as "kept!",
                  count(*) filter (where verdict = 'conflict') as "conflicts!", count(*) filter (where verdict = 'empty') as "emptied!",
                  count(*) filter (where verdict = 'conflict' and choice is null) as "undecided!"
           from import_cells where import_id = $1"#,
        import as _
    )
    .fetch_one(conn)
    .await
}

/// Which cells a choice is made for, among those of one verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    Cell { line: i64, key: String },
    Line(i64),
    Column(String),
    All,
}

/// Decides; `None` gives the default back. How many cells changed.
pub async fn choose(
    tx: &mut Tx,
    import: Id<Import>,
    verdict: &str,
    scope: &Scope,
    choice: Option<Choice>,
) -> Result<u64> {
    let (line, key) = match scope {
        Scope::Cell { line, key } => (Some(*line), Some(key.clone())),
        Scope::Line(line) => (Some(*line), None),
        Scope::Column(key) => (None, Some(key.clone())),
        Scope::All => (None, None),
    };
    let written = sqlx::query!(
        "update import_cells set choice = $5 where import_id = $1 and verdict = $2 and ($3::bigint is null or line = $3)
           and ($4::text is null or key = $4) and choice is distinct from $5",
        import as _,
        verdict,
        line,
        key,
        choice.map(Choice::code)
    )
    .execute(tx.conn())
    .await?;
    Ok(written.rows_affected())
}

pub async fn decisions(conn: &mut PgConnection, import: Id<Import>) -> Result<Decisions> {
    let stored = sqlx::query_scalar!("select decisions from imports where id = $1", import as _)
        .fetch_one(conn)
        .await?;
    Ok(serde_json::from_value(stored).map_err(anyhow::Error::from)?)
}

pub async fn decide(tx: &mut Tx, import: Id<Import>, decisions: &Decisions) -> Result<()> {
    let value = serde_json::to_value(decisions).map_err(anyhow::Error::from)?;
    sqlx::query!("update imports set decisions = $2 where id = $1", import as _, value)
        .execute(tx.conn())
        .await?;
    Ok(())
}

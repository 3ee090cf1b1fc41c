// SPDX-License-Identifier: EUPL-1.2
//! The lines of the file that name an operation which exists: what they would change (03 §2.5).
//! Unchanged rows are seen by one comparison of JSON in the base.
use super::{
    Import,
    mapping::Target,
    merge::{self, Choice, Verdict},
    staging,
};
use crate::{db::Id, text::norm};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use sqlx::{PgConnection, Row as _};
use std::collections::HashMap;
use uuid::Uuid;

/// Lines compared at once.
const PAGE: i64 = 500;

/// Finds which staged lines name a live operation of the campaign.
pub async fn mark_known(conn: &mut PgConnection, import: &Import) -> sqlx::Result<()> {
    // What went to the bin since the last look is no longer known.
    sqlx::query(staging::sql(
        import.id,
        "update staging s set known = false, op_id = gen_random_uuid()
         where s.known and not exists (select 1 from operations o where o.id = s.op_id and o.deleted_at is null)",
    ))
    .execute(&mut *conn)
    .await?;
    sqlx::query(staging::sql(
        import.id,
        "update staging s set known = true, op_id = o.id from operations o
         where o.campaign_id = $1 and o.identifier_norm = s.identifier_norm and o.deleted_at is null and not (s.known and s.op_id = o.id)",
    ))
    .bind(import.campaign_id)
    .execute(conn)
    .await
    .map(drop)
}

/// A cell of the file that is not what stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    pub line: i64,
    pub operation: Uuid,
    pub key: String,
    pub verdict: Verdict,
    pub base: Option<String>,
    pub file: String,
    pub here: String,
}

/// What a line changes on its operation. An outer `None` leaves the value; `Some(None)` erases it.
pub struct Change {
    pub operation: Uuid,
    pub version: i32,
    pub label: Option<String>,
    /// Merged values, complete.
    pub values: Map<String, Value>,
    /// The file's segment, by rank.
    pub segment: Option<Option<i32>>,
    pub planned_at: Option<Option<DateTime<Utc>>>,
    pub technician: Option<Uuid>,
    /// The new last imported values.
    pub base: Map<String, Value>,
    pub base_moves: bool,
    /// `{key: [before, after]}`
    pub trace: Map<String, Value>,
    /// Conflicts where the human's value stays.
    pub conflicts: i64,
}

impl Change {
    /// Whether a visible value changes (otherwise at most the base moves).
    pub fn is_visible(&self) -> bool {
        !self.trace.is_empty()
    }
}

/// The keys that the file's columns give, but those that are never erased.
fn mapped(import: &Import) -> Vec<String> {
    import
        .mapping
        .iter()
        .flatten()
        .filter_map(|column| match &column.target {
            Target::Field(number) => Some(number.to_string()),
            Target::Segment => Some("segment".into()),
            Target::PlannedDate => Some("date".into()),
            // Nothing stands in a new field; an unknown technician is a warning, not an empty cell.
            Target::New(_)
            | Target::Technician
            | Target::PlannedTime
            | Target::Notes
            | Target::Ignore => None,
        })
        .collect()
}

/// Walks the known lines whose values differ from the file, page by page: their cells.
pub async fn cells(
    conn: &mut PgConnection,
    import: &Import,
    after: i64,
) -> anyhow::Result<Option<(i64, Vec<Cell>)>> {
    let mapped = mapped(import);
    let page = page(conn, import.id, after, false).await?;
    let Some(last) = page.last() else { return Ok(None) };
    let last = last.line;
    Ok(Some((last, page.iter().flat_map(|staged| staged.cells(&mapped)).collect())))
}

/// One page of changes after a line, with the line of the last one; the rows are locked: they are
/// about to be written, and nobody may edit them in between (RG-180).
pub async fn changes_after(
    conn: &mut PgConnection,
    import: &Import,
    after: i64,
) -> anyhow::Result<Option<(i64, Vec<Change>)>> {
    let mapped = mapped(import);
    let page = page(conn, import.id, after, true).await?;
    let Some(last) = page.last().map(|staged| staged.line) else { return Ok(None) };
    Ok(Some((last, page.into_iter().map(|staged| staged.change(&mapped)).collect())))
}

struct Staged {
    line: i64,
    operation: Uuid,
    version: i32,
    file: Map<String, Value>,
    base: Map<String, Value>,
    values: Map<String, Value>,
    label: String,
    label_key: String,
    identifier_key: String,
    segment_rank: Option<i32>,
    segment: String,
    planned_at: Option<DateTime<Utc>>,
    here_planned: Option<DateTime<Utc>>,
    technician: Option<Uuid>,
    here_technician: Option<Uuid>,
    /// What a person chose, with the value they were shown.
    choices: HashMap<String, (Choice, String)>,
}

const PAGE_OF_LINES: &str = "select s.line, s.op_id, o.version, s.base as file, coalesce(o.import_base, '{}') as base, o.values, o.label,
        k.label as label_key, k.identifier as identifier_key,
        s.segment as segment_rank, coalesce(g.name, '') as segment, s.planned_at, o.planned_at as here_planned, s.technician, o.assignee_id,
        (select jsonb_object_agg(c.key, jsonb_build_array(c.choice, c.here)) from import_cells c
          where c.import_id = $3 and c.line = s.line and c.choice is not null) as choices
 from staging s join operations o on o.id = s.op_id left join segments g on g.id = o.segment_id cross join (
   select coalesce(max(f.number) filter (where 'label' = any (f.usages))::text, '') as label,
          coalesce(max(f.number) filter (where 'identifier' = any (f.usages))::text, '') as identifier
   from campaign_fields f join imports i on i.campaign_id = f.campaign_id where i.id = $3 and f.deleted_at is null) k
 where s.known and o.deleted_at is null and s.line > $1 and (o.version > 1 or s.base is distinct from o.import_base)
 order by s.line limit $2";

async fn page(
    conn: &mut PgConnection,
    import: Id<Import>,
    after: i64,
    lock: bool,
) -> anyhow::Result<Vec<Staged>> {
    let statement =
        if lock { format!("{PAGE_OF_LINES} for update of o") } else { PAGE_OF_LINES.to_owned() };
    let rows = sqlx::query(staging::sql(import, &statement))
        .bind(after)
        .bind(PAGE)
        .bind(import)
        .fetch_all(conn)
        .await?;
    Ok(rows.iter().map(Staged::read).collect::<sqlx::Result<_>>()?)
}

impl Staged {
    fn read(row: &sqlx::postgres::PgRow) -> sqlx::Result<Self> {
        let object = |name: &str| -> sqlx::Result<Map<String, Value>> {
            Ok(match row.try_get::<Option<Value>, _>(name)? {
                Some(Value::Object(map)) => map,
                _ => Map::new(),
            })
        };
        let choices = object("choices")?
            .into_iter()
            .filter_map(|(key, pair)| {
                let choice = Choice::from_code(pair[0].as_str()?)?;
                Some((key, (choice, pair[1].as_str()?.to_owned())))
            })
            .collect();
        Ok(Self {
            line: row.try_get("line")?,
            operation: row.try_get("op_id")?,
            version: row.try_get("version")?,
            file: object("file")?,
            base: object("base")?,
            values: object("values")?,
            label: row.try_get("label")?,
            label_key: row.try_get("label_key")?,
            identifier_key: row.try_get("identifier_key")?,
            segment_rank: row.try_get("segment_rank")?,
            segment: row.try_get("segment")?,
            planned_at: row.try_get("planned_at")?,
            here_planned: row.try_get("here_planned")?,
            technician: row.try_get("technician")?,
            here_technician: row.try_get("assignee_id")?,
            choices,
        })
    }

    /// The value that stands.
    fn here(&self, key: &str) -> String {
        match key {
            "segment" => self.segment.clone(),
            "date" => self.here_planned.map(iso).unwrap_or_default(),
            "technician" => self.here_technician.map(|id| id.to_string()).unwrap_or_default(),
            key if key == self.label_key => self.label.clone(),
            key => self.values.get(key).and_then(Value::as_str).unwrap_or_default().to_owned(),
        }
    }

    /// The cells that are not what stands, in the order of the file's keys.
    fn cells(&self, mapped: &[String]) -> Vec<Cell> {
        let given = self.file.iter().map(|(key, value)| (key, value.as_str().unwrap_or_default()));
        let absent = mapped.iter().filter(|key| !self.file.contains_key(*key)).map(|key| (key, ""));
        given
            .chain(absent)
            .filter(|(key, _)| **key != self.identifier_key)
            .filter_map(|(key, file)| {
                let here = self.here(key);
                let base = self.base.get(key).and_then(Value::as_str);
                let verdict = verdict(key, base, file, &here);
                // A label is never erased.
                let erases_label = verdict == Verdict::Empty && *key == self.label_key;
                (verdict != Verdict::Unchanged && !erases_label).then(|| Cell {
                    line: self.line,
                    operation: self.operation,
                    key: key.clone(),
                    verdict,
                    base: base.map(Into::into),
                    file: file.to_owned(),
                    here,
                })
            })
            .collect()
    }

    fn change(self, mapped: &[String]) -> Change {
        let cells = self.cells(mapped);
        let mut base = self.base.clone();
        base.extend(self.file.clone());
        let mut change = Change {
            operation: self.operation,
            version: self.version,
            label: None,
            values: self.values,
            segment: None,
            planned_at: None,
            technician: None,
            base,
            base_moves: false,
            trace: Map::new(),
            conflicts: 0,
        };
        for cell in cells {
            let chosen = self.choices.get(&cell.key).map(|(choice, here)| (*choice, here.as_str()));
            if !merge::takes_file(cell.verdict, &cell.here, chosen) {
                change.conflicts += i64::from(cell.verdict == Verdict::Conflict);
                continue;
            }
            match cell.key.as_str() {
                "segment" => change.segment = Some(self.segment_rank),
                "date" => change.planned_at = Some(self.planned_at),
                "technician" => change.technician = self.technician,
                key if key == self.label_key => change.label = Some(cell.file.clone()),
                key if cell.file.is_empty() => drop(change.values.remove(key)),
                key => drop(change.values.insert(key.to_owned(), cell.file.as_str().into())),
            }
            if cell.file.is_empty() {
                change.base.remove(&cell.key);
            }
            change.trace.insert(cell.key, json!([cell.here, cell.file]));
        }
        change.base_moves = change.base != self.base;
        change
    }
}

/// Segments are one whatever their spelling (RG-093).
fn verdict(key: &str, base: Option<&str>, file: &str, here: &str) -> Verdict {
    if key == "segment" {
        return merge::cell(base.map(norm).as_deref(), &norm(file), &norm(here));
    }
    merge::cell(base, file, here)
}

fn iso(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

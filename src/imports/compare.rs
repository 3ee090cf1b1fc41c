// SPDX-License-Identifier: EUPL-1.2
//! The lines of the file that name an operation which exists: what they would change, by the
//! defaults of 03 §2.5. Unchanged files are seen by one comparison of JSON in the base.
use super::{
    Import,
    merge::{self, Verdict},
    staging,
};
use crate::db::Id;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use sqlx::{PgConnection, Row as _};
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

/// What a line changes on its operation.
pub struct Change {
    pub operation: Uuid,
    pub version: i32,
    pub label: Option<String>,
    /// Merged values, complete.
    pub values: Map<String, Value>,
    /// The file's segment, by rank, when it is applied.
    pub segment: Option<i32>,
    pub planned_at: Option<DateTime<Utc>>,
    pub technician: Option<Uuid>,
    /// The new last imported values.
    pub base: Map<String, Value>,
    /// `{key: [before, after]}`
    pub trace: Map<String, Value>,
    /// Whether a visible value changes (otherwise only the base moves).
    pub visible: bool,
}

#[derive(Default)]
pub struct Outcome {
    pub updated: i64,
    pub conflicts: i64,
}

/// Walks the known lines whose file values differ from the last import, page by page.
pub async fn compare(
    conn: &mut PgConnection,
    import: &Import,
    each: &mut (dyn FnMut(Vec<Change>) + Send),
) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome::default();
    let mut after = 0i64;
    loop {
        let page = page(conn, import.id, after, false).await?;
        let Some(last) = page.last() else { return Ok(outcome) };
        after = last.0;
        let changes: Vec<Change> =
            page.into_iter().map(|(_, staged)| staged.merge(&mut outcome.conflicts)).collect();
        outcome.updated += changes.iter().filter(|c| c.visible).count() as i64;
        each(changes);
    }
}

/// One page of changes after a line, with the line of the last one; for the commit.
pub async fn changes_after(
    conn: &mut PgConnection,
    import: Id<Import>,
    after: i64,
) -> anyhow::Result<Option<(i64, Vec<Change>)>> {
    let page = page(conn, import, after, true).await?;
    let Some(last) = page.last().map(|p| p.0) else { return Ok(None) };
    Ok(Some((last, page.into_iter().map(|(_, staged)| staged.merge(&mut 0)).collect())))
}

struct Staged {
    operation: Uuid,
    version: i32,
    file: Map<String, Value>,
    base: Map<String, Value>,
    values: Map<String, Value>,
    label: String,
    label_key: String,
    segment_rank: Option<i32>,
    segment: String,
    planned_at: Option<DateTime<Utc>>,
    here_planned: Option<DateTime<Utc>>,
    technician: Option<Uuid>,
    here_technician: Option<Uuid>,
}

/// `lock`: the rows are about to be written, and nobody may edit them in between (RG-180).
async fn page(
    conn: &mut PgConnection,
    import: Id<Import>,
    after: i64,
    lock: bool,
) -> anyhow::Result<Vec<(i64, Staged)>> {
    const PAGE_OF_LINES: &str = "select s.line, s.op_id, o.version, s.base as file, coalesce(o.import_base, '{}') as base, o.values, o.label,
                coalesce((select f.number::text from campaign_fields f where f.campaign_id = o.campaign_id and 'label' = any (f.usages) and f.deleted_at is null), '') as label_key,
                s.segment as segment_rank, coalesce(g.name, '') as segment, s.planned_at, o.planned_at as here_planned, s.technician, o.assignee_id
         from staging s join operations o on o.id = s.op_id left join segments g on g.id = o.segment_id
         where s.known and o.deleted_at is null and s.line > $1 and s.base is distinct from o.import_base
         order by s.line limit $2";
    let statement =
        if lock { format!("{PAGE_OF_LINES} for update of o") } else { PAGE_OF_LINES.to_owned() };
    let rows = sqlx::query(staging::sql(import, &statement))
        .bind(after)
        .bind(PAGE)
        .fetch_all(conn)
        .await?;
    rows.into_iter()
        .map(|row| {
            let object = |name: &str| -> sqlx::Result<Map<String, Value>> {
                Ok(match row.try_get::<Value, _>(name)? {
                    Value::Object(map) => map,
                    _ => Map::new(),
                })
            };
            Ok((
                row.try_get("line")?,
                Staged {
                    operation: row.try_get("op_id")?,
                    version: row.try_get("version")?,
                    file: object("file")?,
                    base: object("base")?,
                    values: object("values")?,
                    label: row.try_get("label")?,
                    label_key: row.try_get("label_key")?,
                    segment_rank: row.try_get("segment_rank")?,
                    segment: row.try_get("segment")?,
                    planned_at: row.try_get("planned_at")?,
                    here_planned: row.try_get("here_planned")?,
                    technician: row.try_get("technician")?,
                    here_technician: row.try_get("assignee_id")?,
                },
            ))
        })
        .collect()
}

impl Staged {
    fn merge(self, conflicts: &mut i64) -> Change {
        let mut change = Change {
            operation: self.operation,
            version: self.version,
            label: None,
            values: self.values,
            segment: None,
            planned_at: None,
            technician: None,
            base: self.base.clone(),
            trace: Map::new(),
            visible: false,
        };
        for (key, file) in &self.file {
            let file = file.as_str().unwrap_or_default();
            let here = match key.as_str() {
                "segment" => self.segment.clone(),
                "date" => self.here_planned.map(iso).unwrap_or_default(),
                "technician" => self.here_technician.map(|id| id.to_string()).unwrap_or_default(),
                key if key == self.label_key => self.label.clone(),
                key => {
                    change.values.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
                }
            };
            let base = self.base.get(key).and_then(Value::as_str);
            // Segments are one whatever their spelling (RG-093).
            let same_segment =
                key == "segment" && crate::text::norm(file) == crate::text::norm(&here);
            let verdict =
                if same_segment { Verdict::Unchanged } else { merge::cell(base, file, &here) };
            if verdict == Verdict::Conflict {
                *conflicts += 1;
            }
            if verdict == Verdict::Apply {
                match key.as_str() {
                    "segment" => change.segment = self.segment_rank,
                    "date" => change.planned_at = self.planned_at,
                    "technician" => change.technician = self.technician,
                    key if key == self.label_key => change.label = Some(file.to_owned()),
                    key => drop(change.values.insert(key.to_owned(), file.into())),
                }
                change.trace.insert(key.clone(), serde_json::json!([here, file]));
                change.visible = true;
            }
            change.base.insert(key.clone(), file.into());
        }
        change
    }
}

fn iso(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

// SPDX-License-Identifier: EUPL-1.2
//! Second stage: every line is checked (03 §2.3) and counted (03 §2.4). Nothing is written to the
//! campaign: accepted lines wait in the staging table.
use super::{
    Import,
    analyse::refused,
    cells, compare, files,
    job::Stop,
    line::{self, MAX_SEGMENTS, Plan, Scratch, Segments, Verdict},
    mapping::{Column, Target},
    model::{Analysis, Counters, Preview},
    rows,
    staging::{self, Batch, Reject},
};
use crate::{
    app::App,
    campaigns::{self, Field, FieldKind, Usage},
    operations::values::Checker,
    text::norm,
};
use anyhow::anyhow;
use std::{collections::HashMap, path::PathBuf};
use tabular::{Layout, Row};
use tokio::sync::mpsc;

/// Bytes of `COPY` text sent at once.
const BLOCK: usize = 256 * 1024;
/// Issues kept for one line.
const ISSUES_A_LINE: usize = 20;
/// Lines between two looks at the cancel flag.
const STEP: i64 = 2_000;

pub async fn run(app: &App, import: &Import) -> Result<(), Stop> {
    let (counters, preview) = check(app, import, false).await?;
    let kept = sqlx::query!(
        "update imports set counters = $2, preview = $3, state = 'validated', stage = 'idle', progress = total, updated_at = now(), checked_at = coalesce(checked_at, now())
         where id = $1 and stage = 'validate' and not cancel_requested",
        import.id as _,
        serde_json::to_value(&counters)?,
        serde_json::to_value(&preview)?
    )
    .execute(&app.db)
    .await?;
    if kept.rows_affected() == 0 { Err(Stop::Cancelled) } else { Ok(()) }
}

/// Checks the whole file again and stages its accepted lines; the import's row is left to the caller.
///
/// `decided`: the check is done again for an import that a person has confirmed, and what they
/// chose of the differences holds.
pub async fn check(app: &App, import: &Import, decided: bool) -> Result<(Counters, Preview), Stop> {
    let key = import.file_key.as_deref().ok_or_else(|| anyhow!("the file is gone"))?;
    let (Some(analysis), Some(mapping)) = (&import.analysis, &import.mapping) else {
        return Err(Stop::Broken(anyhow!("validation before analysis or mapping")));
    };
    forget_former(app, import).await?;
    let fields = campaigns::fields(&mut *app.db.acquire().await?, import.campaign_id).await?;
    let declared = super::commit::declared(&fields);
    let (plan, mut preview) = plan(app, import, analysis, mapping).await?;
    staging::create(&app.db, import.id).await?;
    let (sender, receiver) = mpsc::channel(4);
    let (path, layout) = (files::path(app, key), analysis.file.layout());
    let reading = tokio::task::spawn_blocking(move || read(path, layout, plan, sender));
    let (read, received) = tokio::join!(reading, staging::receive(&app.db, import.id, receiver));
    // A reader whose receiver stopped says so itself: what the receiver met comes first.
    if !received? {
        return Err(Stop::Cancelled);
    }
    let mut tally = read??;
    preview.segments = std::mem::take(&mut tally.segments.names);
    preview.new_choices = std::mem::take(&mut tally.choices);
    preview.fields = declared;
    reject_duplicates(app, import, analysis, &mut tally).await?;
    let counters = count(app, import, analysis, &tally, decided).await?;
    let mut conn = app.db.acquire().await?;
    let met: Vec<i32> = sqlx::query_scalar(staging::sql(
        import.id,
        "select distinct segment from staging where segment is not null",
    ))
    .fetch_all(&mut *conn)
    .await?;
    let known: Vec<String> = campaigns::segments(&mut conn, import.campaign_id)
        .await?
        .into_iter()
        .map(|s| s.name_norm)
        .collect();
    let ranked = preview.segments.iter().zip(0i32..).filter(|(_, rank)| met.contains(rank));
    preview.new_segments =
        ranked.map(|(name, _)| name).filter(|name| !known.contains(&norm(name))).cloned().collect();
    Ok((counters, preview))
}

async fn forget_former(app: &App, import: &Import) -> sqlx::Result<()> {
    sqlx::query!("delete from import_issues where import_id = $1", import.id as _)
        .execute(&app.db)
        .await?;
    sqlx::query!("delete from import_rejects where import_id = $1", import.id as _)
        .execute(&app.db)
        .await?;
    Ok(())
}

/// Reserves numbers for the fields to create and makes each column's checker ready.
async fn plan(
    app: &App,
    import: &Import,
    analysis: &Analysis,
    mapping: &[Column],
) -> Result<(Plan, Preview), Stop> {
    let mut conn = app.db.acquire().await?;
    let fields = campaigns::fields(&mut conn, import.campaign_id).await?;
    let mut next = sqlx::query_scalar!(
        r#"select coalesce(max(number), 0) as "max!" from campaign_fields where campaign_id = $1"#,
        import.campaign_id as _
    )
    .fetch_one(&mut *conn)
    .await?;
    let mut preview = Preview::default();
    let mut slots = Vec::new();
    for (i, column) in mapping.iter().enumerate() {
        let slot = match &column.target {
            Target::New(kind) => {
                next += 1;
                let kind = FieldKind::from_code(kind).unwrap_or(FieldKind::ShortText);
                let choices = if kind == FieldKind::Choice {
                    analysis.columns.get(i).map(|s| s.distinct.clone()).unwrap_or_default()
                } else {
                    Vec::new()
                };
                let label = unused_label(&column.header, &fields, &preview);
                let checker = Checker::new(kind, &label, false, None, None, &choices);
                preview.new_fields.push((next, label, kind.code().into(), choices));
                let searchable = matches!(kind, FieldKind::ShortText | FieldKind::Email);
                Some(line::Slot::Value { checker, key: next.to_string(), searchable, list: None })
            }
            target => line::slot(target, &fields).map(|slot| open_list(slot, column, &fields)),
        };
        slots.extend(slot.map(|slot| (i, column.header.clone(), slot)));
    }
    let label = fields.iter().find(|f| f.is(Usage::Label)).map(|f| f.number);
    preview.label_from_identifier =
        !mapping.iter().any(|c| matches!(c.target, Target::Field(n) if Some(n) == label));
    let technicians = if mapping.iter().any(|c| c.target == Target::Technician) {
        sqlx::query!("select id, email from users where active and 'technician' = any (roles)")
            .fetch_all(&mut *conn)
            .await?
            .into_iter()
            .map(|row| (row.email, row.id))
            .collect()
    } else {
        HashMap::new()
    };
    let default_time = sqlx::query_scalar!(
        "select default_time from campaigns where id = $1",
        import.campaign_id as _
    )
    .fetch_one(&mut *conn)
    .await?;
    Ok((Plan { slots, technicians, default_time, segments: Segments::default() }, preview))
}

/// « Ajouter aux choix », for a list of the campaign.
fn open_list(slot: line::Slot, column: &Column, fields: &[Field]) -> line::Slot {
    let list = |number: i32| {
        fields
            .iter()
            .find(|f| f.number == number && f.kind == FieldKind::Choice && column.opens_list)
    };
    match (slot, &column.target) {
        (line::Slot::Value { checker, key, searchable, .. }, Target::Field(number)) => {
            let list = list(*number).map(|f| line::OpenList::of(&f.choices));
            line::Slot::Value { checker, key, searchable, list }
        }
        (slot, _) => slot,
    }
}

/// The header, or « header (2) » when a field already has that name.
fn unused_label(header: &str, fields: &[Field], preview: &Preview) -> String {
    let taken = |label: &str| {
        let key = norm(label);
        fields.iter().any(|f| f.label_norm == key)
            || preview.new_fields.iter().any(|(_, l, ..)| norm(l) == key)
    };
    let header: String = header.chars().take(240).collect();
    let mut label = header.clone();
    for n in 2.. {
        if !taken(&label) {
            break;
        }
        label = format!("{header} ({n})");
    }
    label
}

/// What the reading thread counted.
struct Tally {
    read: i64,
    rejected: i64,
    errors: i64,
    warned: i64,
    segments: Segments,
    /// New choices by field number.
    choices: Vec<(i32, Vec<String>)>,
}

/// Reads and checks every line; never holds more than a few blocks.
fn read(
    path: PathBuf,
    layout: Layout,
    mut plan: Plan,
    sender: mpsc::Sender<Batch>,
) -> Result<Tally, Stop> {
    let mut tally = Tally {
        read: 0,
        rejected: 0,
        errors: 0,
        warned: 0,
        segments: Segments::default(),
        choices: Vec::new(),
    };
    let (mut rows, mut row) = (tabular::rows(&path, &layout).map_err(refused)?, Row::new());
    let (mut lines, mut issues, mut rejects) =
        (String::with_capacity(BLOCK + 4096), Vec::new(), Vec::new());
    let mut scratch = Scratch::default();
    let send = |batch| sender.blocking_send(batch).map_err(|_| Stop::Cancelled);
    while rows.next(&mut row).map_err(refused)? {
        tally.read += 1;
        match plan.check(&row, &mut lines, &mut scratch) {
            Verdict::Accepted => tally.warned += i64::from(!scratch.issues.is_empty()),
            Verdict::Rejected => {
                tally.rejected += 1;
                tally.errors += scratch.issues.iter().filter(|i| i.is_error).count() as i64;
                rejects.push(Reject {
                    line: row.line as i64,
                    message: summary(&scratch),
                    cells: row.cells().map(|c| c.text.replace('\0', "")).collect(),
                    identifier: scratch.identifier_norm.replace('\0', ""),
                });
            }
            Verdict::TooManySegments => {
                return Err(Stop::Refused(format!(
                    "La colonne choisie pour le segment a plus de {} valeurs différentes : choisissez une autre colonne.",
                    crate::text::number(MAX_SEGMENTS as u64)
                )));
            }
        }
        // A line wrong everywhere says enough with its first faults.
        scratch.issues.truncate(ISSUES_A_LINE);
        issues.append(&mut scratch.issues);
        if lines.len() >= BLOCK {
            send(Batch::Lines(std::mem::replace(&mut lines, String::with_capacity(BLOCK + 4096))))?;
        }
        if issues.len() >= 1_000 {
            send(Batch::Issues(std::mem::take(&mut issues)))?;
        }
        if rejects.len() >= 500 {
            send(Batch::Rejects(std::mem::take(&mut rejects)))?;
        }
        if tally.read % STEP == 0 {
            send(Batch::Progress(tally.read))?;
        }
    }
    send(Batch::Lines(lines))?;
    send(Batch::Issues(issues))?;
    send(Batch::Rejects(rejects))?;
    tally.segments = plan.segments;
    tally.choices = plan.slots.into_iter().filter_map(|(_, _, slot)| added(slot)).collect();
    Ok(tally)
}

fn added(slot: line::Slot) -> Option<(i32, Vec<String>)> {
    match slot {
        line::Slot::Value { key, list: Some(list), .. } if !list.added.is_empty() => {
            Some((key.parse().ok()?, list.added))
        }
        _ => None,
    }
}

fn summary(scratch: &Scratch) -> String {
    scratch
        .issues
        .iter()
        .filter(|i| i.is_error)
        .map(|i| format!("{} : {}", i.field, i.message))
        .collect::<Vec<_>>()
        .join(" ; ")
}

/// First occurrence kept (03 §2.3); found by the base, in bounded memory.
async fn reject_duplicates(
    app: &App,
    import: &Import,
    analysis: &Analysis,
    tally: &mut Tally,
) -> Result<(), Stop> {
    let id = import.id;
    sqlx::query(staging::sql(id, "create index on staging (identifier_norm, line)"))
        .execute(&app.db)
        .await?;
    sqlx::query(staging::sql(id, "create index on staging (line)")).execute(&app.db).await?;
    sqlx::query(staging::sql(id, "analyze staging")).execute(&app.db).await?;
    let twice: Vec<(i64, i64, String)> = sqlx::query_as(staging::sql(
        id,
        "with d as (select line, identifier, first_value(line) over (partition by identifier_norm order by line) as first from staging),
              gone as (delete from staging s using d where d.line = s.line and d.line <> d.first returning s.line, d.first, s.identifier)
         select * from gone order by line",
    ))
    .fetch_all(&app.db)
    .await?;
    if twice.is_empty() {
        return Ok(());
    }
    let header = identifier_header(import);
    let message = |first: i64| {
        format!("Identifiant en double dans le fichier (première occurrence : ligne {first})")
    };
    for chunk in twice.chunks(1_000) {
        let issues: Vec<_> = chunk
            .iter()
            .map(|(line, first, value)| line::Issue {
                line: *line as u64,
                field: header.clone(),
                value: value.clone(),
                is_error: true,
                message: message(*first),
            })
            .collect();
        staging::write_issues(&app.db, id, &issues).await?;
    }
    keep_original_lines(app, import, analysis, &twice, message).await?;
    tally.rejected += twice.len() as i64;
    tally.errors += twice.len() as i64;
    Ok(())
}

fn identifier_header(import: &Import) -> String {
    let identifier = |c: &&Column| matches!(&c.target, Target::Field(_));
    import
        .mapping
        .iter()
        .flatten()
        .find(identifier)
        .map_or_else(|| "Identifiant".into(), |c| c.header.clone())
}

/// A second pass over the file fetches the lines to give back.
async fn keep_original_lines(
    app: &App,
    import: &Import,
    analysis: &Analysis,
    twice: &[(i64, i64, String)],
    message: impl Fn(i64) -> String + Send + 'static,
) -> Result<(), Stop> {
    let key = import.file_key.as_deref().ok_or_else(|| anyhow!("the file is gone"))?;
    let (path, layout) = (files::path(app, key), analysis.file.layout());
    let wanted: Vec<(i64, i64)> = twice.iter().map(|(line, first, _)| (*line, *first)).collect();
    let (sender, mut receiver) = mpsc::channel(2);
    let reading = tokio::task::spawn_blocking(move || {
        let (mut rows, mut row) = (tabular::rows(&path, &layout).map_err(refused)?, Row::new());
        let mut wanted = wanted.into_iter().peekable();
        let mut batch = Vec::new();
        while let Some((line, first)) = wanted.peek().copied() {
            if !rows.next(&mut row).map_err(refused)? {
                break;
            }
            if row.line as i64 == line {
                wanted.next();
                batch.push(Reject {
                    line,
                    message: message(first),
                    cells: row.cells().map(|c| c.text.replace('\0', "")).collect(),
                    identifier: String::new(),
                });
            }
            if batch.len() >= 500 {
                sender.blocking_send(std::mem::take(&mut batch)).map_err(|_| Stop::Cancelled)?;
            }
        }
        sender.blocking_send(batch).map_err(|_| Stop::Cancelled)
    });
    while let Some(batch) = receiver.recv().await {
        staging::write_rejects(&app.db, import.id, &batch).await?;
    }
    reading.await?
}

async fn count(
    app: &App,
    import: &Import,
    analysis: &Analysis,
    tally: &Tally,
    decided: bool,
) -> Result<Counters, Stop> {
    let mut conn = app.db.acquire().await?;
    compare::mark_known(&mut conn, import).await?;
    cells::fill(&mut conn, import, decided).await?;
    let different = cells::totals(&mut conn, import.id).await?;
    let binned = rows::count_binned(&mut conn, import).await?;
    let accepted: i64 = sqlx::query_scalar(staging::sql(import.id, "select count(*) from staging"))
        .fetch_one(&mut *conn)
        .await?;
    let known: i64 =
        sqlx::query_scalar(staging::sql(import.id, "select count(*) from staging where known"))
            .fetch_one(&mut *conn)
            .await?;
    let missing = rows::count_vanished(&mut conn, import, None).await?;
    Ok(Counters {
        read: tally.read,
        created: accepted - known,
        updated: different.updated,
        unchanged: known - different.updated,
        rejected: tally.rejected,
        warnings: tally.warned,
        errors: tally.errors,
        empty: analysis.file.empty_rows as i64,
        conflicts: different.conflicts,
        missing,
        binned,
        ..Counters::default()
    })
}

// SPDX-License-Identifier: EUPL-1.2
//! First stage: what the file is, what its columns hold, where they seem to go.
use super::{Import, files, job::Stop, mapping, model::Analysis, stats::ColumnStats};
use crate::{app::App, campaigns, db::Id};
use anyhow::anyhow;
use std::path::PathBuf;
use tabular::{Inspection, Limits, Options, Row};

pub async fn run(app: &App, import: &Import) -> Result<(), Stop> {
    let key = import.file_key.as_deref().ok_or_else(|| anyhow!("the file is gone"))?;
    // The command line has no limit of lines (03 §1.1); a person's upload has.
    let limits =
        if import.author_id.is_none() { Limits::command_line() } else { Limits::screens() };
    let (file, columns) =
        read(files::path(app, key), import.file_name.clone(), import.options.clone(), limits)
            .await?;
    let mut conn = app.db.acquire().await?;
    let fields = campaigns::fields(&mut conn, import.campaign_id).await?;
    let previous = previous_mapping(&mut conn, import.campaign_id).await?;
    let proposed = mapping::propose(&file.header, &columns, &fields, &previous);
    let total = file.data_rows as i64;
    let analysis = serde_json::to_value(Analysis { file, columns, proposed })?;
    let kept = sqlx::query!(
        "update imports set inspection = $2, mapping = null, counters = null, preview = null, state = 'analysed', stage = 'idle',
                progress = $3, total = $3, error = null, updated_at = now()
         where id = $1 and stage = 'analyse' and not cancel_requested",
        import.id as _,
        analysis,
        total
    )
    .execute(&mut *conn)
    .await?;
    if kept.rows_affected() == 0 { Err(Stop::Cancelled) } else { Ok(()) }
}

/// Reads the file on a thread of its own: parsing is work, not waiting.
async fn read(
    path: PathBuf,
    name: String,
    options: Options,
    limits: Limits,
) -> Result<(Inspection, Vec<ColumnStats>), Stop> {
    tokio::task::spawn_blocking(move || {
        let inspection = tabular::inspect(&path, &name, &options, &limits, &mut |_| true)?;
        let mut stats = vec![ColumnStats::default(); inspection.header.len()];
        let (mut rows, mut row) = (tabular::rows(&path, &inspection.layout())?, Row::new());
        while rows.next(&mut row)? {
            for (stat, cell) in stats.iter_mut().zip(row.cells()) {
                stat.add(cell.text.trim());
            }
        }
        Ok::<_, tabular::Error>((inspection, stats))
    })
    .await?
    .map_err(refused)
}

/// What is wrong with a file is for the person; a broken disk is not.
pub fn refused(err: tabular::Error) -> Stop {
    match err {
        tabular::Error::Io(err) => Stop::Broken(err.into()),
        tabular::Error::Cancelled => Stop::Cancelled,
        err => Stop::Refused(err.to_string()),
    }
}

async fn previous_mapping(
    conn: &mut sqlx::PgConnection,
    campaign: Id<campaigns::Campaign>,
) -> anyhow::Result<Vec<mapping::Column>> {
    let last = sqlx::query_scalar!(
        r#"select mapping as "mapping!" from imports where campaign_id = $1 and state = 'done' and mapping is not null order by created_at desc limit 1"#,
        campaign as _
    )
    .fetch_optional(conn)
    .await?;
    Ok(last.map(serde_json::from_value).transpose()?.unwrap_or_default())
}

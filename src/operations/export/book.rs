// SPDX-License-Identifier: EUPL-1.2
//! A workbook written to a file while its rows are read; memory holds a few hundred of them.
use super::{format::Format, plan::Plan};
use crate::app::App;
use anyhow::Context;
use futures::TryStreamExt;
use std::{fs::File, io::BufWriter, path::PathBuf};
use tabular::{Value, write_ods, write_xlsx};
use tokio::sync::mpsc;

/// Rows between the reader and the writer.
const AHEAD: usize = 256;
/// Rows between two notes of the progress.
const STEP: u64 = 2_000;

/// Who hears how far it is: `false` stops.
pub trait Watch: Send {
    fn at(&mut self, rows: u64) -> impl Future<Output = anyhow::Result<bool>> + Send;
}

/// Nobody.
impl Watch for () {
    async fn at(&mut self, _rows: u64) -> anyhow::Result<bool> {
        Ok(true)
    }
}

/// `None` when it was stopped: what is in the file then is to be thrown away, as after an error.
///
/// # Errors
/// The base or the disk.
pub async fn write(
    app: &App,
    plan: &Plan,
    format: Format,
    path: PathBuf,
    mut watch: impl Watch,
) -> anyhow::Result<Option<u64>> {
    let (to, mut from) = mpsc::channel::<Vec<Value>>(AHEAD);
    let heads = plan.columns.heads();
    let writer = tokio::task::spawn_blocking(move || {
        let file = BufWriter::new(File::create_new(path)?);
        let rows = std::iter::from_fn(|| from.blocking_recv());
        match format {
            Format::Ods => write_ods("Opérations", &heads, rows, file),
            Format::Xlsx | Format::Csv(_) => write_xlsx("Opérations", &heads, rows, file),
        }
    });
    let mut query = plan.query();
    let mut rows = query.build().fetch(&app.db);
    let mut count = 0;
    while let Some(row) = rows.try_next().await? {
        if to.send(plan.values(&row)?).await.is_err() {
            break; // the writer says why
        }
        count += 1;
        if count % STEP == 0 && !watch.at(count).await? {
            return Ok(None);
        }
    }
    drop(to);
    writer.await.context("writing a workbook")?.context("writing a workbook")?;
    Ok(Some(count))
}

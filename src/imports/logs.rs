// SPDX-License-Identifier: EUPL-1.2
//! The error log and the rejected lines, as CSV that a spreadsheet opens safely (03 §2.3, §13),
//! sent as they are read.
use super::{Import, model};
use crate::{
    app::App,
    campaigns::{Campaign, Configure},
    db::{Id, Read},
    web::Result,
};
use axum::{
    body::{Body, Bytes},
    extract::Path,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use futures::{TryStreamExt, stream};
use std::io::Write;
use tabular::CsvWriter;
use tokio::sync::mpsc;

/// Bytes sent at once.
const BLOCK: usize = 64 * 1024;

/// Line, column, value, kind, message.
pub async fn issues(
    mut read: Read,
    Path((id, import)): Path<(Id<Campaign>, Id<Import>)>,
) -> Result<Response> {
    read.authorize(Configure, id).await?;
    let import = model::find(read.conn(), id, import).await?.id;
    let app = read.app().clone();
    Ok(download("journal", |sheet| async move { write_issues(&app, import, sheet).await }))
}

/// The original lines with the message at the end, ready to correct and import again.
pub async fn rejects(
    mut read: Read,
    Path((id, import)): Path<(Id<Campaign>, Id<Import>)>,
) -> Result<Response> {
    read.authorize(Configure, id).await?;
    let import = model::find(read.conn(), id, import).await?;
    let app = read.app().clone();
    Ok(download(
        "lignes-rejetees",
        |sheet| async move { write_rejects(&app, &import, sheet).await },
    ))
}

async fn write_issues(app: &App, import: Id<Import>, mut sheet: Sheet) -> anyhow::Result<()> {
    sheet.row(["Ligne", "Colonne", "Valeur", "Nature", "Message"]).await?;
    let mut rows = sqlx::query!("select line, field, value, level, message from import_issues where import_id = $1 order by line, level", import as _)
        .fetch(&app.db);
    while let Some(row) = rows.try_next().await? {
        let level = if row.level == "error" { "erreur" } else { "avertissement" };
        sheet
            .row([row.line.to_string().as_str(), &row.field, &row.value, level, &row.message])
            .await?;
    }
    sheet.send().await
}

async fn write_rejects(app: &App, import: &Import, mut sheet: Sheet) -> anyhow::Result<()> {
    let header = import.analysis.as_ref().map(|a| a.file.header.clone()).unwrap_or_default();
    sheet.row(header.iter().map(String::as_str).chain(["Erreur à corriger"])).await?;
    let mut rows = sqlx::query!(
        "select message, cells from import_rejects where import_id = $1 order by line",
        import.id as _
    )
    .fetch(&app.db);
    while let Some(row) = rows.try_next().await? {
        let width = header.len().max(row.cells.len());
        let cells = (0..width).map(|i| row.cells.get(i).map_or("", String::as_str));
        sheet.row(cells.chain([row.message.as_str()])).await?;
    }
    sheet.send().await
}

/// A CSV under way: full blocks leave while the next rows are read.
struct Sheet {
    csv: CsvWriter<Vec<u8>>,
    to: mpsc::Sender<Bytes>,
}

impl Sheet {
    async fn row<'a>(&mut self, cells: impl IntoIterator<Item = &'a str>) -> anyhow::Result<()> {
        self.csv.record(cells)?;
        if self.csv.get_mut().len() >= BLOCK { self.send().await } else { Ok(()) }
    }

    async fn send(&mut self) -> anyhow::Result<()> {
        let block = std::mem::take(self.csv.get_mut());
        self.csv.get_mut().flush()?;
        Ok(self.to.send(block.into()).await?)
    }
}

fn download<F: Future<Output = anyhow::Result<()>> + Send + 'static>(
    name: &str,
    work: impl FnOnce(Sheet) -> F,
) -> Response {
    let (to, blocks) = mpsc::channel(4);
    if let Ok(csv) = CsvWriter::new(Vec::with_capacity(BLOCK)) {
        let work = work(Sheet { csv, to });
        tokio::spawn(async move {
            if let Err(err) = work.await {
                tracing::debug!(error = ?err, "download cut short");
            }
        });
    }
    let body = stream::unfold(blocks, |mut blocks| async move {
        blocks.recv().await.map(|block| (Ok::<_, std::convert::Infallible>(block), blocks))
    });
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{name}.csv\""))
        .unwrap_or(HeaderValue::from_static("attachment"));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8")),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    (headers, Body::from_stream(body)).into_response()
}

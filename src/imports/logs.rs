// SPDX-License-Identifier: EUPL-1.2
//! The error log and the rejected lines, as CSV that a spreadsheet opens safely (03 §2.3, §13),
//! sent as they are read.
use super::{Import, model};
use crate::{
    app::App,
    campaigns::{Campaign, Configure},
    db::{Id, Read},
    web::{
        Result,
        download::{self, CsvSheet},
    },
};
use axum::{extract::Path, response::Response};
use futures::TryStreamExt;
use tabular::CsvStyle;

/// Line, column, value, kind, message.
pub async fn issues(
    mut read: Read,
    Path((id, import)): Path<(Id<Campaign>, Id<Import>)>,
) -> Result<Response> {
    read.authorize(Configure, id).await?;
    let import = model::find(read.conn(), id, import).await?.id;
    let app = read.app().clone();
    Ok(download::csv("journal.csv", CsvStyle::default(), |sheet| async move {
        write_issues(&app, import, sheet).await
    }))
}

/// The original lines with the message at the end, ready to correct and import again.
pub async fn rejects(
    mut read: Read,
    Path((id, import)): Path<(Id<Campaign>, Id<Import>)>,
) -> Result<Response> {
    read.authorize(Configure, id).await?;
    let import = model::find(read.conn(), id, import).await?;
    let app = read.app().clone();
    Ok(download::csv("lignes-rejetees.csv", CsvStyle::default(), |sheet| async move {
        write_rejects(&app, &import, sheet).await
    }))
}

async fn write_issues(app: &App, import: Id<Import>, mut sheet: CsvSheet) -> anyhow::Result<()> {
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

async fn write_rejects(app: &App, import: &Import, mut sheet: CsvSheet) -> anyhow::Result<()> {
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

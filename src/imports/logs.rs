// SPDX-License-Identifier: EUPL-1.2
//! The error log and the rejected lines, as CSV that a spreadsheet opens safely (03 §2.3, §13).
use super::{Import, model};
use crate::{
    campaigns::{Campaign, Configure},
    db::{Id, Read},
    web::{Error, Result},
};
use axum::{
    extract::Path,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use futures::TryStreamExt;
use tabular::CsvWriter;

/// Line, column, value, kind, message.
pub async fn issues(mut read: Read, Path((id, import)): Path<(Id<Campaign>, Id<Import>)>) -> Result<Response> {
    read.authorize(Configure, id).await?;
    let import = model::find(read.conn(), id, import).await?;
    let mut csv = writer()?;
    csv.record(["Ligne", "Colonne", "Valeur", "Nature", "Message"]).map_err(broken)?;
    let mut rows = sqlx::query!("select line, field, value, level, message from import_issues where import_id = $1 order by line, level", import.id as _)
        .fetch(read.conn());
    while let Some(row) = rows.try_next().await? {
        let level = if row.level == "error" { "erreur" } else { "avertissement" };
        csv.record([row.line.to_string().as_str(), &row.field, &row.value, level, &row.message]).map_err(broken)?;
    }
    drop(rows);
    Ok(download(csv, "journal"))
}

/// The original lines with the message in front, ready to correct and import again.
pub async fn rejects(mut read: Read, Path((id, import)): Path<(Id<Campaign>, Id<Import>)>) -> Result<Response> {
    read.authorize(Configure, id).await?;
    let import = model::find(read.conn(), id, import).await?;
    let header = import.analysis.as_ref().map(|a| a.file.header.clone()).unwrap_or_default();
    let mut csv = writer()?;
    csv.record(header.iter().map(String::as_str).chain(["Erreur à corriger"])).map_err(broken)?;
    let mut rows = sqlx::query!("select message, cells from import_rejects where import_id = $1 order by line", import.id as _).fetch(read.conn());
    while let Some(row) = rows.try_next().await? {
        let width = header.len().max(row.cells.len());
        let cells = (0..width).map(|i| row.cells.get(i).map_or("", String::as_str));
        csv.record(cells.chain([row.message.as_str()])).map_err(broken)?;
    }
    drop(rows);
    Ok(download(csv, "lignes-rejetees"))
}

fn writer() -> Result<CsvWriter<Vec<u8>>> {
    CsvWriter::new(Vec::new()).map_err(broken)
}

fn broken(err: impl Into<anyhow::Error>) -> Error {
    Error::Internal(err.into())
}

fn download(csv: CsvWriter<Vec<u8>>, name: &str) -> Response {
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{name}.csv\"")).unwrap_or(HeaderValue::from_static("attachment"));
    ([(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8")), (header::CONTENT_DISPOSITION, disposition)], csv.into_inner()).into_response()
}

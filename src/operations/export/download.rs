// SPDX-License-Identifier: EUPL-1.2
//! What leaves: a CSV as it is read, a workbook from its file.
use super::{
    book,
    format::Format,
    model::{Export, path},
    plan::Plan,
};
use crate::{
    app::App,
    campaigns::{self, Campaign},
    clock,
    db::{Id, Read},
    web::{
        Error, Result,
        download::{self, CsvSheet},
    },
};
use axum::{
    body::Body,
    extract::Path,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use tabular::CsvStyle;
use tokio_util::io::ReaderStream;
use uuid::Uuid;

/// « operations-migration-windows-11-2026-03-12.csv », once made ASCII.
fn name(campaign: &Campaign, format: Format, at: DateTime<Utc>) -> String {
    format!("opérations-{}-{}.{}", campaign.name, clock::day(at), format.code())
}

pub fn csv(app: App, campaign: &Campaign, plan: Plan, style: CsvStyle) -> Response {
    let name = name(campaign, Format::Csv(style), clock::now());
    download::csv(&name, style, move |sheet| async move { write_csv(&app, &plan, sheet).await })
}

async fn write_csv(app: &App, plan: &Plan, mut sheet: CsvSheet) -> anyhow::Result<()> {
    let heads = plan.columns.heads();
    sheet.row(heads.iter().map(|head| head.label.as_str())).await?;
    sheet.send().await?; // the browser names its download while the base orders the rows
    let mut query = plan.query();
    let mut rows = query.build().fetch(&app.db);
    while let Some(row) = rows.try_next().await? {
        sheet.values(&plan.values(&row)?).await?;
    }
    sheet.send().await
}

/// A small workbook, made while its reader waits; its file is gone before it is sent.
pub async fn book(app: &App, campaign: &Campaign, plan: Plan, format: Format) -> Result<Response> {
    let target = path(app, &format!("export-{}", Uuid::new_v4()));
    let written = book::write(app, &plan, format, target.clone(), ()).await;
    let opened = match written {
        Ok(_) => tokio::fs::File::open(&target).await.map_err(anyhow::Error::from),
        Err(err) => Err(err),
    };
    let _ = tokio::fs::remove_file(&target).await;
    Ok(send(opened?, &name(campaign, format, clock::now()), format).await?)
}

/// `GET …/fichier`: as often as one likes until it expires.
pub async fn file(
    mut read: Read,
    Path((id, export)): Path<(Id<Campaign>, Id<Export>)>,
) -> Result<Response> {
    let campaign = read.authorize(campaigns::Export, id).await?;
    let (author, now) = (read.user().id, read.now());
    let export = Export::find(read.conn(), id, export, author, now).await?;
    let key = export.file_key.as_deref().ok_or(Error::NotFound)?;
    let name = name(&campaign, export.format, export.created_at);
    let Ok(file) = tokio::fs::File::open(path(read.app(), key)).await else {
        return Err(Error::NotFound);
    };
    Ok(send(file, &name, export.format).await?)
}

async fn send(file: tokio::fs::File, name: &str, format: Format) -> anyhow::Result<Response> {
    let size = file.metadata().await?.len();
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(format.media_type())),
        (header::CONTENT_LENGTH, HeaderValue::from(size)),
        (header::CONTENT_DISPOSITION, download::attachment(name)),
    ];
    Ok((headers, Body::from_stream(ReaderStream::new(file))).into_response())
}

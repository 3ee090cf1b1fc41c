// SPDX-License-Identifier: EUPL-1.2
//! A file leaves: always as an attachment, never shown in place, counted and traced (RG-053).
use super::{
    commands,
    model::{self, Document, KEPT, StoredFile},
    store,
};
use crate::{
    app::App,
    campaigns::{Campaign, Configure, View},
    db::{Id, Tx},
    web::{Error, Result, download::attachment},
};
use axum::{
    body::Body,
    extract::Path,
    http::{HeaderValue, Method, header},
    response::{IntoResponse, Response},
};
use tokio_util::io::ReaderStream;

/// The file of today, for whoever sees the campaign.
pub async fn current(
    mut tx: Tx,
    method: Method,
    Path((id, document)): Path<(Id<Campaign>, Id<Document>)>,
) -> Result<Response> {
    let campaign = tx.authorize(View, id).await?;
    let document = model::find(tx.conn(), id, document).await?;
    let reply = send(tx.app(), &document.file).await?;
    if method == Method::HEAD {
        tx.commit_quietly("asking what it is takes nothing away").await?;
    } else {
        commands::downloaded(&mut tx, &campaign, &document).await?;
        tx.commit().await?;
    }
    Ok(reply)
}

/// A file that was replaced, while it is kept, for whoever may replace it.
pub async fn former(
    mut tx: Tx,
    method: Method,
    Path((id, document, file)): Path<(Id<Campaign>, Id<Document>, Id<StoredFile>)>,
) -> Result<Response> {
    let campaign = tx.authorize(Configure, id).await?;
    let document = model::find(tx.conn(), id, document).await?;
    let since = tx.now() - KEPT;
    let former = model::former(tx.conn(), id, document.id, since).await?;
    let file = former.into_iter().find(|former| former.id == file).ok_or(Error::NotFound)?;
    let reply = send(tx.app(), &file).await?;
    if method == Method::HEAD {
        tx.commit_quietly("asking what it is takes nothing away").await?;
    } else {
        commands::trace_download(&mut tx, &campaign, &document, &file).await?;
        tx.commit().await?;
    }
    Ok(reply)
}

/// Opened before it is counted: what the store lost is not a download.
async fn send(app: &App, file: &StoredFile) -> Result<Response> {
    let (content, size) = match store::open(app, &file.key).await {
        Ok(opened) => opened,
        Err(err) => {
            tracing::error!(error = ?err, file.key, "the store does not give a document");
            return Err(Error::Refused(
                "Ce fichier est absent du serveur. Prévenez l’administrateur.".into(),
            ));
        }
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(file.kind.media_type)),
        (header::CONTENT_LENGTH, HeaderValue::from(size)),
        (header::CONTENT_DISPOSITION, attachment(&file.name)),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    Ok((headers, Body::from_stream(ReaderStream::new(content))).into_response())
}

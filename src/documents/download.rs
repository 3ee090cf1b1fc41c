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
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use std::io::SeekFrom;
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;

/// The file of today, for whoever sees the campaign.
pub async fn current(
    mut tx: Tx,
    method: Method,
    asked: HeaderMap,
    Path((id, document)): Path<(Id<Campaign>, Id<Document>)>,
) -> Result<Response> {
    let campaign = tx.authorize(View, id).await?;
    let document = model::find(tx.conn(), id, document).await?;
    let reply = send(tx.app(), &asked, &document.file).await?;
    if is_new(&method, &reply) {
        commands::downloaded(&mut tx, &campaign, &document).await?;
        tx.commit().await?;
    } else {
        tx.commit_quietly("a question, or the rest of what was counted").await?;
    }
    Ok(reply)
}

/// A file that was replaced, while it is kept, for whoever may replace it.
pub async fn former(
    mut tx: Tx,
    method: Method,
    asked: HeaderMap,
    Path((id, document, file)): Path<(Id<Campaign>, Id<Document>, Id<StoredFile>)>,
) -> Result<Response> {
    let campaign = tx.authorize(Configure, id).await?;
    let document = model::find(tx.conn(), id, document).await?;
    let since = tx.now() - KEPT;
    let former = model::former(tx.conn(), id, document.id, since).await?;
    let file = former.into_iter().find(|former| former.id == file).ok_or(Error::NotFound)?;
    let reply = send(tx.app(), &asked, &file).await?;
    if is_new(&method, &reply) {
        commands::trace_download(&mut tx, &campaign, &document, &file).await?;
        tx.commit().await?;
    } else {
        tx.commit_quietly("a question, or the rest of what was counted").await?;
    }
    Ok(reply)
}

/// What of the file is asked for.
#[derive(Clone, Copy)]
struct Part {
    from: u64,
    length: u64,
}

/// « bytes=1000- »: what is missing of a download that was cut short, when the file is still the
/// same. Several ranges, or one that makes no sense, get the whole (RFC 9110 §14.2).
fn missing_part(asked: &HeaderMap, tag: &str, size: u64) -> Option<Part> {
    let text = |name| asked.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    if text(header::IF_RANGE).is_some_and(|known| known != tag) {
        return None;
    }
    let (from, to) = text(header::RANGE)?.strip_prefix("bytes=")?.split_once('-')?;
    let from: u64 = from.parse().ok()?;
    let last = if to.is_empty() { size.checked_sub(1)? } else { to.parse().ok()? };
    let last = last.min(size.checked_sub(1)?);
    (from <= last).then(|| Part { from, length: last - from + 1 })
}

/// Opened before it is counted: what the store lost is not a download.
async fn send(app: &App, asked: &HeaderMap, file: &StoredFile) -> Result<Response> {
    let (mut content, size) = match store::open(app, &file.key).await {
        Ok(opened) => opened,
        Err(err) => {
            tracing::error!(error = ?err, file.key, "the store does not give a document");
            return Err(Error::Refused(
                "Ce fichier est absent du serveur. Prévenez l’administrateur.".into(),
            ));
        }
    };
    let tag = format!("\"{}\"", file.digest());
    let part = missing_part(asked, &tag, size);
    let Part { from, length } = part.unwrap_or(Part { from: 0, length: size });
    content.seek(SeekFrom::Start(from)).await.map_err(anyhow::Error::from)?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(file.kind.media_type)),
        (header::CONTENT_LENGTH, HeaderValue::from(length)),
        (header::CONTENT_DISPOSITION, attachment(&file.name)),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::ACCEPT_RANGES, HeaderValue::from_static("bytes")),
        (header::ETAG, HeaderValue::from_str(&tag).map_err(anyhow::Error::from)?),
    ];
    let body = Body::from_stream(ReaderStream::new(content.take(length)));
    let mut reply = (headers, body).into_response();
    if part.is_some() {
        let range = format!("bytes {from}-{}/{size}", from + length - 1);
        let range = HeaderValue::from_str(&range).map_err(anyhow::Error::from)?;
        reply.headers_mut().insert(header::CONTENT_RANGE, range);
        *reply.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    Ok(reply)
}

/// Whether this answer is a download of its own: not a question, not the rest of one that was counted.
fn is_new(method: &Method, reply: &Response) -> bool {
    let rest = reply
        .headers()
        .get(header::CONTENT_RANGE)
        .is_some_and(|range| !range.as_bytes().starts_with(b"bytes 0-"));
    *method != Method::HEAD && !rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_sound_range_of_the_same_file_is_a_part() {
        let part = |range: &'static str, known: Option<&'static str>| {
            let mut asked = HeaderMap::new();
            asked.insert(header::RANGE, HeaderValue::from_static(range));
            if let Some(known) = known {
                asked.insert(header::IF_RANGE, HeaderValue::from_static(known));
            }
            missing_part(&asked, "\"a\"", 10).map(|part| (part.from, part.length))
        };
        assert_eq!(part("bytes=4-", None), Some((4, 6)));
        assert_eq!(part("bytes=4-5", Some("\"a\"")), Some((4, 2)));
        assert_eq!(part("bytes=4-900", None), Some((4, 6)));
        assert_eq!(part("bytes=4-", Some("\"b\"")), None, "replaced meanwhile");
        for whole in ["bytes=10-", "bytes=5-4", "bytes=-3", "bytes=0-1,3-4", "lines=1-2", "bytes="]
        {
            assert_eq!(part(whole, None), None, "{whole}");
        }
        assert!(missing_part(&HeaderMap::new(), "", 10).is_none());
    }
}

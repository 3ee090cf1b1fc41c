// SPDX-License-Identifier: EUPL-1.2
//! Where the bytes lie: a directory of the data directory, never served by itself, under random
//! names (RG-053). Nothing else knows it: another store would be another version of this file.
use crate::{app::App, web::Error};
use axum::body::Bytes;
use chrono::{DateTime, Duration, Utc};
use futures::{Stream, StreamExt};
use sha2::{Digest, Sha256};
use std::{
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    pin::pin,
};
use tokio::{
    fs::File,
    io::{AsyncWrite, AsyncWriteExt},
};
use uuid::Uuid;

/// F-01.
pub const MAX: u64 = 52_428_800;
pub const TOO_LARGE: &str = "Taille maximale dépassée (50 Mo)";
const FULL: &str = "Le fichier n’a pas pu être gardé : l’espace du serveur est plein. Rien n’a été enregistré ; prévenez l’administrateur.";
const PREFIX: &str = "document-";

fn path(app: &App, key: &str) -> PathBuf {
    app.config.files_dir().join(key)
}

/// A file received whole; it goes unless it is kept.
#[derive(Debug)]
pub struct Received {
    pub key: String,
    pub size: i64,
    pub sha256: Vec<u8>,
    place: Place,
}

impl Received {
    /// To look at what it holds.
    pub fn path(&self) -> &Path {
        &self.place.path
    }

    /// Called just before the commit: a file without its row goes within a day, a row without its
    /// file would never be whole.
    pub fn keep(mut self) {
        self.place.kept = true;
    }
}

/// Deletes what it holds when it is dropped: refused, interrupted, or nobody waits any more.
#[derive(Debug)]
struct Place {
    path: PathBuf,
    kept: bool,
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.kept {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Streams an upload to the disk, a chunk in memory at a time.
///
/// # Errors
/// `Refused` past [`MAX`] bytes, without reading more, and when the disk is full.
pub async fn receive<E>(
    app: &App,
    chunks: impl Stream<Item = Result<Bytes, E>>,
) -> Result<Received, Error> {
    let key = format!("{PREFIX}{}", Uuid::new_v4());
    let path = path(app, &key);
    let mut file =
        File::options().write(true).create_new(true).open(&path).await.map_err(failure)?;
    let place = Place { path, kept: false };
    let (size, sha256) = copy(chunks, &mut file).await?;
    file.sync_all().await.map_err(failure)?;
    Ok(Received { key, size, sha256, place })
}

async fn copy<E>(
    chunks: impl Stream<Item = Result<Bytes, E>>,
    to: &mut (impl AsyncWrite + Unpin),
) -> Result<(i64, Vec<u8>), Error> {
    let (mut size, mut hash) = (0u64, Sha256::new());
    let mut chunks = pin!(chunks);
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk
            .map_err(|_| Error::BadRequest("L’envoi du fichier a été interrompu. Recommencez."))?;
        size += chunk.len() as u64;
        if size > MAX {
            return Err(Error::Refused(TOO_LARGE.into()));
        }
        hash.update(&chunk);
        to.write_all(&chunk).await.map_err(failure)?;
    }
    to.flush().await.map_err(failure)?;
    Ok((size as i64, hash.finalize().to_vec()))
}

fn failure(err: io::Error) -> Error {
    match err.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            tracing::error!(error = ?err, "no room for a document");
            Error::Refused(FULL.into())
        }
        _ => Error::Internal(anyhow::Error::from(err).context("writing a document")),
    }
}

/// To send it as it is read, with its size.
///
/// # Errors
/// The store lost it, or does not answer.
pub async fn open(app: &App, key: &str) -> io::Result<(File, u64)> {
    let file = File::open(path(app, key)).await?;
    let size = file.metadata().await?.len();
    Ok((file, size))
}

/// A file already gone is fine.
pub async fn remove(app: &App, key: &str) {
    let _ = tokio::fs::remove_file(path(app, key)).await;
}

/// Those that were written more than a day ago: an upload that no row names was cut short.
pub async fn older_than_a_day(app: &App, now: DateTime<Utc>) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    let mut entries = tokio::fs::read_dir(app.config.files_dir()).await?;
    while let Some(entry) = entries.next_entry().await? {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with(PREFIX) {
            continue;
        }
        let Ok(meta) = tokio::fs::symlink_metadata(entry.path()).await else { continue };
        if now - DateTime::<Utc>::from(meta.modified()?) >= Duration::days(1) {
            found.push(name);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::stream;
    use std::{
        convert::Infallible,
        sync::atomic::{AtomicUsize, Ordering},
    };

    #[tokio::test]
    async fn rg_050_past_the_limit_nothing_more_is_read() {
        static READ: AtomicUsize = AtomicUsize::new(0);
        let endless = stream::repeat_with(|| {
            READ.fetch_add(1, Ordering::Relaxed);
            Ok::<_, Infallible>(Bytes::from_static(&[0; 1 << 20]))
        });
        let refused = copy(endless, &mut tokio::io::sink()).await.unwrap_err();
        assert!(matches!(refused, Error::Refused(why) if why == TOO_LARGE));
        assert_eq!(READ.load(Ordering::Relaxed), 51, "one megabyte more than allowed");
        let megabyte = Ok::<_, Infallible>(Bytes::from_static(&[0; 1 << 20]));
        let whole = stream::repeat(megabyte).take(50);
        assert_eq!(copy(whole, &mut tokio::io::sink()).await.unwrap().0, 52_428_800);
    }

    #[tokio::test]
    async fn a_full_disk_is_said_as_such() {
        let mut full = File::options().write(true).open("/dev/full").await.unwrap();
        let chunks = stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"x"))]);
        let refused = copy(chunks, &mut full).await.unwrap_err();
        assert!(matches!(refused, Error::Refused(why) if why == FULL));
    }
}

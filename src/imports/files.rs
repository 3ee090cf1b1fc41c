// SPDX-License-Identifier: EUPL-1.2
//! The uploaded files: random names in the store, gone at the end or within a day (RG-098).
use super::Import;
use crate::{app::App, db::Id, web::Error};
use axum::body::Bytes;
use chrono::{DateTime, Duration, Utc};
use futures::Stream;
use sha2::{Digest, Sha256};
use std::{path::PathBuf, pin::pin};
use tokio::io::AsyncWriteExt;
use uuid::Uuid;

/// A file received whole.
pub struct Stored {
    pub key: String,
    pub size: i64,
    pub sha256: Vec<u8>,
}

pub fn path(app: &App, key: &str) -> PathBuf {
    app.config.files_dir().join(key)
}

/// Streams an upload to disk; nothing is kept when it is refused.
///
/// # Errors
/// `TooLarge` past `max` bytes.
pub async fn store<E: Into<anyhow::Error>>(
    app: &App,
    max: u64,
    chunks: impl Stream<Item = Result<Bytes, E>>,
) -> Result<Stored, Error> {
    let key = format!("import-{}", Uuid::new_v4());
    let target = path(app, &key);
    match write(&target, max, chunks).await {
        Ok((size, sha256)) => Ok(Stored { key, size, sha256 }),
        Err(err) => {
            let _ = tokio::fs::remove_file(&target).await;
            Err(err)
        }
    }
}

async fn write<E: Into<anyhow::Error>>(
    target: &std::path::Path,
    max: u64,
    chunks: impl Stream<Item = Result<Bytes, E>>,
) -> Result<(i64, Vec<u8>), Error> {
    use futures::stream::StreamExt;
    let io = |err: std::io::Error| Error::Internal(err.into());
    let mut file = tokio::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(target)
        .await
        .map_err(io)?;
    let (mut size, mut hash) = (0u64, Sha256::new());
    let mut chunks = pin!(chunks);
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk
            .map_err(|_| Error::BadRequest("L’envoi du fichier a été interrompu. Recommencez."))?;
        size += chunk.len() as u64;
        if size > max {
            return Err(Error::TooLarge("Fichier trop volumineux (max 50 Mo)"));
        }
        hash.update(&chunk);
        file.write_all(&chunk).await.map_err(io)?;
    }
    file.flush().await.map_err(io)?;
    Ok((size as i64, hash.finalize().to_vec()))
}

/// Deletes the file of an import; a file already gone is fine.
pub async fn remove(app: &App, key: &str) {
    let _ = tokio::fs::remove_file(path(app, key)).await;
}

/// Files older than a day that no import needs any more, and the staging tables with them.
pub async fn forget_old(app: &App, now: DateTime<Utc>) -> anyhow::Result<()> {
    let old = sqlx::query!(
        "update imports set file_key = null, stage = 'idle',
                state = case when state in ('received', 'analysed', 'validated') then 'cancelled' when state = 'running' then 'failed' else state end,
                error = coalesce(error, 'Fichier effacé après 24 heures sans suite.'), updated_at = $1
         where file_key is not null and updated_at < $2
         returning id, (select f.file_key from imports f where f.id = imports.id) as former",
        now,
        now - Duration::hours(24)
    )
    .fetch_all(&app.db)
    .await?;
    for row in old {
        if let Some(key) = row.former {
            remove(app, &key).await;
        }
        super::staging::drop_table(&app.db, row.id).await?;
    }
    sqlx::query!("delete from import_issues i using imports m where m.id = i.import_id and m.updated_at < $1", now - Duration::days(90))
        .execute(&app.db)
        .await?;
    sqlx::query!("delete from import_rejects i using imports m where m.id = i.import_id and m.updated_at < $1", now - Duration::days(90))
        .execute(&app.db)
        .await?;
    sweep(app, now).await
}

/// Files that no import names (an upload cut short, a crash) and staged lines that nobody waits for.
async fn sweep(app: &App, now: DateTime<Utc>) -> anyhow::Result<()> {
    let mut entries = tokio::fs::read_dir(app.config.files_dir()).await?;
    while let Some(entry) = entries.next_entry().await? {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Ok(meta) = tokio::fs::symlink_metadata(entry.path()).await else { continue };
        let written: DateTime<Utc> = meta.modified()?.into();
        if !name.starts_with("import-") || now - written < Duration::hours(24) {
            continue;
        }
        let needed = sqlx::query_scalar!(
            r#"select exists (select 1 from imports where file_key = $1) as "needed!""#,
            name
        )
        .fetch_one(&app.db)
        .await?;
        if !needed {
            remove(app, &name).await;
        }
    }
    let left: Vec<Id<Import>> = sqlx::query_scalar!(
        r#"select i.id as "id!: Id<Import>" from imports i join pg_class c on c.relname = 'import_lines_' || replace(i.id::text, '-', '')
           where i.stage = 'idle' and i.state <> 'validated'"#
    )
    .fetch_all(&app.db)
    .await?;
    for import in left {
        super::staging::drop_table(&app.db, import).await?;
    }
    sqlx::query!(
        "delete from import_cells c using imports i where i.id = c.import_id and i.stage = 'idle' and i.state <> 'validated'"
    )
    .execute(&app.db)
    .await?;
    Ok(())
}

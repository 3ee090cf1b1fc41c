// SPDX-License-Identifier: EUPL-1.2
//! A workbook asked for: whose, how far, until when.
use super::format::Format;
use crate::{
    accounts::User,
    app::App,
    campaigns::Campaign,
    db::Id,
    web::{Error, Result},
};
use chrono::{DateTime, Duration, Utc};
use sqlx::PgConnection;
use std::path::PathBuf;

/// How long the file is kept (03 §5).
pub const KEPT: Duration = Duration::hours(24);

pub struct Export {
    pub id: Id<Export>,
    pub campaign: Id<Campaign>,
    pub author: Id<User>,
    pub format: Format,
    pub every_column: bool,
    /// Filters and order, as in the list's address.
    pub query: String,
    /// `waiting`, `running`, `ready`, `failed` or `cancelled`.
    pub state: String,
    pub total: u64,
    pub progress: u64,
    pub file_key: Option<String>,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

impl Export {
    /// That of its author only, as long as its file is kept.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn find(
        conn: &mut PgConnection,
        campaign: Id<Campaign>,
        id: Id<Self>,
        author: Id<User>,
        now: DateTime<Utc>,
    ) -> Result<Self> {
        Self::load(conn, id)
            .await?
            .filter(|e| e.campaign == campaign && e.author == author && e.expires_at > now)
            .ok_or(Error::NotFound)
    }

    pub async fn load(conn: &mut PgConnection, id: Id<Self>) -> Result<Option<Self>> {
        let row = sqlx::query!(
            r#"select campaign_id as "campaign: Id<Campaign>", author_id as "author: Id<User>", format, every_column, query,
                      state, total, progress, file_key, created_at, expires_at from exports where id = $1"#,
            id as _
        )
        .fetch_optional(conn)
        .await?;
        Ok(row.map(|row| Self {
            id,
            campaign: row.campaign,
            author: row.author,
            format: Format::from_code(&row.format).unwrap_or(Format::Xlsx),
            every_column: row.every_column,
            query: row.query,
            state: row.state,
            total: row.total.unsigned_abs(),
            progress: row.progress.unsigned_abs(),
            file_key: row.file_key,
            created_at: row.created_at,
            expires_at: row.expires_at,
        }))
    }

    pub fn is_working(&self) -> bool {
        matches!(self.state.as_str(), "waiting" | "running")
    }

    pub fn url(&self) -> String {
        format!("/campagnes/{}/exports/{}", self.campaign, self.id)
    }
}

/// Where a workbook is kept.
pub fn path(app: &App, key: &str) -> PathBuf {
    app.config.files_dir().join(key)
}

/// Files past their hour, and those that a crash left without an owner.
///
/// # Errors
/// The base or the disk.
pub async fn forget_old(app: &App, now: DateTime<Utc>) -> anyhow::Result<()> {
    sqlx::query!("delete from exports where expires_at < $1", now).execute(&app.db).await?;
    let mut entries = tokio::fs::read_dir(app.config.files_dir()).await?;
    while let Some(entry) = entries.next_entry().await? {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Ok(meta) = entry.metadata().await else { continue };
        let written: DateTime<Utc> = meta.modified()?.into();
        if !name.starts_with("export-") || now - written < Duration::hours(1) {
            continue;
        }
        let needed = sqlx::query_scalar!(
            r#"select exists (select 1 from exports where file_key = $1 or state = 'running') as "needed!""#,
            name
        )
        .fetch_one(&app.db)
        .await?;
        if !needed {
            let _ = tokio::fs::remove_file(entry.path()).await;
        }
    }
    Ok(())
}

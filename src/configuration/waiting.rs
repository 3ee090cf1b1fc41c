// SPDX-License-Identifier: EUPL-1.2
//! A checked archive between its preview and its confirmation: 24 hours, for whoever sent it.
use super::{archive::Metadata, content::Content};
use crate::{
    accounts::User,
    app::App,
    db::{Id, Tx},
    web::{Error, Result},
};
use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

/// What was read of the archive, valid.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Checked {
    pub metadata: Metadata,
    /// What the person must know: migrated, or rows left aside.
    pub remarks: Vec<String>,
    pub content: Content,
}

pub struct Waiting {
    pub id: Uuid,
    pub file_name: String,
    pub checked: Checked,
}

fn ago(now: DateTime<Utc>) -> DateTime<Utc> {
    now - Duration::hours(24)
}

impl Waiting {
    pub fn path(&self) -> String {
        format!("/administration/configuration/imports/{}", self.id)
    }

    pub async fn keep(tx: &mut Tx, file_name: &str, checked: &Checked) -> Result<Uuid> {
        let (id, author, now) = (Uuid::now_v7(), tx.user()?.id, tx.now());
        let content = serde_json::to_value(checked).map_err(anyhow::Error::from)?;
        sqlx::query!(
            "insert into configuration_imports (id, author_id, file_name, content, created_at) values ($1, $2, $3, $4, $5)",
            id,
            author as _,
            file_name,
            content,
            now
        )
        .execute(tx.conn())
        .await?;
        Ok(id)
    }

    /// # Errors
    /// `NotFound` when it expired, is done, or is somebody else's.
    pub async fn find(
        conn: &mut PgConnection,
        id: Uuid,
        author: Id<User>,
        now: DateTime<Utc>,
    ) -> Result<Self> {
        let row = sqlx::query!(
            "select file_name, content from configuration_imports where id = $1 and author_id = $2 and created_at > $3",
            id,
            author as _,
            ago(now)
        )
        .fetch_optional(conn)
        .await?
        .ok_or(Error::NotFound)?;
        let checked = serde_json::from_value(row.content).map_err(anyhow::Error::from)?;
        Ok(Self { id, file_name: row.file_name, checked })
    }

    /// Takes it for good: of two confirmations at once, one finds nothing left.
    pub async fn take(tx: &mut Tx, id: Uuid) -> Result<Self> {
        let (author, now) = (tx.user()?.id, tx.now());
        let waiting = Self::find(tx.conn(), id, author, now).await?;
        let taken = sqlx::query!("delete from configuration_imports where id = $1", id)
            .execute(tx.conn())
            .await?;
        if taken.rows_affected() == 0 { Err(Error::NotFound) } else { Ok(waiting) }
    }
}

/// Archives that nobody confirmed in 24 hours.
pub async fn forget_old(app: &App, now: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query!("delete from configuration_imports where created_at <= $1", ago(now))
        .execute(&app.db)
        .await?;
    Ok(())
}

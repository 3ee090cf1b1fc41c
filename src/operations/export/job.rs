// SPDX-License-Identifier: EUPL-1.2
//! Makes a workbook after the response; a killed worker leaves it to the next, from the start.
use super::{
    book::{self, Watch},
    model::{Export, path},
    plan::Plan,
};
use crate::{accounts, app::App, db::Id, jobs::Job, web::Form};
use anyhow::{Context, anyhow};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[derive(Serialize, Deserialize)]
pub struct Make {
    pub export: Id<Export>,
}

impl Job for Make {
    const KIND: &'static str = "export.make";

    async fn run(self, app: &App, now: DateTime<Utc>) -> anyhow::Result<()> {
        let begun = sqlx::query!(
            "update exports set state = 'running', progress = 0 where id = $1 and state in ('waiting', 'running') and expires_at > $2",
            self.export as _,
            now
        )
        .execute(&app.db)
        .await?;
        if begun.rows_affected() == 0 {
            return Ok(());
        }
        let key = format!("export-{}", Uuid::new_v4());
        let done = self.make(app, &key).await;
        if !matches!(done, Ok(true)) {
            let _ = tokio::fs::remove_file(path(app, &key)).await;
        }
        done.map(drop)
    }

    async fn given_up(self, app: &App) -> anyhow::Result<()> {
        sqlx::query!(
            "update exports set state = 'failed' where id = $1 and state = 'running'",
            self.export as _
        )
        .execute(&app.db)
        .await?;
        Ok(())
    }
}

impl Make {
    /// Whether the file is there and said to be.
    async fn make(&self, app: &App, key: &str) -> anyhow::Result<bool> {
        let plan = async {
            let mut conn = app.db.acquire().await?;
            let export = Export::load(&mut conn, self.export).await?.context("no such export")?;
            let author = accounts::find(&mut conn, export.author).await?;
            let author = author.context("the author's account is gone")?;
            let mut query = Form::parse(export.query.as_bytes());
            let (campaign, every) = (export.campaign, export.every_column);
            let plan = Plan::load(app, &mut conn, &author, campaign, &mut query, every).await?;
            Ok::<_, crate::web::Error>((plan, export.format))
        };
        let (plan, format) = plan.await.map_err(|err| anyhow!(err))?;
        let watch = Progress { app: app.clone(), export: self.export };
        let Some(rows) = book::write(app, &plan, format, path(app, key), watch).await? else {
            return Ok(false);
        };
        let ready = sqlx::query!(
            "update exports set state = 'ready', file_key = $2, progress = $3, finished_at = $4 where id = $1 and state = 'running'",
            self.export as _,
            key,
            i64::try_from(rows)?,
            crate::clock::now()
        )
        .execute(&app.db)
        .await?;
        Ok(ready.rows_affected() == 1)
    }
}

/// Written down for the page; a cancelled export stops here.
struct Progress {
    app: App,
    export: Id<Export>,
}

impl Watch for Progress {
    async fn at(&mut self, rows: u64) -> anyhow::Result<bool> {
        let going = sqlx::query!(
            "update exports set progress = $2 where id = $1 and state = 'running'",
            self.export as _,
            i64::try_from(rows)?
        )
        .execute(&self.app.db)
        .await?;
        Ok(going.rows_affected() == 1)
    }
}

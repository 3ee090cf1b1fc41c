// SPDX-License-Identifier: EUPL-1.2
//! The background work of an import: one job a stage; it survives a restart, since each stage
//! begins by forgetting what a killed run of itself had left.
use super::{Import, Stage, analyse, commit, model, undo, validate};
use crate::{
    app::App,
    db::{Id, Tx},
    jobs::Job,
    web::Result,
};
use anyhow::Context;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;

/// The step that an import waits for: its row says which.
#[derive(Serialize, Deserialize)]
pub struct Work {
    pub import: Id<Import>,
}

/// A refusal in French ends the import; anything else is tried again by the queue.
#[derive(Debug)]
pub enum Stop {
    Refused(String),
    Cancelled,
    Broken(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Stop {
    fn from(err: E) -> Self {
        Self::Broken(err.into())
    }
}

impl Job for Work {
    const KIND: &'static str = "import.work";

    async fn run(self, app: &App, now: DateTime<Utc>) -> anyhow::Result<()> {
        run_stage(app, self.import, now).await.map(drop)
    }
}

/// Runs the stage that waits; afterwards the import waits for a person again.
pub async fn run_stage(app: &App, id: Id<Import>, now: DateTime<Utc>) -> anyhow::Result<()> {
    let import = {
        let mut conn = app.db.acquire().await?;
        model::load(&mut conn, id).await.map_err(anyhow::Error::from)?
    };
    let Some(import) = import else { return Ok(()) };
    let outcome = match import.stage {
        Stage::Analyse => analyse::run(app, &import).await,
        Stage::Validate => validate::run(app, &import).await,
        Stage::Commit => commit::run(app, &import, now).await,
        Stage::Undo => undo::run(app, &import, now).await,
        Stage::Idle => return Ok(()),
    };
    match outcome {
        Ok(()) => {}
        Err(Stop::Refused(why)) => end(&app.db, id, "failed", Some(&why)).await?,
        Err(Stop::Cancelled) => {
            end(&app.db, id, "cancelled", None).await?;
            super::staging::drop_table(&app.db, id).await?;
        }
        Err(Stop::Broken(err)) => return Err(err).with_context(|| format!("import {id}, {:?}", import.stage)),
    }
    Ok(())
}

async fn end(db: &PgPool, id: Id<Import>, state: &str, error: Option<&str>) -> sqlx::Result<()> {
    sqlx::query!(
        "update imports set state = $2, stage = 'idle', error = $3, updated_at = now(), finished_at = now() where id = $1",
        id as _,
        state,
        error
    )
    .execute(db)
    .await
    .map(drop)
}

/// Notes how far the work is; `false` when somebody asked to stop.
pub async fn progress(db: &PgPool, id: Id<Import>, lines: i64) -> sqlx::Result<bool> {
    let cancelled = sqlx::query_scalar!(
        "update imports set progress = $2, updated_at = now() where id = $1 returning cancel_requested",
        id as _,
        lines
    )
    .fetch_one(db)
    .await?;
    Ok(!cancelled)
}

/// Puts the import on its next stage, in the transaction of the decision.
pub async fn next_stage(tx: &mut Tx, id: Id<Import>, stage: &'static str, state: &'static str) -> Result<()> {
    let now = tx.now();
    sqlx::query!(
        "update imports set stage = $2, state = $3, progress = 0, error = null, cancel_requested = false, updated_at = $4, version = version + 1
         where id = $1",
        id as _,
        stage,
        state,
        now
    )
    .execute(tx.conn())
    .await?;
    tx.enqueue(Work { import: id }).await?;
    Ok(())
}

// SPDX-License-Identifier: EUPL-1.2
//! The background work of an import: one job a stage; it survives a restart, since each stage
//! begins by forgetting what a killed run of itself had left.
use super::{Import, Stage, analyse, commit, model, undo, validate};
use crate::{
    accounts::User,
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
    /// Who decided this stage: the work is done in their name (RG-070, RG-116).
    #[serde(default)]
    pub by: Option<Id<User>>,
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
        let err = err.into();
        match err.downcast_ref::<sqlx::Error>().and_then(crate::db::sqlstate).as_deref() {
            Some("OT005") => Self::Refused("Campagne archivée : lecture seule.".into()),
            _ => Self::Broken(err),
        }
    }
}

impl Job for Work {
    const KIND: &'static str = "import.work";

    async fn run(self, app: &App, now: DateTime<Utc>) -> anyhow::Result<()> {
        run_stage(app, self.import, self.by, now).await
    }

    /// The queue gives up: the person is told, and may begin again.
    async fn given_up(self, app: &App) -> anyhow::Result<()> {
        let stage =
            sqlx::query_scalar!("select stage from imports where id = $1", self.import as _)
                .fetch_optional(&app.db)
                .await?;
        let Some(stage) = stage else { return Ok(()) };
        end(&app.db, self.import, Stage::from_code(&stage), "failed", Some("Le traitement a échoué plusieurs fois. Recommencez, ou prévenez votre administrateur.")).await?;
        Ok(())
    }
}

/// Runs the stage that waits; afterwards the import waits for a person again.
pub async fn run_stage(
    app: &App,
    id: Id<Import>,
    by: Option<Id<User>>,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let import = {
        let mut conn = app.db.acquire().await?;
        model::load(&mut conn, id).await.map_err(anyhow::Error::from)?
    };
    let Some(import) = import else { return Ok(()) };
    let outcome = match import.stage {
        Stage::Analyse => analyse::run(app, &import).await,
        Stage::Validate => validate::run(app, &import).await,
        Stage::Commit => commit::run(app, &import, by, now).await,
        Stage::Undo => undo::run(app, &import, by, now).await,
        Stage::Idle => return Ok(()),
    };
    match outcome {
        Ok(()) => {}
        Err(Stop::Refused(why)) => {
            end(&app.db, id, import.stage, "failed", Some(&why)).await?;
        }
        Err(Stop::Cancelled) => {
            if end(&app.db, id, import.stage, "cancelled", None).await? {
                super::staging::drop_table(&app.db, id).await?;
            }
        }
        Err(Stop::Broken(err)) => {
            return Err(err).with_context(|| format!("import {id}, {:?}", import.stage));
        }
    }
    Ok(())
}

/// Ends the stage that ran, if nobody ended it before. What is written stays « Terminé »: only the
/// undo that could not be done is said.
async fn end(
    db: &PgPool,
    id: Id<Import>,
    stage: Stage,
    state: &str,
    error: Option<&str>,
) -> sqlx::Result<bool> {
    let ended = sqlx::query!(
        "update imports set stage = 'idle', error = $4, updated_at = now(),
                state = case when state in ('done', 'undone') then state else $3 end,
                finished_at = case when state in ('done', 'undone') then finished_at else now() end
         where id = $1 and stage = $2",
        id as _,
        stage.code(),
        state,
        error
    )
    .execute(db)
    .await?;
    Ok(ended.rows_affected() == 1)
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
pub async fn next_stage(
    tx: &mut Tx,
    id: Id<Import>,
    stage: &'static str,
    state: &'static str,
) -> Result<()> {
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
    let by = tx.actor().user_id();
    tx.enqueue(Work { import: id, by }).await?;
    Ok(())
}

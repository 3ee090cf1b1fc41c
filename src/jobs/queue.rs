// SPDX-License-Identifier: EUPL-1.2
//! The queue: one row a job, taken with `for update skip locked`.
use crate::{app::App, db::Tx};
use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use futures::FutureExt;
use serde::{Serialize, de::DeserializeOwned};
use std::panic::AssertUnwindSafe;
use uuid::Uuid;

pub trait Job: Serialize + DeserializeOwned + Send {
    /// `noun.verb`.
    const KIND: &'static str;

    /// May run twice: write it so that twice is harmless.
    fn run(self, app: &App, now: DateTime<Utc>) -> impl Future<Output = anyhow::Result<()>> + Send;

    /// After the last attempt: tells whoever waits.
    fn given_up(self, _app: &App) -> impl Future<Output = anyhow::Result<()>> + Send {
        async { Ok(()) }
    }
}

/// A job that failed this many times stays in the table, for the administration to see.
const ATTEMPTS: i32 = 8;

impl Tx {
    /// Queued in the transaction of the change it follows.
    pub async fn enqueue<J: Job>(&mut self, job: J) -> anyhow::Result<()> {
        let payload = serde_json::to_value(&job).context("writing a job")?;
        let now = self.now();
        sqlx::query!(
            "insert into jobs (id, kind, payload, run_at) values ($1, $2, $3, $4)",
            Uuid::now_v7(),
            J::KIND,
            payload,
            now,
        )
        .execute(self.conn())
        .await?;
        Ok(())
    }
}

/// Takes one due job and runs it; `false` when nothing is due. The row stays locked while the
/// job uses a second connection: a killed worker gives it back.
pub async fn run_one(app: &App, now: DateTime<Utc>) -> anyhow::Result<bool> {
    let mut tx = app.jobs_db.begin().await?;
    // The lock is held while the job works elsewhere, however long.
    sqlx::query("set local idle_in_transaction_session_timeout = 0").execute(&mut *tx).await?;
    let Some(job) = sqlx::query!(
        "select id, kind, payload, attempts from jobs where run_at <= $1 and attempts < 8
         order by run_at for update skip locked limit 1",
        now,
    )
    .fetch_optional(&mut *tx)
    .await?
    else {
        return Ok(false);
    };
    // A panic is a failure like another: the loop that took the job goes on.
    let outcome = AssertUnwindSafe(dispatch(app, now, &job.kind, job.payload.clone(), false))
        .catch_unwind()
        .await;
    match outcome.unwrap_or_else(|_| Err(anyhow::anyhow!("the job panicked"))) {
        Ok(()) => {
            sqlx::query!("delete from jobs where id = $1", job.id).execute(&mut *tx).await?;
        }
        Err(err) => {
            tracing::warn!(job.kind, error = ?err, "job failed");
            if job.attempts + 1 >= ATTEMPTS {
                dispatch(app, now, &job.kind, job.payload, true).await?;
            }
            let wait = chrono::Duration::minutes(1 << job.attempts.min(10));
            sqlx::query!(
                "update jobs set attempts = attempts + 1, run_at = $2, last_error = $3 where id = $1",
                job.id,
                now + wait,
                format!("{err:#}"),
            )
            .execute(&mut *tx)
            .await?;
        }
    }
    tx.commit().await?;
    Ok(true)
}

/// Runs the job, or tells that it is given up.
async fn dispatch(
    app: &App,
    now: DateTime<Utc>,
    kind: &str,
    payload: serde_json::Value,
    given_up: bool,
) -> anyhow::Result<()> {
    async fn as_job<J: Job>(
        app: &App,
        now: DateTime<Utc>,
        payload: serde_json::Value,
        given_up: bool,
    ) -> anyhow::Result<()> {
        let job = serde_json::from_value::<J>(payload).context("reading a job")?;
        if given_up { job.given_up(app).await } else { job.run(app, now).await }
    }
    match kind {
        crate::imports::Work::KIND => {
            as_job::<crate::imports::Work>(app, now, payload, given_up).await
        }
        crate::accounts::PasswordForgotten::KIND => {
            as_job::<crate::accounts::PasswordForgotten>(app, now, payload, given_up).await
        }
        super::schedule::CampaignStatuses::KIND => {
            as_job::<super::schedule::CampaignStatuses>(app, now, payload, given_up).await
        }
        crate::operations::BulkWork::KIND => {
            as_job::<crate::operations::BulkWork>(app, now, payload, given_up).await
        }
        crate::operations::MakeExport::KIND => {
            as_job::<crate::operations::MakeExport>(app, now, payload, given_up).await
        }
        crate::campaigns::SortIndexes::KIND => {
            as_job::<crate::campaigns::SortIndexes>(app, now, payload, given_up).await
        }
        crate::campaigns::Reindex::KIND => {
            as_job::<crate::campaigns::Reindex>(app, now, payload, given_up).await
        }
        crate::audit::DailyCheckpoint::KIND => {
            as_job::<crate::audit::DailyCheckpoint>(app, now, payload, given_up).await
        }
        crate::documents::Retention::KIND => {
            as_job::<crate::documents::Retention>(app, now, payload, given_up).await
        }
        crate::audit::Verify::KIND => {
            as_job::<crate::audit::Verify>(app, now, payload, given_up).await
        }
        other => bail!("unknown job {other}"),
    }
}

// SPDX-License-Identifier: EUPL-1.2
//! The loops that run jobs, plan the calendar, send mail and clean up.
use super::{queue::run_one, schedule};
use crate::{app::App, clock, mail};
use chrono::{DateTime, Utc};
use std::time::Duration;

/// How many jobs run at once in this process.
const LOOPS: usize = 2;

/// Runs until the program stops; a job under way is finished first.
pub async fn run(app: App) {
    let loops = (0..LOOPS).map(|_| take_jobs(app.clone()));
    tokio::join!(
        futures::future::join_all(loops),
        every_second(app.clone()),
        crate::audit::seal_every_ten_seconds(app.clone())
    );
}

async fn take_jobs(app: App) {
    while !app.stopping.is_cancelled() {
        match run_one(&app, clock::now()).await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(err) => tracing::warn!(error = ?err, "queue unavailable"),
        }
        tokio::select! {
            () = app.stopping.cancelled() => break,
            () = app.work.notified() => {}
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
        }
    }
}

async fn every_second(app: App) {
    let mut beat = 0u64;
    while !app.stopping.is_cancelled() {
        let now = clock::now();
        if let Err(err) = mail::deliver_due(&app, now).await {
            tracing::warn!(error = ?err, "outbox unavailable");
        }
        if beat.is_multiple_of(30)
            && let Err(err) = housekeeping(&app, now).await
        {
            tracing::warn!(error = ?err, "housekeeping failed");
        }
        beat += 1;
        tokio::select! {
            () = app.stopping.cancelled() => break,
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
        }
    }
}

/// Every half minute: the calendar, the heartbeat, what has expired.
pub async fn housekeeping(app: &App, now: DateTime<Utc>) -> anyhow::Result<()> {
    schedule::plan(&app.db, now).await?;
    sqlx::query!(
        "insert into workers (id, seen_at) values ($1, $2) on conflict (id) do update set seen_at = $2",
        app.process,
        now
    )
    .execute(&app.db)
    .await?;
    sqlx::query!("delete from workers where seen_at < $1", now - chrono::Duration::hours(1))
        .execute(&app.db)
        .await?;
    sqlx::query!("delete from throttle_hits where at < $1", now - chrono::Duration::hours(2))
        .execute(&app.db)
        .await?;
    sqlx::query!("delete from sessions where expires_at < $1", now).execute(&app.db).await?;
    sqlx::query!("delete from remember_families where expires_at < $1", now)
        .execute(&app.db)
        .await?;
    sqlx::query!("delete from live_events where at < $1", now - chrono::Duration::hours(1))
        .execute(&app.db)
        .await?;
    crate::imports::forget_old_files(app, now).await?;
    crate::operations::forget_old_exports(app, now).await?;
    crate::operations::forget_old_bulks(app, now).await?;
    crate::configuration::forget_old_imports(app, now).await?;
    app.reload_settings().await?;
    Ok(())
}

// SPDX-License-Identifier: EUPL-1.2
//! Carries changes between processes: notifications out and in, and the table read every second.
use super::Topic;
use crate::app::App;
use sqlx::{PgPool, postgres::PgListener};
use std::{
    collections::{BTreeSet, HashSet},
    time::Duration,
};
use tokio::sync::mpsc;

const CHANNEL: &str = "opstracker_live";

/// Runs until the program stops.
pub async fn run(app: App, notices: mpsc::UnboundedReceiver<Topic>) {
    tokio::join!(notify_others(app.db.clone(), notices), hear_others(app.clone()), read_rows(app));
}

/// One `NOTIFY` per topic and burst, outside the business transactions.
async fn notify_others(db: PgPool, mut notices: mpsc::UnboundedReceiver<Topic>) {
    while let Some(first) = notices.recv().await {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let mut burst = HashSet::from([first]);
        while let Ok(next) = notices.try_recv() {
            burst.insert(next);
        }
        let texts: Vec<String> = burst.into_iter().map(Topic::encode).collect();
        let sent = sqlx::query("select pg_notify($1, topic) from unnest($2::text[]) topic").bind(CHANNEL).bind(texts).execute(&db).await;
        if let Err(err) = sent {
            tracing::warn!(%err, "live notification not sent; the others read it from the table");
        }
    }
}

async fn hear_others(app: App) {
    loop {
        let heard: sqlx::Result<()> = async {
            let mut listener = PgListener::connect_with(&app.db).await?;
            listener.listen(CHANNEL).await?;
            loop {
                if let Some(topic) = Topic::decode(listener.recv().await?.payload()) {
                    app.live.changed(topic);
                }
            }
        }
        .await;
        if let Err(err) = heard {
            tracing::debug!(%err, "live listener lost its connection");
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Sequence numbers may commit out of order: rows of the last minute are read again and
/// those already seen are left out.
async fn read_rows(app: App) {
    let mut seen: BTreeSet<i64> = BTreeSet::new();
    let mut first = true;
    loop {
        let known: Vec<i64> = seen.iter().copied().collect();
        let rows = sqlx::query!(
            "select seq, campaign_id, user_id from live_events
             where at > clock_timestamp() - interval '60 seconds' and seq <> all($1)",
            &known
        )
        .fetch_all(&app.db)
        .await;
        if let Ok(rows) = rows {
            for row in rows {
                seen.insert(row.seq);
                if let Some(topic) = Topic::from_columns(row.campaign_id, row.user_id).filter(|_| !first) {
                    app.live.changed(topic);
                }
            }
            first = false;
            while seen.len() > 5_000 {
                seen.pop_first();
            }
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

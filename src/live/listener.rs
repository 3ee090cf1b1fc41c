// SPDX-License-Identifier: EUPL-1.2
//! Carries changes between processes: notifications out and in, and the table read every second.
use super::{Topic, hub::Notice};
use crate::app::App;
use sqlx::postgres::PgListener;
use std::{collections::HashMap, time::Duration};
use tokio::sync::mpsc;

const CHANNEL: &str = "opstracker_live";
/// Time given to a burst before it is told in one go.
const BURST: Duration = Duration::from_millis(50);
/// Rows named in one notification: PostgreSQL refuses more than 8 000 bytes.
const NAMED: usize = 200;

/// Runs until the program stops.
pub async fn run(app: App, notices: mpsc::UnboundedReceiver<Notice>) {
    tokio::join!(notify_others(app.clone(), notices), hear_others(app.clone()), read_rows(app));
}

/// One `NOTIFY` per topic and burst, outside the business transactions.
async fn notify_others(app: App, mut notices: mpsc::UnboundedReceiver<Notice>) {
    while let Some((topic, row)) = notices.recv().await {
        tokio::time::sleep(BURST).await;
        let mut burst: HashMap<Topic, Vec<i64>> = HashMap::from([(topic, Vec::from_iter(row))]);
        while let Ok((topic, row)) = notices.try_recv() {
            burst.entry(topic).or_default().extend(row);
        }
        let texts: Vec<String> =
            burst.iter().map(|(topic, rows)| encode(*topic, app.live.tag(), rows)).collect();
        let sent = sqlx::query("select pg_notify($1, text) from unnest($2::text[]) text")
            .bind(CHANNEL)
            .bind(texts)
            .execute(&app.db)
            .await;
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
                let notice = listener.recv().await?;
                if let Some((topic, tag, rows)) = decode(notice.payload()) {
                    app.live.hear_from(tag, topic, &rows);
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

/// Sequence numbers may commit out of order: rows of the last minute are read again, and those
/// already heard of are left out.
async fn read_rows(app: App) {
    let mut first = true;
    loop {
        let known = app.live.heard();
        let rows = sqlx::query!(
            "select seq, campaign_id, user_id from live_events
             where at > clock_timestamp() - interval '60 seconds' and seq <> all($1)",
            &known
        )
        .fetch_all(&app.db)
        .await;
        for row in rows.iter().flatten() {
            match Topic::from_columns(row.campaign_id, row.user_id) {
                // What was there at the start changed before anybody looked.
                Some(topic) if !first => app.live.hear(topic, &[row.seq]),
                _ => drop(app.live.note(&[row.seq])),
            }
        }
        first &= rows.is_err();
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// `c<uuid> <hub> 12 13`
fn encode(topic: Topic, tag: &str, rows: &[i64]) -> String {
    let named = rows.iter().take(NAMED).map(|row| format!(" {row}"));
    [topic.encode(), format!(" {tag}")].into_iter().chain(named).collect()
}

fn decode(text: &str) -> Option<(Topic, &str, Vec<i64>)> {
    let mut words = text.split(' ');
    let (topic, tag) = (Topic::decode(words.next()?)?, words.next()?);
    Some((topic, tag, words.filter_map(|row| row.parse().ok()).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Id;

    #[test]
    fn notices_travel_as_text() {
        let topic = Topic::Campaign(Id::new());
        assert_eq!(decode(&encode(topic, "0a", &[3, 12])), Some((topic, "0a", vec![3, 12])));
        let many: Vec<i64> = (i64::MAX - 500..i64::MAX).collect();
        assert!(encode(topic, "01234567", &many).len() < 8_000);
    }
}

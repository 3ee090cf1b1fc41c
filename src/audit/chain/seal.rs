// SPDX-License-Identifier: EUPL-1.2
//! Seals entries once they are committed, by batches, one process at a time.
//!
//! Numbers of entries are given before their commit, so the chain has places of its own: an entry
//! that commits late takes the next place, whatever its number. What waits is a small table filled
//! by the insertion itself: finding it never reads the audit.
use super::{
    checkpoint::{Checkpoint, end_of_chain, sign},
    critical::is_critical,
    form::{CONTENT_COLUMNS, Content, seal_hash},
};
use crate::{app::App, clock};
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use std::time::Duration;

const BATCH: i64 = 2_000;
/// A checkpoint at least every so many entries (03 §12.2).
pub const BETWEEN_CHECKPOINTS: i64 = 10_000;
/// « OPSSEAL »: the lock of whoever writes to the chain.
const LOCK: i64 = 0x4F_50_53_53_45_41_4C;

/// Seals within ten seconds of the commit, until the program stops (RG-072 gives a minute).
pub async fn every_ten_seconds(app: App) {
    while !app.stopping.is_cancelled() {
        if let Err(err) = seal(&app, clock::now()).await {
            tracing::warn!(error = ?err, "audit not sealed");
        }
        tokio::select! {
            () = app.stopping.cancelled() => break,
            () = tokio::time::sleep(Duration::from_secs(10)) => {}
        }
    }
}

/// Seals whatever is committed; gives how many entries it sealed.
pub async fn seal(app: &App, now: DateTime<Utc>) -> anyhow::Result<u64> {
    let mut sealed = 0;
    while let Some(n) = batch(app, now).await? {
        sealed += n;
        if n == 0 || app.stopping.is_cancelled() {
            break;
        }
    }
    Ok(sealed)
}

/// Waits for whoever writes to the chain.
pub async fn lock(conn: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query("select pg_advisory_xact_lock($1)").bind(LOCK).execute(conn).await.map(drop)
}

/// One transaction; `None` when another process is at it.
async fn batch(app: &App, now: DateTime<Utc>) -> anyhow::Result<Option<u64>> {
    let mut tx = app.db.begin().await?;
    let ours: bool = sqlx::query_scalar("select pg_try_advisory_xact_lock($1)")
        .bind(LOCK)
        .fetch_one(&mut *tx)
        .await?;
    if !ours {
        return Ok(None);
    }
    let (sealed, checkpoint) = advance(&mut tx, app, now).await?;
    tx.commit().await?;
    if let Some(checkpoint) = checkpoint {
        checkpoint.announce(app);
    }
    Ok(Some(sealed))
}

/// Under the lock, seals a batch: how many entries, and the checkpoint that they called for, to be
/// announced once it is committed.
pub async fn advance(
    conn: &mut PgConnection,
    app: &App,
    now: DateTime<Utc>,
) -> sqlx::Result<(u64, Option<Checkpoint>)> {
    let (mut position, mut hash) = end_of_chain(&mut *conn).await?;
    let signed: i64 =
        sqlx::query_scalar("select coalesce(max(position), 0) from audit_checkpoints")
            .fetch_one(&mut *conn)
            .await?;
    let room = (signed + BETWEEN_CHECKPOINTS - position).clamp(1, BATCH);
    // An entry that vanished while it waited stays in the queue: the verification names it.
    let waiting = waiting(&mut *conn, room).await?;
    if waiting.is_empty() {
        return Ok((0, None));
    }
    let mut seals = Seals::default();
    let critical = waiting.iter().any(|entry| is_critical(&entry.action));
    for entry in &waiting {
        let digest = entry.digest();
        position += 1;
        let next = seal_hash(position, &hash, entry.seq, &digest).to_vec();
        seals.positions.push(position);
        seals.entries.push(entry.seq);
        seals.digests.push(digest.to_vec());
        seals.hashes.push(next.clone());
        seals.previous.push(std::mem::replace(&mut hash, next));
    }
    seals.write(&mut *conn).await?;
    let full = position - signed >= BETWEEN_CHECKPOINTS;
    let cause = if critical { "critical" } else { "volume" };
    let checkpoint = match critical || full {
        true => Some(sign(conn, app, (position, &hash), cause, now).await?),
        false => None,
    };
    Ok((waiting.len() as u64, checkpoint))
}

/// The oldest entries without a seal.
async fn waiting(conn: &mut PgConnection, limit: i64) -> sqlx::Result<Vec<Content>> {
    sqlx::QueryBuilder::new("select ")
        .push(CONTENT_COLUMNS)
        .push(" from audit_unsealed w join audit_entries e on e.seq = w.seq order by w.seq limit ")
        .push_bind(limit)
        .build_query_as()
        .fetch_all(conn)
        .await
}

/// Columns, for one insertion.
#[derive(Default)]
struct Seals {
    positions: Vec<i64>,
    entries: Vec<i64>,
    digests: Vec<Vec<u8>>,
    previous: Vec<Vec<u8>>,
    hashes: Vec<Vec<u8>>,
}

impl Seals {
    async fn write(&self, conn: &mut PgConnection) -> sqlx::Result<()> {
        sqlx::query!(
            "insert into audit_seals (position, entry, digest, previous, hash)
             select * from unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::bytea[], $5::bytea[])",
            &self.positions,
            &self.entries,
            &self.digests,
            &self.previous,
            &self.hashes
        )
        .execute(&mut *conn)
        .await?;
        sqlx::query!("delete from audit_unsealed where seq = any($1)", &self.entries)
            .execute(conn)
            .await
            .map(drop)
    }
}

// SPDX-License-Identifier: EUPL-1.2
//! A checkpoint: « so many entries, this last hash, at this instant », signed. It is also written to
//! a file of the data directory and to the program's log, out of reach of who can write the base.
use super::{
    form::{GENESIS, checkpoint_text, hex, instant},
    ledger,
    seal::{advance, lock},
};
use crate::{app::App, jobs::Job};
use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Checkpoint {
    pub position: i64,
    pub hash: Vec<u8>,
    pub at: DateTime<Utc>,
    pub public_key: Vec<u8>,
    pub signature: Vec<u8>,
}

impl Checkpoint {
    pub fn text(&self) -> String {
        checkpoint_text(self.position, &self.hash, self.at)
    }

    /// Whether it says already what another would say of this place, not long ago.
    fn covers(&self, (position, hash): (i64, &[u8]), now: DateTime<Utc>) -> bool {
        self.position == position && self.hash == hash && now - self.at < Duration::hours(1)
    }

    /// Told outside the base once it is committed.
    pub fn announce(&self, app: &App) {
        if let Err(err) = ledger::append(&app.config.data_dir, self) {
            tracing::error!(error = ?err, "audit checkpoint not written to its file");
        }
        tracing::info!(
            target: "audit",
            entries = self.position,
            hash = hex(&self.hash),
            at = instant(self.at),
            public_key = hex(&self.public_key),
            signature = hex(&self.signature),
            "audit checkpoint"
        );
    }
}

/// Signs the chain as it stands at `position`; under the sealer's lock.
pub async fn sign(
    conn: &mut PgConnection,
    app: &App,
    (position, hash): (i64, &[u8]),
    cause: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<Checkpoint> {
    let key = &app.audit_key;
    let checkpoint = Checkpoint {
        position,
        hash: hash.to_vec(),
        at: now,
        public_key: key.public().to_vec(),
        signature: key.sign(&checkpoint_text(position, hash, now)),
    };
    sqlx::query!(
        "insert into audit_checkpoints (position, hash, at, cause, public_key, signature) values ($1, $2, $3, $4, $5, $6)",
        checkpoint.position,
        checkpoint.hash,
        checkpoint.at,
        cause,
        checkpoint.public_key,
        checkpoint.signature
    )
    .execute(conn)
    .await?;
    Ok(checkpoint)
}

/// Seals what waits, then signs: every day, and before an export. Whoever is sealing is waited for:
/// what was committed before the call is covered after it.
pub async fn on_demand(app: &App, cause: &str, now: DateTime<Utc>) -> anyhow::Result<()> {
    let mut tx = app.db.begin().await?;
    lock(&mut tx).await?;
    let mut signed = Vec::new();
    loop {
        let (sealed, checkpoint) = advance(&mut tx, app, now).await?;
        signed.extend(checkpoint);
        if sealed == 0 {
            break;
        }
    }
    let (position, hash) = end_of_chain(&mut tx).await?;
    let end = (position, hash.as_slice());
    if last(&mut tx).await?.is_none_or(|last| !last.covers(end, now)) {
        signed.push(sign(&mut tx, app, end, cause, now).await?);
    }
    tx.commit().await?;
    signed.iter().for_each(|checkpoint| checkpoint.announce(app));
    Ok(())
}

pub async fn end_of_chain(conn: &mut PgConnection) -> sqlx::Result<(i64, Vec<u8>)> {
    let last =
        sqlx::query!("select position, hash from audit_seals order by position desc limit 1")
            .fetch_optional(conn)
            .await?;
    Ok(last.map_or((0, GENESIS.to_vec()), |row| (row.position, row.hash)))
}

pub async fn last(conn: &mut PgConnection) -> sqlx::Result<Option<Checkpoint>> {
    sqlx::query_as!(
        Checkpoint,
        "select position, hash, at, public_key, signature from audit_checkpoints order by position desc, id desc limit 1"
    )
    .fetch_optional(conn)
    .await
}

/// 00:10: the chain is signed, whatever happened in the day (03 §10.3).
#[derive(Serialize, Deserialize)]
pub struct DailyCheckpoint {}

impl Job for DailyCheckpoint {
    const KIND: &'static str = "audit.checkpoint";

    async fn run(self, app: &App, now: DateTime<Utc>) -> anyhow::Result<()> {
        on_demand(app, "daily", now).await
    }
}

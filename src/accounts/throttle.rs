// SPDX-License-Identifier: EUPL-1.2
//! Sliding windows in the base, shared by all processes (RG-006). Keys are hashed: no address is stored.
use super::{User, tokens};
use crate::{
    app::App,
    audit::Entry,
    db::{Id, Tx},
    web::{Result, auth::Visitor},
};
use chrono::{DateTime, Duration, Utc};
use serde_json::json;
use sqlx::{PgConnection, PgPool};
use std::net::IpAddr;

/// A wrong password five times in this long locks the address for as long.
const WINDOW: Duration = Duration::minutes(15);
const FAILURES: i64 = 5;

/// What was tried for an address. Each has its own count: a right password forgives no wrong code,
/// and nothing that is typed as an address reaches the count of another.
#[derive(Clone, Copy, Debug)]
pub enum Tried<'a> {
    Password(&'a str),
    Code(&'a str),
}

impl Tried<'_> {
    fn bucket(self) -> String {
        match self {
            Self::Password(email) => bucket("account", email),
            Self::Code(email) => bucket("code", email),
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
pub enum Gate {
    Open,
    Locked,
    /// Seconds before this address on the network may try again.
    TooMany(u64),
}

/// Reserves a sign-in attempt: it counts as a failure until [`forgive`] says otherwise, so that
/// many attempts at once cannot pass the limit together.
pub async fn attempt(
    db: &PgPool,
    tried: Tried<'_>,
    ip: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<Gate> {
    let mut tx = db.begin().await?;
    let minute = bucket("sign-in", &network(ip));
    let failures = bucket("sign-in-failure", &network(ip));
    for (bucket, limit, window) in [(&minute, 100, Duration::minutes(1)), (&failures, 50, WINDOW)] {
        if let Some(wait) = wait(&mut tx, bucket, limit, window, now).await? {
            return Ok(Gate::TooMany(wait));
        }
    }
    let account = tried.bucket();
    hold(&mut tx, &account).await?;
    hit(&mut tx, &minute, now).await?;
    let gate = if is_locked(&mut tx, tried, now).await? {
        Gate::Locked
    } else {
        hit(&mut tx, &account, now).await?;
        hit(&mut tx, &failures, now).await?;
        Gate::Open
    };
    tx.commit().await?;
    Ok(gate)
}

/// A successful sign-in: the count falls to zero, and this attempt was no failure of its network.
pub async fn forgive(
    conn: &mut PgConnection,
    tried: Tried<'_>,
    ip: &str,
    at: DateTime<Utc>,
) -> sqlx::Result<()> {
    lift(&mut *conn, tried).await?;
    sqlx::query!(
        "delete from throttle_hits where ctid = (select ctid from throttle_hits where bucket = $1 and at = $2 limit 1)",
        bucket("sign-in-failure", &network(ip)),
        at
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets the failures of an address.
pub async fn lift(conn: &mut PgConnection, tried: Tried<'_>) -> sqlx::Result<()> {
    sqlx::query!("delete from throttle_hits where bucket = $1", tried.bucket())
        .execute(conn)
        .await?;
    Ok(())
}

/// Five failures within the window, the last of them less than the window ago. Attempts made
/// while locked are not counted, so the lock ends fifteen minutes after the fifth.
pub async fn is_locked(
    conn: &mut PgConnection,
    tried: Tried<'_>,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let last: Vec<DateTime<Utc>> = sqlx::query_scalar!(
        "select at from throttle_hits where bucket = $1 order by at desc limit $2",
        tried.bucket(),
        FAILURES
    )
    .fetch_all(conn)
    .await?;
    Ok(match (last.first(), last.get(FAILURES as usize - 1)) {
        (Some(newest), Some(fifth)) => *newest - *fifth < WINDOW && now < *newest + WINDOW,
        _ => false,
    })
}

/// Traces a failure in a transaction of its own, with the lock that it may bring (RG-070).
///
/// # Errors
/// The base fails.
pub async fn trace(
    app: &App,
    visitor: &Visitor,
    tried: Tried<'_>,
    user: Option<Id<User>>,
    action: &'static str,
    why: &str,
) -> Result<()> {
    let mut tx = Tx::begin_for(app, visitor).await?;
    let entry = |action| match user {
        Some(user) => Entry::on(action, "user", user.uuid()),
        // What was typed may be a password in the wrong box: it is not kept.
        None => Entry::about(action, "user"),
    };
    tx.record(entry(action).changes(json!({ "why": why }))).await?;
    if is_locked(tx.conn(), tried, visitor.now).await? {
        tx.record(entry("account.locked")).await?;
    }
    tx.commit().await
}

/// Counts one request of this kind; `Some(seconds to wait)` when it is one too many.
pub async fn count(
    conn: &mut PgConnection,
    kind: &str,
    key: &str,
    limit: i64,
    window: Duration,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<u64>> {
    let bucket = bucket(kind, key);
    hold(&mut *conn, &bucket).await?;
    if let Some(wait) = wait(&mut *conn, &bucket, limit, window, now).await? {
        return Ok(Some(wait));
    }
    hit(conn, &bucket, now).await?;
    Ok(None)
}

/// An IPv6 subscriber holds a whole /64.
pub fn network(ip: &str) -> String {
    match ip.parse::<IpAddr>() {
        Ok(IpAddr::V6(v6)) => {
            let [a, b, c, d, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}")
        }
        _ => ip.to_owned(),
    }
}

fn bucket(kind: &str, key: &str) -> String {
    let digest = tokens::hash(key);
    let hex: String = digest.iter().map(|b| format!("{b:02x}")).collect();
    format!("{kind}:{hex}")
}

/// Two requests of one key wait for each other.
async fn hold(conn: &mut PgConnection, bucket: &str) -> sqlx::Result<()> {
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended($1, 0))", bucket)
        .fetch_one(conn)
        .await?;
    Ok(())
}

async fn hit(conn: &mut PgConnection, bucket: &str, now: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query!("insert into throttle_hits (bucket, at) values ($1, $2)", bucket, now)
        .execute(conn)
        .await?;
    Ok(())
}

async fn wait(
    conn: &mut PgConnection,
    bucket: &str,
    limit: i64,
    window: Duration,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<u64>> {
    // The hit that must leave the window before another is allowed.
    let oldest = sqlx::query_scalar!(
        "select at from throttle_hits where bucket = $1 and at > $2 order by at desc offset $3 limit 1",
        bucket,
        now - window,
        limit - 1
    )
    .fetch_optional(conn)
    .await?;
    Ok(oldest.map(|at| u64::try_from((at + window - now).num_seconds()).unwrap_or(0).max(1)))
}

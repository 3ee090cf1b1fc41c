// SPDX-License-Identifier: EUPL-1.2
//! Owns the cluster of a directory and writes until it is stopped or killed. Each line `ack N` of
//! its output is a row whose commit PostgreSQL acknowledged.

use std::{
    io::Write,
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use private_postgres::{Settings, own};
use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};

static NEXT: AtomicI64 = AtomicI64::new(0);

pub async fn hold(directory: &str) -> anyhow::Result<()> {
    let cluster = own(&Settings::new(directory)).await?;
    let mut connection = PgConnection::connect_with(&cluster.options()).await?;
    sqlx::query("create table if not exists kept (n bigint primary key)")
        .execute(&mut connection)
        .await?;
    let last: Option<i64> =
        sqlx::query_scalar("select max(n) from kept").fetch_one(&mut connection).await?;
    NEXT.store(last.unwrap_or(0) + 1, Ordering::SeqCst);
    connection.close().await?;
    say(&format!("ready {}", NEXT.load(Ordering::SeqCst)));
    for _ in 0..4 {
        tokio::spawn(write_for_ever(cluster.options()));
    }
    tokio::select! {
        reason = cluster.exited() => say(&format!("exited {reason}")),
        _ = tokio::signal::ctrl_c() => cluster.stop().await,
    }
    Ok(())
}

/// Reconnects as a pool would.
async fn write_for_ever(options: PgConnectOptions) {
    loop {
        if let Ok(mut connection) = PgConnection::connect_with(&options).await {
            while write(&mut connection).await.is_ok() {}
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn write(connection: &mut PgConnection) -> sqlx::Result<()> {
    let n = NEXT.fetch_add(1, Ordering::SeqCst);
    sqlx::query("insert into kept values ($1)").bind(n).execute(connection).await?;
    say(&format!("ack {n}"));
    Ok(())
}

/// One write per line, so that a kill leaves at most one unfinished line.
fn say(line: &str) {
    let _ = std::io::stdout().lock().write_all(format!("{line}\n").as_bytes());
}

// SPDX-License-Identifier: EUPL-1.2
//! The running cluster, as its owner sees it.

use std::{fs::File, time::Duration};

use anyhow::{Context, Result, bail};
use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};
use tokio::time::{Instant, sleep};

use crate::{
    NAME, Settings,
    binaries::Binaries,
    directory::Directory,
    supervisor::{Server, Supervisor},
};

/// Replaying the log after a crash takes a while on a slow disk.
const STARTING: Duration = Duration::from_secs(300);

/// A PostgreSQL that runs as long as this value, and restarts by itself if it dies alone.
/// Dropping it asks PostgreSQL to stop without waiting; prefer [`Cluster::stop`].
pub struct Cluster {
    options: PgConnectOptions,
    supervisor: Supervisor,
}

impl Cluster {
    pub(crate) async fn start(
        settings: &Settings,
        directory: Directory,
        lock: File,
    ) -> Result<Self> {
        let data = directory.data();
        let binaries =
            Binaries::find(settings.binaries.as_deref(), directory.data_major()?, &data)?;
        let place = Directory { base: directory.base.clone(), account: directory.account };
        let server = Server {
            directory,
            binaries,
            durability: settings.durability,
            max_connections: settings.max_connections,
        };
        let supervisor = Supervisor::start(server, lock)?;
        let (options, mut connection) = first_connection(&place, &supervisor).await?;
        let exists = sqlx::query("select from pg_database where datname = $1").bind(NAME);
        if exists.fetch_optional(&mut connection).await?.is_none() {
            sqlx::query("create database opstracker").execute(&mut connection).await?;
        }
        connection.close().await?;
        supervisor.mark_answered();
        Ok(Self { options, supervisor })
    }

    /// How to connect to the database [`NAME`], as its superuser.
    pub fn options(&self) -> PgConnectOptions {
        self.options.clone()
    }

    /// Resolves when PostgreSQL has ended for good, with the reason, in French. It borrows
    /// nothing, so that one task may wait for it while another stops the cluster.
    pub fn exited(&self) -> impl Future<Output = String> + Send + use<> {
        self.supervisor.ended()
    }

    /// Close the pools first. Fast shutdown, then immediate: the next start then replays the log.
    pub async fn stop(self) {
        self.supervisor.stop().await;
    }
}

async fn first_connection(
    directory: &Directory,
    supervisor: &Supervisor,
) -> Result<(PgConnectOptions, PgConnection)> {
    let deadline = Instant::now() + STARTING;
    let mut news = Instant::now() + Duration::from_secs(10);
    loop {
        if let Some(reason) = supervisor.end() {
            bail!(reason);
        }
        // Not before: the socket could be that of a PostgreSQL about to be ended.
        if supervisor.has_spawned()
            && let Some(options) = directory.options()?
        {
            match PgConnection::connect_with(&options.clone().database("postgres")).await {
                Ok(connection) => return Ok((options, connection)),
                Err(error) if is_refusal(&error) || Instant::now() > deadline => {
                    return Err(error).with_context(|| {
                        format!("La base de {} refuse la connexion", directory.base.display())
                    });
                }
                Err(_) => (),
            }
        }
        if Instant::now() > news {
            tracing::info!("PostgreSQL démarre ; après un arrêt brutal, il relit son journal…");
            news += Duration::from_secs(10);
        }
        sleep(Duration::from_millis(20)).await;
    }
}

/// The password file is not the one of these data.
fn is_refusal(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.as_deref() == Some("28P01")
}

// SPDX-License-Identifier: EUPL-1.2
//! A PostgreSQL cluster that belongs to one program: created in its data directory from the
//! binaries of the machine, reached by a Unix socket only, stopped with the program.
//!
//! What never happens here: a network socket, a download, a second `initdb` over existing data,
//! data lost because the program or PostgreSQL was killed (`fsync` is on unless a test asks
//! otherwise), a query of the application.
//!
//! In the data directory: `pg` (the cluster), `pg.password`, `run` (the socket), `lock` (held by
//! the owner for as long as its PostgreSQL runs).
//!
//! When PostgreSQL alone dies, [`Cluster`] starts it again by itself, at most five times a minute:
//! a pool only sees its connections break and reconnects. Past that, [`Cluster::exited`] resolves.
//! When the program dies, even by `kill -9`, PostgreSQL gets SIGINT from the kernel and stops; the
//! next start ends whatever is left before it begins.
//!
//! There is no `unsafe` code: the parent-death signal is set by `setpriv` (util-linux, present on
//! every Debian and Ubuntu) rather than by a hook between `fork` and `exec`. Where `setpriv` is
//! missing, PostgreSQL outlives a killed program until the next start, which ends it.
#![forbid(unsafe_code)]

mod account;
mod binaries;
mod cluster;
mod directory;
mod initdb;
mod leftovers;
mod server_log;
mod supervisor;

use std::{path::PathBuf, time::Duration};

use anyhow::{Result, bail};
use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};
use tokio::time::{Instant, sleep};

pub use cluster::Cluster;
use directory::{Directory, Lock};

/// The oldest major version of PostgreSQL that is accepted.
pub const MINIMUM_MAJOR: u32 = 15;

/// The role and the database that the program finds in its cluster.
pub const NAME: &str = "opstracker";

/// A killed process may take a moment to let go of its lock.
const OWNING: Duration = Duration::from_secs(5);
/// The owner may be starting, or replaying the log after a crash.
const JOINING: Duration = Duration::from_secs(60);

#[derive(Clone, Debug)]
pub struct Settings {
    pub data_dir: PathBuf,
    pub durability: Durability,
    pub max_connections: u16,
    /// Directory of `postgres` and `initdb`; when set, nothing else is tried.
    pub binaries: Option<PathBuf>,
    /// The account that runs PostgreSQL when the program runs as root.
    pub account: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    #[default]
    Safe,
    /// For tests: nothing is flushed, a power cut loses everything.
    Fast,
}

impl Settings {
    /// Safe defaults, with `OPSTRACKER_PG_BIN` and `OPSTRACKER_PG_USER` from the environment.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        Self {
            data_dir: data_dir.into(),
            durability: Durability::Safe,
            max_connections: 60,
            binaries: variable("OPSTRACKER_PG_BIN").map(PathBuf::from),
            account: variable("OPSTRACKER_PG_USER"),
        }
    }
}

/// How a command reached its database.
pub enum Access {
    /// This process runs the cluster: [`Access::stop`] it after closing the pools.
    Owned(Cluster),
    /// Another process runs it.
    Joined(PgConnectOptions),
}

impl Access {
    pub fn options(&self) -> PgConnectOptions {
        match self {
            Self::Owned(cluster) => cluster.options(),
            Self::Joined(options) => options.clone(),
        }
    }

    pub async fn stop(self) {
        if let Self::Owned(cluster) = self {
            cluster.stop().await;
        }
    }
}

/// Starts the cluster, creating it if need be. Refused when another process owns it.
pub async fn own(settings: &Settings) -> Result<Cluster> {
    let directory = Directory::open(settings)?;
    let deadline = Instant::now() + OWNING;
    loop {
        match directory.lock()? {
            Lock::Taken(lock) => return Cluster::start(settings, directory, lock).await,
            Lock::HeldBy(owner) if Instant::now() > deadline => bail!(
                "Le répertoire {} est déjà utilisé par un autre programme OpsTracker{owner}. \
                 Arrêtez-le ou attendez qu'il se termine, ou choisissez un autre répertoire \
                 (OPSTRACKER_DATA_DIR).",
                directory.base.display()
            ),
            Lock::HeldBy(_) => sleep(Duration::from_millis(100)).await,
        }
    }
}

/// Joins the cluster of a running program by its socket, or owns it.
pub async fn join_or_own(settings: &Settings) -> Result<Access> {
    let directory = Directory::open(settings)?;
    let deadline = Instant::now() + JOINING;
    loop {
        let owner = match directory.lock()? {
            Lock::Taken(lock) => {
                let cluster = Cluster::start(settings, directory, lock).await?;
                return Ok(Access::Owned(cluster));
            }
            Lock::HeldBy(owner) => owner,
        };
        if let Some(options) = directory.options()?
            && let Ok(connection) = PgConnection::connect_with(&options).await
        {
            connection.close().await?;
            return Ok(Access::Joined(options));
        }
        if Instant::now() > deadline {
            bail!(
                "Le programme OpsTracker{owner} utilise le répertoire {}, mais sa base de données \
                 ne répond pas. Regardez ses messages, puis redémarrez-le.",
                directory.base.display()
            );
        }
        sleep(Duration::from_millis(100)).await;
    }
}

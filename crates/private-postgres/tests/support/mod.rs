// SPDX-License-Identifier: EUPL-1.2
//! A directory that goes away with the test, and what is seen of its PostgreSQL from outside.

pub mod hold;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use private_postgres::{Cluster, Settings};
use rustix::process::{Pid, Signal, kill_process};
use sqlx::{Connection, PgConnection};

static COUNT: AtomicU32 = AtomicU32::new(0);

pub struct TestDir(pub PathBuf);

impl TestDir {
    pub fn new() -> Self {
        let number = COUNT.fetch_add(1, Ordering::SeqCst);
        let name = format!("private-postgres-{}-{number}", std::process::id());
        Self(std::env::temp_dir().canonicalize().unwrap().join(name))
    }

    pub fn settings(&self) -> Settings {
        Settings::new(&self.0)
    }

    pub fn data(&self) -> PathBuf {
        self.0.join("pg")
    }

    /// Every process of the cluster, known by its current directory.
    pub fn processes(&self) -> Vec<Pid> {
        let here = |path: &Path| fs::read_link(path.join("cwd")).is_ok_and(|d| d == self.data());
        let entries = fs::read_dir("/proc").unwrap().flatten().filter(|entry| here(&entry.path()));
        entries
            .filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?))
            .collect()
    }

    pub fn postmaster(&self) -> Option<Pid> {
        let text = fs::read_to_string(self.data().join("postmaster.pid")).ok()?;
        Pid::from_raw(text.lines().next()?.parse().ok()?)
    }

    pub fn kill_postmaster(&self) {
        kill_process(self.postmaster().expect("a postmaster"), Signal::KILL).unwrap();
    }
}

impl Drop for TestDir {
    fn drop(&mut self) {
        for pid in self.processes() {
            let _ = kill_process(pid, Signal::KILL);
        }
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub async fn connect(cluster: &Cluster) -> PgConnection {
    PgConnection::connect_with(&cluster.options()).await.unwrap()
}

// SPDX-License-Identifier: EUPL-1.2
//! The data directory: what lies where, who may use it, and its lock.

use std::{
    env,
    fs::{self, DirBuilder, File},
    io::{self, Read, Seek, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, symlink},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use rustix::fs::{FlockOperation, flock};
use sqlx::postgres::{PgConnectOptions, PgSslMode};

use crate::{NAME, Settings, account::Account};

/// A socket's path holds 103 bytes on macOS and 107 on Linux, `/.s.PGSQL.5432` included.
const LONGEST_SOCKET_DIR: usize = 88;

pub struct Directory {
    pub base: PathBuf,
    pub account: Account,
}

pub enum Lock {
    Taken(File),
    /// Words to add to a message: ` (processus 123)`, or nothing.
    HeldBy(String),
}

impl Directory {
    /// Creates the directory if need be, and refuses one that PostgreSQL could not use.
    pub fn open(settings: &Settings) -> Result<Self> {
        let path = &settings.data_dir;
        let what = || format!("Impossible d'utiliser le répertoire de données {}", path.display());
        if !path.exists() {
            // Our own account only; as root, PostgreSQL's account passes through, and reads nothing.
            let mode = if rustix::process::geteuid().is_root() { 0o711 } else { 0o700 };
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent).with_context(what)?;
            }
            match DirBuilder::new().mode(mode).create(path) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(error).with_context(what);
                }
                _ => (),
            }
        }
        let base = path.canonicalize().with_context(what)?;
        let account = Account::choose(settings.account.as_deref(), &base.join("pg"))?;
        if let Some(barrier) = account.barrier(&base) {
            bail!(
                "Le programme est lancé par root, PostgreSQL par un autre compte, qui ne peut pas \
                 entrer dans {}. Choisissez un autre répertoire de données, par exemple \
                 OPSTRACKER_DATA_DIR=/var/lib/opstracker, ou ouvrez celui-ci (chmod o+x).",
                barrier.display()
            );
        }
        Ok(Self { base, account })
    }

    pub fn data(&self) -> PathBuf {
        self.base.join("pg")
    }

    pub fn password_file(&self) -> PathBuf {
        self.base.join("pg.password")
    }

    /// The major version of the data, when there are any.
    pub fn data_major(&self) -> Result<Option<u32>> {
        let file = self.data().join("PG_VERSION");
        match fs::read_to_string(&file) {
            Ok(text) => {
                let what = || format!("{} ne contient pas de numéro de version", file.display());
                Ok(Some(text.trim().parse().with_context(what)?))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && !self.data().exists() => {
                Ok(None)
            }
            Err(error) => Err(error).with_context(|| {
                format!("{} n'est pas une base PostgreSQL lisible", self.data().display())
            }),
        }
    }

    /// Tries to take the lock, without waiting.
    pub fn lock(&self) -> Result<Lock> {
        let path = self.base.join("lock");
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut file = options.open(&path).with_context(|| {
            format!("Impossible d'ouvrir {} : ce répertoire est-il à ce compte ?", path.display())
        })?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {
                file.set_len(0)?;
                write!(file, "{}", std::process::id())?;
                Ok(Lock::Taken(file))
            }
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(Lock::HeldBy(written_owner(&mut file))),
            Err(error) => Err(error).with_context(|| format!("flock {}", path.display())),
        }
    }

    /// How to connect, once a cluster was created here; `None` before.
    pub fn options(&self) -> Result<Option<PgConnectOptions>> {
        let file = self.password_file();
        let password = match fs::read_to_string(&file) {
            Ok(password) => password,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(error).with_context(|| format!("Lecture de {}", file.display()));
            }
        };
        // `run` may be a link to a shorter path: see `create_socket_dir`.
        let Ok(socket) = self.base.join("run").canonicalize() else { return Ok(None) };
        let options = PgConnectOptions::new_without_pgpass()
            .socket(socket)
            .port(5432)
            .username(NAME)
            .password(&password)
            .database(NAME)
            .ssl_mode(PgSslMode::Disable);
        Ok(Some(options))
    }

    /// A fresh directory for the socket: the lock file of a killed PostgreSQL names a process,
    /// which may be a zombie or somebody else's by now, and would stop the next one.
    pub fn create_socket_dir(&self) -> Result<PathBuf> {
        let run = self.base.join("run");
        remove(&run);
        if run.as_os_str().len() <= LONGEST_SOCKET_DIR {
            self.account.create_dir(&run)?;
            return Ok(run);
        }
        let name = format!("opstracker-{:x}", self.base.metadata()?.ino());
        let short = env::temp_dir().canonicalize()?.join(name);
        remove(&short);
        self.account.create_dir(&short)?;
        symlink(&short, &run)?;
        Ok(short)
    }
}

fn written_owner(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.read_to_string(&mut text));
    match read.ok().and_then(|_| text.trim().parse::<u32>().ok()) {
        Some(pid) => format!(" (processus {pid})"),
        None => String::new(),
    }
}

/// Removes a directory and its content, or a link; never what a link points to.
pub fn remove(path: &Path) {
    if path.is_symlink() {
        let _ = fs::remove_file(path);
    } else {
        let _ = fs::remove_dir_all(path);
    }
}

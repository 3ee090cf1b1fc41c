// SPDX-License-Identifier: EUPL-1.2
//! One thread that starts PostgreSQL, waits for its end, and starts it again if it died by itself.
//!
//! A thread rather than a task: the parent-death signal follows the thread that starts the
//! program, so this one lasts exactly as long as PostgreSQL does.

use std::{
    collections::VecDeque,
    fs::File,
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use tokio::{sync::watch, time::timeout};

use crate::{
    Durability, binaries::Binaries, directory::Directory, initdb, leftovers, server_log::ServerLog,
};

/// PostgreSQL may die this many times in [`WINDOW`] before we give up.
const RESTARTS: usize = 5;
const WINDOW: Duration = Duration::from_secs(60);

/// Settings that nothing in the data directory can change, since the command line wins.
const SERVER: [&str; 14] = [
    "listen_addresses=", // the socket only
    "unix_socket_permissions=0700",
    "logging_collector=off",
    "cluster_name=opstracker",
    "shared_buffers=256MB",
    "work_mem=32MB",
    "maintenance_work_mem=128MB",
    "max_wal_size=2GB",
    "wal_compression=on",
    "random_page_cost=1.1",
    "jit=off",
    "autovacuum=on",
    "idle_in_transaction_session_timeout=60s",
    "restart_after_crash=on",
];

/// What the thread needs to run PostgreSQL.
pub struct Server {
    pub directory: Directory,
    pub binaries: Binaries,
    pub durability: Durability,
    pub max_connections: u16,
}

/// The handle on the thread. Dropping it asks PostgreSQL to stop, without waiting.
pub struct Supervisor {
    state: Arc<Mutex<State>>,
    ended: watch::Receiver<Option<String>>,
}

#[derive(Default)]
struct State {
    postmaster: Option<Pid>,
    /// It answered once: from then on, a death is an accident to repair, not a failed start.
    answered: bool,
    stopping: bool,
}

impl Supervisor {
    /// The lock is held until PostgreSQL has ended, whatever becomes of the handle.
    pub fn start(server: Server, lock: File) -> Result<Self> {
        let state = Arc::new(Mutex::new(State::default()));
        let (sender, ended) = watch::channel(None);
        let shared = Arc::clone(&state);
        thread::Builder::new().name("postgresql".into()).spawn(move || {
            let reason = match supervise(&server, &shared) {
                Ok(()) => "PostgreSQL est arrêté.".to_owned(),
                Err(error) => format!("{error:#}"),
            };
            drop(lock);
            let _ = sender.send(Some(reason));
        })?;
        Ok(Self { state, ended })
    }

    pub fn has_spawned(&self) -> bool {
        lock(&self.state).postmaster.is_some()
    }

    pub fn mark_answered(&self) {
        lock(&self.state).answered = true;
    }

    /// Why the thread ended, once it has.
    pub fn end(&self) -> Option<String> {
        self.ended.borrow().clone()
    }

    pub fn ended(&self) -> impl Future<Output = String> + Send + use<> {
        let mut ended = self.ended.clone();
        async move {
            match ended.wait_for(Option::is_some).await {
                Ok(reason) => reason.clone().unwrap_or_default(),
                Err(_) => "La surveillance de PostgreSQL s'est arrêtée.".to_owned(),
            }
        }
    }

    pub async fn stop(self) {
        for (signal, patience) in leftovers::INSISTENCE {
            self.ask_to_stop(signal);
            if timeout(patience, self.ended()).await.is_ok() {
                return;
            }
        }
    }

    fn ask_to_stop(&self, signal: Signal) {
        let mut state = lock(&self.state);
        state.stopping = true;
        if let Some(pid) = state.postmaster {
            let _ = kill_process(pid, signal);
        }
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.ask_to_stop(Signal::INT);
    }
}

/// Returns when it was asked to stop, or with the reason why PostgreSQL cannot go on.
fn supervise(server: &Server, state: &Mutex<State>) -> Result<()> {
    if server.directory.data_major()?.is_none() {
        initdb::create(&server.directory, &server.binaries, server.durability)?;
    }
    let mut deaths: VecDeque<Instant> = VecDeque::new();
    loop {
        leftovers::end(&server.directory, &server.binaries)?;
        let mut command = server.command()?;
        let Some(mut child) = spawn(&mut command, state)? else { return Ok(()) };
        let log = ServerLog::follow(child.stderr.take().context("stderr")?);
        wait(&mut child, state)?;
        let State { answered, stopping, .. } = *lock(state);
        if stopping {
            return Ok(());
        }
        if !answered {
            bail!("PostgreSQL n'a pas démarré :\n{}", log.last_words());
        }
        deaths.retain(|death| death.elapsed() < WINDOW);
        if deaths.len() >= RESTARTS {
            bail!(
                "PostgreSQL s'est arrêté de lui-même {} fois en une minute :\n{}",
                RESTARTS + 1,
                log.last_words()
            );
        }
        deaths.push_back(Instant::now());
        tracing::warn!("PostgreSQL s'est arrêté de lui-même ; il est relancé.");
    }
}

/// Under the state's lock, so that a stop either prevents the start or finds the process.
fn spawn(command: &mut Command, state: &Mutex<State>) -> Result<Option<Child>> {
    let mut state = lock(state);
    if state.stopping {
        return Ok(None);
    }
    let child = command.spawn().context("Impossible de lancer PostgreSQL")?;
    state.postmaster = Some(Pid::from_child(&child));
    Ok(Some(child))
}

/// The process is left a zombie until the state forgets it: no signal can reach another one that
/// would have taken its number.
fn wait(child: &mut Child, state: &Mutex<State>) -> Result<()> {
    let id = WaitId::Pid(Pid::from_child(child));
    while let Err(error) = waitid(id.clone(), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT) {
        if error != rustix::io::Errno::INTR {
            return Err(error).context("waitid");
        }
    }
    let mut state = lock(state);
    state.postmaster = None;
    child.wait()?;
    Ok(())
}

impl Server {
    fn command(&self) -> Result<Command> {
        let postgres = self.binaries.program("postgres");
        let mut command = self.directory.account.tied_command("INT", &postgres);
        command.arg("-D").arg(self.directory.data());
        command.arg("-k").arg(self.directory.create_socket_dir()?);
        let durable = if self.durability == Durability::Safe { "on" } else { "off" };
        let chosen = [
            format!("fsync={durable}"),
            format!("synchronous_commit={durable}"),
            format!("full_page_writes={durable}"),
            format!("max_connections={}", self.max_connections),
        ];
        for setting in SERVER.into_iter().chain(chosen.iter().map(String::as_str)) {
            command.args(["-c", setting]);
        }
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        // Ctrl-C is for the program alone, which stops PostgreSQL last.
        command.process_group(0);
        Ok(command)
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

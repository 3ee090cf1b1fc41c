// SPDX-License-Identifier: EUPL-1.2
//! Ends what a killed PostgreSQL, or a killed program, left running.
//!
//! Every process of a cluster has the data directory as its current directory, or in its command
//! line while it is starting: that is how it is known, whatever `postmaster.pid` says. After a
//! `kill -9` the process named there may be a zombie, or another program's by now, and PostgreSQL
//! would refuse to start. A process not even started, still a copy of ours, holds our lock.

use std::{
    fs, io,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::{binaries::Binaries, directory::Directory};

/// Fast shutdown first, then immediate, then by force.
pub const INSISTENCE: [(Signal, Duration); 3] = [
    (Signal::INT, Duration::from_secs(30)),
    (Signal::QUIT, Duration::from_secs(10)),
    (Signal::KILL, Duration::from_secs(5)),
];

/// Blocks until nothing is left.
pub fn end(directory: &Directory, binaries: &Binaries) -> Result<()> {
    let data = directory.data();
    let pid_file = data.join("postmaster.pid");
    if !Path::new("/proc/self/cwd").exists() {
        if pid_file.exists() {
            let mut command = directory.account.command(binaries.program("pg_ctl"));
            let _ = command.arg("-D").arg(&data).args(["stop", "-m", "fast", "-t", "30"]).output();
        }
        return Ok(());
    }
    let postmaster = written_pid(&pid_file);
    for (signal, patience) in INSISTENCE {
        let left = processes(&data);
        // The postmaster ends its children; without it, each is told.
        let told = match postmaster.filter(|pid| left.contains(pid)) {
            Some(pid) => vec![pid],
            None => left,
        };
        for pid in told {
            let _ = kill_process(pid, signal);
        }
        let deadline = Instant::now() + patience;
        while !processes(&data).is_empty() && Instant::now() < deadline {
            sleep(Duration::from_millis(20));
        }
    }
    if !processes(&data).is_empty() {
        bail!(
            "D'anciens processus PostgreSQL de {} ne veulent pas s'arrêter : arrêtez-les à la main \
             ou redémarrez la machine.",
            data.display()
        );
    }
    if postmaster.is_some_and(is_certainly_not_ours) {
        let _ = fs::remove_file(&pid_file); // it may have gone with an orderly end
    }
    Ok(())
}

/// An `initdb` whose program was killed before it could be tied to it.
pub fn kill_creation(aside: &Path) {
    while let left = processes(aside)
        && !left.is_empty()
    {
        for pid in left {
            let _ = kill_process(pid, Signal::KILL);
        }
        sleep(Duration::from_millis(20));
    }
}

fn written_pid(pid_file: &Path) -> Option<Pid> {
    let text = fs::read_to_string(pid_file).ok()?;
    Pid::from_raw(text.lines().next()?.trim().parse().ok()?)
}

fn processes(data: &Path) -> Vec<Pid> {
    fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?))
        .filter(|pid| is_in(*pid, data) || is_starting_in(*pid, data))
        .collect()
}

fn is_in(pid: Pid, data: &Path) -> bool {
    current_directory(pid).is_ok_and(|directory| directory == data)
}

/// One of our programs, with the data directory after `-D`: see `Account::tied_command`.
fn is_starting_in(pid: Pid, data: &Path) -> bool {
    let line = fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).unwrap_or_default();
    let words: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
    let program = words[0].rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    [&b"setpriv"[..], b"postgres", b"initdb"].contains(&program)
        && words.windows(2).any(|pair| pair == [b"-D", data.as_os_str().as_bytes()])
}

/// A zombie or another program. A dead process is no obstacle, and one that we may not look at
/// (root in a container without CAP_SYS_PTRACE) is PostgreSQL's to judge, with its own locks.
fn is_certainly_not_ours(pid: Pid) -> bool {
    match current_directory(pid) {
        Ok(_) => true, // `processes` would have listed ours
        Err(error) => {
            error.kind() == io::ErrorKind::NotFound
                && Path::new(&format!("/proc/{}", pid.as_raw_nonzero())).exists()
        }
    }
}

fn current_directory(pid: Pid) -> io::Result<PathBuf> {
    fs::read_link(format!("/proc/{}/cwd", pid.as_raw_nonzero()))
}

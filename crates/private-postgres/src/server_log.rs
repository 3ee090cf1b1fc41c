// SPDX-License-Identifier: EUPL-1.2
//! What PostgreSQL writes on its standard error: passed on to our log, its last words kept.

use std::{
    collections::VecDeque,
    io::{BufRead, BufReader},
    process::ChildStderr,
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

const KEPT: usize = 5;

/// Fatal for one connection, ordinary for the server.
const ORDINARY: [&str; 4] =
    ["starting up", "shutting down", "administrator command", "recovery mode"];

pub struct ServerLog {
    last: Arc<Mutex<VecDeque<String>>>,
    reader: Option<JoinHandle<()>>,
}

impl ServerLog {
    /// A thread of its own: processes that outlive PostgreSQL may keep this open for a while.
    pub fn follow(stderr: ChildStderr) -> Self {
        let last = Arc::new(Mutex::new(VecDeque::new()));
        let shared = Arc::clone(&last);
        let read = move || {
            for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line).into_owned();
                pass_on(&line);
                let mut last = shared.lock().unwrap_or_else(PoisonError::into_inner);
                last.push_back(line);
                if last.len() > KEPT {
                    last.pop_front();
                }
            }
        };
        let reader = thread::Builder::new().name("postgresql-log".into()).spawn(read).ok();
        Self { last, reader }
    }

    /// To be asked once PostgreSQL has ended.
    pub fn last_words(&self) -> String {
        let deadline = Instant::now() + Duration::from_millis(500);
        while self.reader.as_ref().is_some_and(|reader| !reader.is_finished())
            && Instant::now() < deadline
        {
            thread::sleep(Duration::from_millis(10));
        }
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        Vec::from_iter(last.iter().map(String::as_str)).join("\n")
    }
}

fn pass_on(line: &str) {
    let grave = line.contains("FATAL:") || line.contains("PANIC:");
    if grave && !ORDINARY.iter().any(|words| line.contains(words)) {
        tracing::warn!(target: "postgresql", "{line}");
    } else {
        tracing::debug!(target: "postgresql", "{line}");
    }
}

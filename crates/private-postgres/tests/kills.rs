// SPDX-License-Identifier: EUPL-1.2
//! `kill -9` under writes: of the program, of PostgreSQL, of both. No acknowledged row is lost and
//! the next start needs no hand.

mod support;

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    time::{Duration, Instant},
};

use private_postgres::own;
use rustix::process::{Pid, Signal, kill_process};
use support::{TestDir, connect, hold::hold};

/// Not a test: the program that the others start and kill, in a process of its own.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "started by the other tests"]
async fn program() {
    if let Ok(directory) = std::env::var("HOLD_DIRECTORY") {
        hold(&directory).await.unwrap();
    }
}

/// That program, owning the directory and writing.
struct Hold {
    child: Child,
    lines: Receiver<String>,
    acknowledged: Vec<i64>,
}

impl Hold {
    fn start(dir: &TestDir) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "program", "--ignored", "--nocapture"]);
        command.env("HOLD_DIRECTORY", &dir.0).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Self { child, lines, acknowledged: Vec::new() }
    }

    /// Waits for `count` more acknowledged rows.
    fn write(&mut self, count: usize) {
        let wanted = self.acknowledged.len() + count;
        let deadline = Instant::now() + Duration::from_secs(30);
        while self.acknowledged.len() < wanted {
            let patience = deadline.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(patience).expect("rows acknowledged within 30 s");
            self.note(&line);
        }
    }

    /// Kills PostgreSQL, waits for the next one to accept rows.
    fn outlive_a_kill(&mut self, dir: &TestDir) {
        let before = dir.postmaster().expect("a postmaster");
        kill_process(before, Signal::KILL).unwrap();
        let deadline = Instant::now() + Duration::from_secs(30);
        while dir.postmaster().is_none_or(|pid| pid == before) {
            assert!(Instant::now() < deadline, "PostgreSQL was not started again");
            std::thread::sleep(Duration::from_millis(10));
        }
        while let Ok(line) = self.lines.try_recv() {
            self.note(&line);
        }
        self.write(50);
    }

    /// Reads what is left until the program ends; returns why PostgreSQL was given up, if it was.
    fn read_to_end(&mut self) -> Option<String> {
        let mut given_up = None;
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let patience = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(patience) {
                Ok(line) => {
                    self.note(&line);
                    given_up = given_up.or(line.strip_prefix("exited ").map(str::to_owned));
                }
                Err(RecvTimeoutError::Disconnected) => return given_up,
                Err(RecvTimeoutError::Timeout) => panic!("the program did not end"),
            }
        }
    }

    fn interrupt(mut self) -> Vec<i64> {
        self.signal(Signal::INT);
        self.read_to_end();
        self.child.wait().unwrap();
        self.acknowledged
    }

    fn note(&mut self, line: &str) {
        self.acknowledged.extend(line.strip_prefix("ack ").and_then(|n| n.parse::<i64>().ok()));
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }
}

async fn assert_kept(dir: &TestDir, acknowledged: &[i64]) {
    let cluster = own(&dir.settings()).await.expect("the next start needs no hand");
    let missing: Vec<i64> = sqlx::query_scalar(
        "select n from unnest($1::bigint[]) n where not exists (select from kept where kept.n = n.n)",
    )
    .bind(acknowledged)
    .fetch_all(&mut connect(&cluster).await)
    .await
    .unwrap();
    assert!(missing.is_empty(), "acknowledged, then lost: {missing:?}");
    cluster.stop().await;
    assert_eq!(dir.processes(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_killed_ten_times_loses_nothing() {
    let dir = TestDir::new();
    let mut acknowledged = Vec::new();
    for round in 0..10 {
        let mut hold = Hold::start(&dir);
        hold.write(50 + 30 * round);
        // Every other time PostgreSQL is killed first, and the program somewhere in the restart.
        if round % 2 == 1 {
            dir.kill_postmaster();
            std::thread::sleep(Duration::from_millis(round as u64 * 8));
        }
        hold.signal(Signal::KILL);
        hold.child.wait().unwrap();
        hold.read_to_end();
        acknowledged.append(&mut hold.acknowledged);
    }
    println!("{} acknowledged rows, ten kills of the program", acknowledged.len());
    assert_kept(&dir, &acknowledged).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgresql_killed_ten_times_comes_back_by_itself_and_loses_nothing() {
    let dir = TestDir::new();
    let mut acknowledged = Vec::new();
    for _ in 0..2 {
        let mut hold = Hold::start(&dir);
        for _ in 0..5 {
            hold.write(50);
            hold.outlive_a_kill(&dir);
        }
        acknowledged.append(&mut hold.interrupt());
        assert_eq!(dir.processes(), []);
    }
    println!("{} acknowledged rows, ten kills of PostgreSQL", acknowledged.len());
    assert_kept(&dir, &acknowledged).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgresql_that_keeps_dying_is_given_up() {
    let dir = TestDir::new();
    let mut hold = Hold::start(&dir);
    for _ in 0..5 {
        hold.write(20);
        hold.outlive_a_kill(&dir);
    }
    dir.kill_postmaster();
    let reason = hold.read_to_end().expect("a reason");
    assert!(reason.contains("6 fois en une minute"), "{reason}");
    hold.child.wait().unwrap();
    assert_kept(&dir, &hold.acknowledged).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_backend_killed_is_repaired_by_postgresql() {
    let dir = TestDir::new();
    let mut hold = Hold::start(&dir);
    hold.write(50);
    let postmaster = dir.postmaster();
    let child = dir.processes().into_iter().find(|pid| Some(*pid) != postmaster).unwrap();
    kill_process(child, Signal::KILL).unwrap();
    hold.write(500);
    assert_eq!(dir.postmaster(), postmaster);
    assert_kept(&dir, &hold.interrupt()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_killed_while_it_creates_the_cluster_starts_again() {
    let dir = TestDir::new();
    for milliseconds in [50, 300, 600, 900] {
        let hold = &mut Hold::start(&dir);
        std::thread::sleep(Duration::from_millis(milliseconds));
        hold.signal(Signal::KILL);
        hold.child.wait().unwrap();
    }
    own(&dir.settings()).await.unwrap().stop().await;
    assert_eq!(dir.processes(), []);
}

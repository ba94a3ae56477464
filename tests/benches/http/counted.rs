//! Instructions of a request, counted by callgrind.
//!
//! The service runs all on its main thread, and only that thread is counted: our own threads work by the clock, and
//! under valgrind a request takes fifty times as long. They may not signal it either: callgrind falls over a handler
//! that runs while a system call is entered, by an assertion of its own. What is over between a run with few requests and one with many
//! is the requests'.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use pollscope_tests::Room;

use crate::served::{Kind, Served, program};

/// Requests of the short run: past what is made once, at first use.
const FEW: u64 = 200;

pub(crate) fn is_there() -> bool {
    Command::new("valgrind")
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

pub(crate) fn per_request(kind: Kind, level: &str, route: &str, requests: u64) -> f64 {
    let few = run(kind, level, route, FEW);
    let many = run(kind, level, route, FEW + requests);
    (many as f64 - few as f64) / requests as f64
}

/// Instructions of the main thread, from its start to its end.
fn run(kind: Kind, level: &str, route: &str, requests: u64) -> u64 {
    let counts = tempfile::tempdir().expect("a temporary directory");
    let file = counts.path().join("counts");
    let room = Room::new();
    let mut command = room.command("valgrind");
    command
        .args(["--tool=callgrind", "--separate-threads=yes"])
        .arg(format!("--callgrind-out-file={}", file.display()))
        .args([program(), kind.name(), "one"])
        .env("POLLSCOPE_SIGNAL", "0")
        .env("POLLSCOPE_SLOW_POLL", "60s")
        .stderr(Stdio::null());
    let served = Served::run(command, level, room);
    served.ask(route, requests);
    served.end();
    // Of each thread one file, the main thread's first.
    total(&counts.path().join("counts-01"))
}

fn total(file: &Path) -> u64 {
    let text = fs::read_to_string(file).expect("callgrind writes what it counted");
    text.lines()
        .find_map(|line| line.strip_prefix("totals:"))
        .and_then(|total| total.trim().parse().ok())
        .expect("callgrind writes a total")
}

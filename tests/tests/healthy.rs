//! Healthy real code stays silent: programs on axum, tonic, redis, tokio-util and tower under load, at level debug, of
//! which the real inspector must have nothing to say.
//!
//! Each runs for three seconds, or for as many as `POLLSCOPE_HEALTHY_SECS` says, and then nothing is let pass: for a
//! machine with nothing else to do.
//!
//! ```text
//! POLLSCOPE_HEALTHY_SECS=60 cargo test -p pollscope-tests --test healthy -- --nocapture --test-threads 1
//! ```

#![expect(clippy::print_stdout, reason = "says how much was done")]

use std::process::Stdio;
use std::time::Duration;

use pollscope_tests::{Room, inspector, wait_until};
use serde_json::Value;

const DEFAULT_SECS: u64 = 3;
/// What a machine full of tests may add.
const LIMIT: Duration = Duration::from_secs(60);

#[test]
fn cache() {
    is_silent("cache");
}

#[test]
fn middleware() {
    is_silent("middleware");
}

#[test]
fn pipes() {
    is_silent("pipes");
}

#[test]
fn rpc() {
    is_silent("rpc");
}

#[test]
fn web() {
    is_silent("web");
}

fn is_note(warning: &Value) -> bool {
    warning["severity"] == "info"
}

/// Slow by the clock and not by the CPU. Nothing in these programs blocks: on a machine full of tests it is whoever
/// holds one of Tokio's own locks that gets no CPU. Only the run that is asked for counts it.
fn is_starved(warning: &Value) -> bool {
    let slow = warning["kind"] == "slow_poll" || warning["kind"] == "slow_drop";
    slow && warning["cpu_ns"].as_u64() < warning["threshold_ns"].as_u64()
}

/// Runs a program to its end, and asks the inspector while it is under load and after it has shut down.
fn is_silent(name: &str) {
    let asked = std::env::var("POLLSCOPE_HEALTHY_SECS").ok();
    let asked = asked.and_then(|secs| secs.parse().ok());
    let secs = asked.unwrap_or(DEFAULT_SECS);
    // Built before the clock starts.
    inspector();
    let room = Room::new();
    let mut command = room.command(env!("CARGO_BIN_EXE_healthy"));
    command
        .args([name, &secs.to_string()])
        .env("POLLSCOPE", "debug")
        .stdin(Stdio::piped());
    let mut program = room.start(command, "running");
    let target = program.target();
    let report = || room.json(&["report", &target, "--json"]);
    let tasks = wait_until("tasks are seen", LIMIT, || {
        let tasks = report()["tasks"].as_array().map_or(0, Vec::len);
        (tasks > 0).then_some(tasks)
    });
    program.tell("seen");
    let done = program.line("done requests=", Duration::from_secs(secs) + LIMIT);
    let report = report();
    let warnings = report["warnings"].as_array().expect("an array");
    let (notes, told): (Vec<&Value>, Vec<&Value>) = warnings
        .iter()
        .partition(|warning| is_note(warning) || (asked.is_none() && is_starved(warning)));
    println!(
        "{name}, {secs} s: {done}, {tasks} tasks seen, {} warnings, {} notes",
        told.len(),
        notes.len()
    );
    for note in notes {
        println!("{name}: note: {}", note["message"]);
    }
    assert!(told.is_empty(), "{name}: {told:#?}");
}

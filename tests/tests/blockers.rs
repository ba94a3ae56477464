//! Every way to block, on every kind of runtime: reported while it is stuck, by name, and left as it is.

use std::process::Stdio;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use pollscope_tests::{Room, wait_until};
use serde_json::Value;

/// The function that must be in the stack, what the call returns, and what the verdict may be.
const EXPECTED: [(&str, &str, &str, &[&str]); 11] = [
    ("std_sleep", "std_sleep", "slept", &["syscall"]),
    ("spin", "spin", "spun", &["on_cpu"]),
    ("pipe_read", "pipe_read", "Ok(1)", &["syscall"]),
    ("std_mutex", "std_mutex", "Some(7)", &["lock"]),
    ("condvar", "condvar_wait", "notified", &["lock"]),
    ("raw_nanosleep", "raw_nanosleep", "0 None", &["syscall"]),
    ("raw_poll", "raw_poll", "0 None", &["syscall"]),
    (
        "socket_read",
        "socket_read",
        "Err(WouldBlock)",
        &["syscall"],
    ),
    // How long one question or one sync takes is the machine's affair: what is seen may be either.
    (
        "dns_lookup",
        "dns_lookup",
        "asked",
        &["syscall", "on_cpu", "lock"],
    ),
    ("fsync_file", "fsync_file", "synced", &["syscall", "on_cpu"]),
    ("nested_block_on", "nested_block_on", "Ok(5)", &["lock"]),
];

/// The threshold, the 20 ms of the promise, and what a busy test machine adds.
const REPORTED_MS: u64 = 100 + 20 + 60;

/// One at a time: a spinning neighbour would make a poll that computes look like one that gets no CPU.
static ONE: Mutex<()> = Mutex::new(());

fn matrix(flavor: &str, environment: &[(&str, &str)], ways: impl Fn(&str) -> bool) {
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let room = Room::new();
    let mut command = room.command(env!("CARGO_BIN_EXE_blockers"));
    command
        .arg(flavor)
        .env("POLLSCOPE", "debug")
        .stdin(Stdio::piped());
    for (key, value) in environment {
        command.env(key, value);
    }
    let mut program = room.start(command, "\"way\":\"std_sleep\"");
    // The line of the first way was taken as the sign that the program runs; all others follow.
    let mut seen: Vec<Value> = Vec::new();
    for _ in 1..EXPECTED.len() {
        let line = program.line("\"way\"", Duration::from_secs(20));
        seen.push(serde_json::from_str(&line).expect("JSON"));
    }
    program.line("done", Duration::from_secs(10));

    for (way, _, result, verdicts) in EXPECTED.iter().skip(1) {
        let line = seen
            .iter()
            .find(|line| line["way"] == *way)
            .unwrap_or_else(|| panic!("{way} did not run"));
        assert_eq!(
            line["result"], *result,
            "{flavor}: {way} was disturbed: {line}"
        );
        let took = line["took_ms"].as_u64().expect("a number");
        // What ends the wait was started a moment before the wait. How long one question to the resolver takes is
        // the network's affair: 5 s where nobody answers.
        let most = if *way == "dns_lookup" { 15_000 } else { 700 };
        assert!(
            (380..most).contains(&took),
            "{flavor}: {way} took {took} ms"
        );
        if ways(way) {
            let after = line["reported_after_ms"].as_u64();
            assert!(
                after.is_some_and(|ms| ms <= REPORTED_MS),
                "{flavor}: {way} reported after {after:?} ms"
            );
            let verdict = line["verdict"].as_str().unwrap_or("none");
            assert!(
                verdicts.contains(&verdict),
                "{flavor}: {way} is {verdict}, not {verdicts:?}"
            );
        }
    }

    wait_until("the stacks by name", Duration::from_secs(20), || {
        let report = room.json(&["report", &program.target(), "--json"]);
        let warnings = report["warnings"].as_array()?;
        EXPECTED
            .iter()
            .filter(|(way, ..)| ways(way))
            .all(|(way, function, ..)| {
                let named = warnings
                    .iter()
                    .filter(|warning| warning["kind"] == "slow_poll")
                    .any(|warning| {
                        warning["observed"]["backtrace"]
                            .to_string()
                            .contains(&format!("ways::{function}"))
                    });
                if !named {
                    eprintln!("{flavor}: no stack names {function} ({way})");
                }
                named
            })
            .then_some(())
    });
}

#[test]
fn on_a_current_thread_runtime() {
    matrix("current_thread", &[], |_| true);
}

#[test]
fn on_a_multi_thread_runtime() {
    matrix("multi_thread", &[], |_| true);
}

#[test]
fn on_a_local_set() {
    matrix("local", &[], |_| true);
}

#[test]
fn without_the_signal_what_sleeps_is_still_named() {
    matrix("multi_thread", &[("POLLSCOPE_SIGNAL", "0")], |way| {
        !matches!(way, "spin" | "dns_lookup" | "fsync_file")
    });
}

#[test]
fn without_the_peek_what_runs_is_still_named_and_nothing_is_disturbed() {
    matrix("multi_thread", &[("POLLSCOPE_PEEK", "0")], |way| {
        way == "spin"
    });
}

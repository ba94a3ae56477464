//! Exception handlers: asyncio's three cases, and findings that are made while one is being told. Each is a process of
//! its own: a test under `cases`, run by those of this file.

#![cfg(feature = "serve")]

#[path = "handler/cases.rs"]
mod cases;

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Runs a case to its end and gives what it wrote to stderr; it must neither fail nor hang.
fn run(case: &str) -> String {
    let mut command = Command::new(std::env::current_exe().expect("a program"));
    for (key, _) in std::env::vars_os() {
        if key.to_string_lossy().starts_with("POLLSCOPE") {
            command.env_remove(key);
        }
    }
    let mut child = command
        .args(["--ignored", "--nocapture", "--exact"])
        .arg(format!("cases::{case}"))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let stderr = child.stderr.take().expect("a pipe");
    let said = std::thread::spawn(move || std::io::read_to_string(stderr));
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().expect("our own child") {
            break status;
        }
        if begun.elapsed() > Duration::from_secs(60) {
            let _ = child.kill();
            panic!("{case} hangs");
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let said = said.join().expect("no panic").expect("text");
    assert!(status.success(), "{case}: {said}");
    said
}

#[test]
fn a_handler_is_called_in_place_of_the_log() {
    let said = run("a_handler_of_its_own");
    assert!(!said.contains("returned an error"), "{said}");
    assert!(
        said.contains("pollscope: warn: future"),
        "warnings are logged as ever: {said}"
    );
}

#[test]
fn a_handler_that_panics_falls_back_to_the_log_with_its_context() {
    let said = run("a_handler_that_panics");
    assert!(
        said.contains(
            "pollscope: error: unhandled error in exception handler: on purpose, by a test; \
             the original context: Task "
        ),
        "{said}"
    );
    assert!(
        said.contains("\"bug\" returned an error that nobody read: lost"),
        "{said}"
    );
}

#[test]
fn a_log_that_panics_costs_its_line_only() {
    let said = run("a_log_that_panics");
    assert!(
        said.contains("pollscope: error: the tracing subscriber panicked at: Task "),
        "{said}"
    );
}

#[test]
fn a_handler_may_leave_it_to_the_log() {
    let said = run("a_handler_that_logs");
    let logged = said
        .lines()
        .filter(|line| line.contains("\"bug\" returned an error"))
        .count();
    assert_eq!(logged, 1, "{said}");
}

/// Edge case 52: what is found inside the handler and the subscriber.
#[test]
fn what_a_handler_or_a_subscriber_does_wrong_is_not_told_to_it() {
    run("a_handler_that_forgets");
    run("a_subscriber_that_forgets");
}

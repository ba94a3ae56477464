//! A process that was stopped is not a poll that was slow: the false positive that asyncio has.

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use pollscope_agent::{Kind, Severity};
use pollscope_capture::level::{self, Level, Source};
use pollscope_capture::stack::Activity;

#[path = "support/executor.rs"]
mod executor;
use executor::{finding, run, until};

/// Edge case 34: Python's false positive of 0.253 s with 0.0001 s of CPU time.
#[test]
#[cfg(target_os = "linux")]
fn a_poll_that_was_stopped_with_its_process_is_a_note_that_says_so() {
    level::set_level(Level::Debug, Source::Explicit);
    executor::begin();
    // The watchdog has found something: it does its rounds, and knows itself.
    let (end, ends) = channel::<()>();
    let warm_up = run("warm-up", async move { _ = ends.recv() });
    until("the watchdog's rounds", || {
        finding(Kind::SlowPoll, "warm-up")
    });
    drop(end);
    warm_up.join().expect("it ends");
    // Ready before the poll begins: how long a shell takes to start is no part of it.
    let me = std::process::id();
    let mut stopper = Command::new("sh")
        .args([
            "-c",
            &format!("read go; kill -STOP {me}; sleep 0.4; kill -CONT {me}"),
        ])
        .stdin(Stdio::piped())
        .spawn()
        .expect("a shell");
    let mut go = stopper.stdin.take().expect("a pipe");
    let worker = run("stopped", async move {
        // A poll of some milliseconds that never blocks, across the stop.
        // Until time has jumped, further than a busy machine lets it, or five seconds without: also if that comes before
        // the first look.
        let begun = Instant::now();
        let mut last = begun;
        go.write_all(b"go\n").expect("it listens");
        loop {
            let now = Instant::now();
            if now - last >= Duration::from_millis(390) || now - begun >= Duration::from_secs(5) {
                break;
            }
            last = now;
        }
    });
    worker.join().expect("it ends");
    assert!(stopper.wait().is_ok_and(|status| status.success()));
    // At once: whoever flushes hears what the watchdog knows, not what the clock alone says.
    pollscope_agent::flush(Duration::from_secs(5));
    let found = until("the note", || finding(Kind::SlowPoll, "stopped"));
    assert!(!found.live && !found.at_least, "{found:?}");
    assert!(
        found.wall_ns >= Some(400_000_000),
        "it did take that long: {found:?}"
    );
    assert_eq!(found.severity, Severity::Info, "{found:?}");
    assert_eq!(
        found.verdict.map(|verdict| verdict.activity),
        Some(Activity::Stopped)
    );
    assert!(
        found.message.contains("it was stopped meanwhile"),
        "{}",
        found.message
    );
}

//! Golden lines of the rarer kinds: what a user reads.

use pollscope_capture::stack::Activity;

use crate::finding::{Delayed, Finding, Kind, Source};
use crate::message::line;
use crate::message::tests::{finding, named, verdict};

/// With a place in the source, and the text of a panic.
fn panicked(finding: Finding, text: &str) -> Finding {
    let mut finding = Finding {
        panic: Some(text.to_owned()),
        ..finding
    };
    finding.observed.source = Some(Source::at("src/b.rs", 3, 9));
    finding
}

#[test]
fn a_pending_task_destroyed() {
    let destroyed = |polls, did| {
        line(&Finding {
            number: polls,
            did,
            ..named(Kind::PendingDestroyed)
        })
    };
    assert_eq!(
        destroyed(Some(0), Some("by the drop of its runtime")),
        "Task 7 \"settle\" was destroyed but it is pending: it never ran, by the drop of its runtime; \
         spawned at src/a.rs:20:5"
    );
    assert_eq!(
        destroyed(Some(1), None),
        "Task 7 \"settle\" was destroyed but it is pending: polled once; spawned at src/a.rs:20:5"
    );
    assert_eq!(
        destroyed(Some(12), None),
        "Task 7 \"settle\" was destroyed but it is pending: polled 12 times; spawned at src/a.rs:20:5"
    );
    assert_eq!(
        destroyed(None, None),
        "Task 7 \"settle\" was destroyed but it is pending; spawned at src/a.rs:20:5"
    );
}

#[test]
fn a_task_that_waits_for_its_turn() {
    let mut waits = Finding {
        live: true,
        wall_ns: Some(212_000_000),
        threshold_ns: Some(100_000_000),
        number: Some(40),
        ..named(Kind::SchedDelay)
    };
    assert_eq!(
        line(&waits),
        "Task 7 \"settle\" has waited at least 0.212 s for its turn (threshold 0.100 s) behind many short polls, \
         and 39 other tasks wait as well; spawned at src/a.rs:20:5"
    );
    (waits.live, waits.number) = (false, Some(1));
    assert_eq!(
        line(&waits),
        "Task 7 \"settle\" waited at least 0.212 s for its turn (threshold 0.100 s) behind many short polls; \
         spawned at src/a.rs:20:5"
    );
}

#[test]
fn a_runtime_within_a_runtime_and_none_where_one_is_needed() {
    let misused = |kind, subject: &str, text| {
        let misused = panicked(finding(kind), text);
        line(&Finding {
            subject: Some(subject.to_owned()),
            ..misused
        })
    };
    assert_eq!(
        misused(
            Kind::NestedRuntime,
            "a call of block_on",
            "Cannot start a runtime from within a runtime."
        ),
        "A call of block_on inside a runtime, at src/b.rs:3:9: Cannot start a runtime from within a runtime."
    );
    assert_eq!(
        misused(
            Kind::NoRuntime,
            "a call into Tokio",
            "there is no reactor running"
        ),
        "A call into Tokio needs a runtime, and there is none here, at src/b.rs:3:9: there is no reactor running"
    );
    assert_eq!(
        line(&finding(Kind::NoRuntime)),
        "A call needs a runtime, and there is none here"
    );
}

#[test]
fn a_blocking_socket() {
    assert_eq!(
        line(&panicked(
            finding(Kind::BlockingSocket),
            "Registering a blocking socket with the tokio runtime is unsupported."
        )),
        "A blocking socket was given to a runtime, at src/b.rs:3:9: \
         Registering a blocking socket with the tokio runtime is unsupported."
    );
}

#[test]
fn a_look_up_that_took_long() {
    let slow = Finding {
        subject: Some("localhost:80".to_owned()),
        wall_ns: Some(150_040_000),
        threshold_ns: Some(100_000_000),
        ..finding(Kind::SlowLookup)
    };
    assert_eq!(
        line(&slow),
        "Getting address info localhost:80 took 150.0 ms (threshold 0.100 s), asked at src/a.rs:20:5"
    );
    assert_eq!(
        line(&finding(Kind::SlowLookup)),
        "Getting address info of a host took long, asked at src/a.rs:20:5"
    );
}

#[test]
fn a_resource_that_was_dropped() {
    let leaked = |subject: &str, did, number| {
        line(&Finding {
            subject: Some(subject.to_owned()),
            did,
            number,
            ..finding(Kind::ResourceLeak)
        })
    };
    assert_eq!(
        leaked(
            "process 4711 (sleep)",
            Some("dropped while it runs, and nobody waited for it"),
            None
        ),
        "Process 4711 (sleep) was dropped while it runs, and nobody waited for it; made at src/a.rs:20:5"
    );
    assert_eq!(
        leaked("app::Rows", Some("dropped before its end"), Some(3)),
        "app::Rows was dropped before its end, after 3 of its items; made at src/a.rs:20:5"
    );
    assert_eq!(
        line(&finding(Kind::ResourceLeak)),
        "A resource was dropped without being closed; made at src/a.rs:20:5"
    );
}

#[test]
fn a_drop_that_took_long() {
    let mut slow = Finding {
        wall_ns: Some(300_000_000),
        at_least: true,
        threshold_ns: Some(100_000_000),
        verdict: Some(verdict(Activity::Lock, None)),
        delayed: Some(Delayed {
            tasks: 1,
            max_ns: 200_000_000,
        }),
        ..named(Kind::SlowDrop)
    };
    assert_eq!(
        line(&slow),
        "Dropping task 7 \"settle\" took at least 0.300 s (threshold 0.100 s) waiting for a lock, \
         created at src/a.rs:20:5; 1 task waited behind it, for 0.200 s"
    );
    slow.wall_ns = None;
    assert_eq!(
        line(&slow),
        "Dropping task 7 \"settle\" took long: counted, the example was lost; created at src/a.rs:20:5"
    );
}

#[test]
fn a_callback_that_panicked() {
    let called = Finding {
        subject: Some("callback app::tick::{{closure}}".to_owned()),
        ..panicked(finding(Kind::CallbackPanic), "out of range")
    };
    assert_eq!(
        line(&called),
        "Callback app::tick panicked: out of range, at src/b.rs:3:9; created at src/a.rs:20:5"
    );
    assert_eq!(
        line(&finding(Kind::CallbackPanic)),
        "A callback panicked; created at src/a.rs:20:5"
    );
}

#[test]
fn a_panic_while_the_runtime_shut_down() {
    assert_eq!(
        line(&panicked(named(Kind::ShutdownPanic), "no reactor")),
        "Task 7 \"settle\" panicked while its runtime shut down: no reactor, at src/b.rs:3:9; \
         created at src/a.rs:20:5"
    );
}

#[test]
fn a_guard_held_across_an_await() {
    let mut held = Finding {
        subject: Some("the guard of span \"request\"".to_owned()),
        ..named(Kind::LockAcrossAwait)
    };
    held.observed.source = Some(Source::at("src/b.rs", 3, 0));
    assert_eq!(
        line(&held),
        "Task 7 \"settle\" holds the guard of span \"request\" across an await, made at src/b.rs:3; \
         created at src/a.rs:20:5"
    );
}

/// What the program says is in nearly all of them.
#[test]
fn no_line_is_broken_by_what_the_program_says() {
    const HOSTILE: &str = "a\nb\u{1b}[31m\u{202e}c";
    for kind in Kind::ALL {
        let finding = Finding {
            subject: Some(HOSTILE.to_owned()),
            task_name: Some(HOSTILE.into()),
            number: Some(2),
            wall_ns: Some(1),
            ..panicked(named(*kind), HOSTILE)
        };
        let text = line(&finding);
        let breaks = |c: char| c.is_control() || c == '\u{202e}';
        assert!(!text.is_empty() && !text.contains(breaks), "{kind}: {text}");
    }
}

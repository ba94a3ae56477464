//! Golden lines: what a user reads.

use std::borrow::Cow;
use std::sync::Arc;

use pollscope_capture::SiteId;
use pollscope_capture::event::ErrorText;

use super::*;
use crate::finding::{Certainty, Kind, Place, Source};

pub(super) fn finding(kind: Kind) -> Finding {
    let site = Source {
        id: SiteId(1),
        type_name: Cow::Borrowed("app::work::{{closure}}"),
        ..Source::at("src/a.rs", 20, 5)
    };
    let mut finding = Finding::new(kind, site, 0);
    finding.certainty = Certainty::Definite;
    finding
}

pub(super) fn named(kind: Kind) -> Finding {
    Finding {
        task: 7,
        task_name: Some(Arc::from("settle")),
        ..finding(kind)
    }
}

pub(super) fn thread(tid: u32, name: &str) -> ThreadName {
    ThreadName {
        tid,
        name: Arc::from(name),
    }
}

pub(super) fn verdict(activity: Activity, syscall: Option<u32>) -> Verdict {
    Verdict { activity, syscall }
}

#[test]
fn slow_polls_that_were_only_counted() {
    let mut counted = finding(Kind::SlowPoll);
    counted.threshold_ns = Some(100_000_000);
    assert_eq!(
        line(&counted),
        "Polling a task took longer than 0.100 s: counted, the example was lost; created at src/a.rs:20:5"
    );
    counted.site.kind = TaskKind::BlockOn;
    counted.threshold_ns = None;
    assert_eq!(
        line(&counted),
        "Polling the block_on future took long: counted, the example was lost; created at src/a.rs:20:5"
    );
}

#[test]
fn a_slow_poll() {
    let poll = Finding {
        wall_ns: Some(124_000_000),
        threshold_ns: Some(100_000_000),
        ..named(Kind::SlowPoll)
    };
    assert_eq!(
        line(&poll),
        "Polling task 7 \"settle\" took 0.124 s (threshold 0.100 s), created at src/a.rs:20:5"
    );
    let note = Finding {
        wall_ns: Some(40_000_000),
        ..poll.clone()
    };
    assert_eq!(
        line(&note),
        "Polling task 7 \"settle\" took 0.040 s, created at src/a.rs:20:5"
    );
    let stopped = Finding {
        verdict: Some(verdict(Activity::Stopped, None)),
        ..poll
    };
    assert_eq!(
        line(&stopped),
        "Polling task 7 \"settle\" took 0.124 s (threshold 0.100 s), but it was stopped meanwhile, created at src/a.rs:20:5"
    );
}

#[test]
#[cfg(target_os = "linux")]
fn a_poll_that_lasts() {
    let mut poll = Finding {
        live: true,
        wall_ns: Some(1_200_000_000),
        threshold_ns: Some(100_000_000),
        verdict: Some(verdict(
            Activity::Syscall,
            Some(libc::SYS_clock_nanosleep as u32),
        )),
        delayed: Some(Delayed {
            tasks: 12,
            max_ns: 1_100_000_000,
        }),
        ..named(Kind::SlowPoll)
    };
    poll.observed.thread = Some(thread(31, "tokio-rt-worker"));
    assert_eq!(
        line(&poll),
        "Task 7 \"settle\" has been blocking thread \"tokio-rt-worker\" (31) for at least 1.200 s \
         (threshold 0.100 s) in clock_nanosleep, created at src/a.rs:20:5; 12 tasks wait behind it, the longest for 1.100 s"
    );
}

#[test]
fn a_poll_that_kept_others_waiting_and_the_future_in_it_that_took_the_time() {
    let delayed = |tasks| {
        Some(Delayed {
            tasks,
            max_ns: 110_000_000,
        })
    };
    let mut sub = Source::at("src/b.rs", 9, 5);
    sub.type_name = "app::settle::{{closure}}".into();
    let mut poll = Finding {
        wall_ns: Some(124_000_000),
        threshold_ns: Some(100_000_000),
        sub_future: Some(sub),
        delayed: delayed(3),
        ..named(Kind::SlowPoll)
    };
    assert_eq!(
        line(&poll),
        "Polling task 7 \"settle\" took 0.124 s (threshold 0.100 s), in app::settle at src/b.rs:9, \
         created at src/a.rs:20:5; 3 tasks waited behind it, the longest for 0.110 s"
    );
    poll.delayed = delayed(1);
    assert!(line(&poll).ends_with("; 1 task waited behind it, for 0.110 s"));
    poll.delayed = delayed(0);
    assert!(line(&poll).ends_with("created at src/a.rs:20:5"));
}

#[test]
fn a_drop_that_took_long_and_one_that_lasts() {
    let mut drop = Finding {
        wall_ns: Some(120_000_000),
        threshold_ns: Some(100_000_000),
        ..named(Kind::SlowDrop)
    };
    assert_eq!(
        line(&drop),
        "Dropping task 7 \"settle\" took 0.120 s (threshold 0.100 s), created at src/a.rs:20:5"
    );
    (drop.live, drop.at_least) = (true, true);
    assert_eq!(
        line(&drop),
        "Dropping task 7 \"settle\" has taken at least 0.120 s (threshold 0.100 s), created at src/a.rs:20:5"
    );
}

#[test]
fn a_future_never_awaited() {
    assert_eq!(
        line(&Finding {
            task_name: None,
            ..named(Kind::NeverAwaited)
        }),
        "future app::work was never awaited; created at src/a.rs:20:5, dropped in task 7"
    );
    let mut outside = Finding {
        certainty: Certainty::Likely,
        ..finding(Kind::NeverAwaited)
    };
    outside.observed.thread = Some(thread(1, "main"));
    assert_eq!(
        line(&outside),
        "future app::work was never awaited; created at src/a.rs:20:5, dropped on thread \"main\" (1) \
         (it may have lost a race in a select)"
    );
}

#[test]
fn a_lost_error() {
    let text = |display: Option<&str>, debug: Option<&str>| {
        Some(ErrorText {
            type_name: "core::result::Result<(), alloc::boxed::Box<dyn core::error::Error>>",
            display: display.map(str::to_owned),
            debug: debug.map(str::to_owned),
        })
    };
    let lost = |error| {
        line(&Finding {
            error,
            ..named(Kind::LeakedError)
        })
    };
    assert_eq!(
        lost(text(Some("disk full"), Some("Full"))),
        "Task 7 \"settle\" returned an error that nobody read: disk full; spawned at src/a.rs:20:5"
    );
    assert_eq!(
        lost(text(None, None)),
        "Task 7 \"settle\" returned an error that nobody read: an Err of Result<(), Box<dyn Error>>; \
         spawned at src/a.rs:20:5"
    );
}

#[test]
fn a_lost_panic() {
    let panic = Finding {
        panic: Some("index out of bounds".to_owned()),
        observed: Place {
            source: Some(Source::at("src/b.rs", 3, 9)),
            ..Place::default()
        },
        ..named(Kind::LeakedPanic)
    };
    assert_eq!(
        line(&panic),
        "Task 7 \"settle\" panicked and nobody asked how it ended: index out of bounds, at src/b.rs:3:9; \
         spawned at src/a.rs:20:5"
    );
}

#[test]
fn a_wrong_thread() {
    let mut wrong = Finding {
        subject: Some("app::Counter".to_owned()),
        did: Some("touched"),
        ..finding(Kind::WrongThread)
    };
    wrong.created.thread = Some(thread(1, "main"));
    wrong.observed.thread = Some(thread(31, "tokio-rt-worker"));
    wrong.observed.source = Some(Source::at("src/b.rs", 9, 2));
    assert_eq!(
        line(&wrong),
        "app::Counter belongs to thread \"main\" (1) and was touched on thread \"tokio-rt-worker\" (31) at src/b.rs:9:2; \
         made at src/a.rs:20:5"
    );
}

#[test]
fn a_blocked_worker() {
    let mut blocked = Finding {
        wall_ns: Some(400_000_000),
        verdict: Some(verdict(Activity::Lock, None)),
        site: Source {
            type_name: Cow::Borrowed("app::handler"),
            ..Source::at("src/h.rs", 8, 0)
        },
        ..finding(Kind::WorkerBlocked)
    };
    blocked.observed.thread = Some(thread(31, "tokio-rt-worker"));
    assert_eq!(
        line(&blocked),
        "Thread \"tokio-rt-worker\" (31) was blocked for at least 0.400 s waiting for a lock by something that is \
         no task of ours, in app::handler at src/h.rs:8"
    );
}

#[test]
fn a_late_timer() {
    let mut late = Finding {
        subject: Some("sleep".to_owned()),
        wall_ns: Some(1_150_000_000),
        threshold_ns: Some(100_000_000),
        ..named(Kind::TimerLate)
    };
    late.observed.thread = Some(thread(31, "tokio-rt-worker"));
    assert_eq!(
        line(&late),
        "A sleep fired 1.150 s late (threshold 0.100 s), in task 7 \"settle\" on thread \"tokio-rt-worker\" (31): \
         something held its worker; made at src/a.rs:20:5"
    );
}

#[test]
fn a_full_blocking_pool() {
    let mut full = Finding {
        live: true,
        certainty: Certainty::Definite,
        number: Some(3),
        wall_ns: Some(120_000_000),
        ..finding(Kind::BlockingPoolFull)
    };
    assert_eq!(
        line(&full),
        "The blocking pool is full: 3 closures wait, the longest for 0.120 s, spawned at src/a.rs:20:5"
    );
    (full.live, full.number) = (false, Some(1));
    assert_eq!(
        line(&full),
        "The blocking pool was full: 1 closure waited, for 0.120 s, spawned at src/a.rs:20:5"
    );
    full.certainty = Certainty::Likely;
    assert_eq!(
        line(&full),
        "The blocking pool seems to have been full: 1 closure waited, for 0.120 s, spawned at src/a.rs:20:5"
    );
}

/// Edge case 56: in the log.
#[test]
fn what_the_program_says_cannot_break_the_line() {
    let hostile = format!("a\nb\u{1b}[31m\u{202e}{}", "x".repeat(10_000));
    let cleaned = clean(&hostile);
    assert!(cleaned.starts_with("a\\nb\\u{1b}[31m\\u{202e}xxx") && cleaned.ends_with('…'));
    assert!(cleaned.chars().count() < 250);
    assert_eq!(clean("größer → 😀"), "größer → 😀");
}

#[test]
fn a_short_type_keeps_the_last_part_of_each_path() {
    assert_eq!(
        short_type("core::result::Result<a::B, (c::d::E, u8)>"),
        "Result<B, (E, u8)>"
    );
    assert_eq!(short_type("u8"), "u8");
    assert_eq!(short_type("&[alloc::string::String]"), "&[String]");
}

//! The whole way in debug: a poll that hangs is reported while it does, with its stack, and once when it is over.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Once};
use std::thread;
use std::time::{Duration, Instant};

use pollscope_agent::{Certainty, Kind, Severity};
use pollscope_capture::level::{self, Level, Source};
use pollscope_capture::stack::Activity;
use pollscope_capture::tracked::track;

#[path = "support/within.rs"]
mod within;
use within::within;

#[path = "support/executor.rs"]
mod executor;
use executor::{finding, run, until};

const THRESHOLD: Duration = Duration::from_millis(100);

fn begin() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        level::set_level(Level::Debug, Source::Explicit);
        level::set_slow_poll_ns(THRESHOLD.as_nanos() as u64);
        executor::begin();
        // The first stack of a process reads its unwind tables: let that be over before anything is timed.
        run("warm-up", async { sleep_here(Duration::from_millis(150)) })
            .join()
            .expect("it ends");
    });
}

#[inline(never)]
fn sleep_here(time: Duration) {
    thread::sleep(time);
    std::hint::black_box(());
}

/// Computes until it is told to stop.
#[inline(never)]
fn spin_until(stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        std::hint::spin_loop();
    }
    std::hint::black_box(());
}

#[inline(never)]
fn spin_here(time: Duration) {
    let begun = Instant::now();
    while begun.elapsed() < time {
        std::hint::spin_loop();
    }
    std::hint::black_box(());
}

/// Whether one of the addresses lies in this function, or just behind it: these functions are short.
fn goes_through(stack: &[usize], function: usize) -> bool {
    let start = function;
    stack
        .iter()
        .any(|frame| (start..start + 512).contains(frame))
}

/// Edge case 35: a sleep uses no CPU either, and is no thread that got none.
#[test]
fn a_sleep_in_a_poll_is_reported_while_it_lasts_and_once_when_it_is_over() {
    begin();
    // Long, so that a machine that is busy has found it by then; and what got no CPU at first is excused for a while.
    let asleep = Duration::from_secs(5);
    let line = line!() + 1;
    let worker = run("sleeper", async move { sleep_here(asleep) });
    let live = until("a live finding", || {
        finding(Kind::SlowPoll, "sleeper").filter(|found| found.severity > Severity::Info)
    });
    assert!(live.live && live.count == 1 && !worker.is_finished());
    assert_eq!(live.certainty, Certainty::Definite);
    assert!(live.severity >= Severity::Warn);
    assert_eq!((&*live.site.file, live.site.line), (file!(), line));
    assert!(
        goes_through(&live.observed.stack, sleep_here as *const () as usize),
        "{:x?}",
        live.observed.stack
    );
    assert_eq!(
        live.observed.thread.as_ref().map(|thread| &*thread.name),
        Some("w-sleeper")
    );
    let verdict = live.verdict.expect("a verdict");
    assert_eq!(
        (verdict.activity, verdict.syscall_name()),
        (Activity::Syscall, Some("clock_nanosleep"))
    );
    assert!(live.wall_ns >= Some(100_000_000) && live.cpu_ns < Some(50_000_000));
    assert!(
        live.message
            .contains("has been blocking thread \"w-sleeper\""),
        "{}",
        live.message
    );
    worker.join().expect("it ends");
    let ended =
        || finding(Kind::SlowPoll, "sleeper").filter(|finding| !finding.live && !finding.at_least);
    let over = until("its exact end", ended);
    assert_eq!((over.id, over.count, over.tasks), (live.id, 1, 1));
    assert!(
        over.wall_ns >= Some(asleep.as_nanos() as u64),
        "{:?}",
        over.wall_ns
    );
    assert!(
        goes_through(&over.observed.stack, sleep_here as *const () as usize),
        "what was seen stays"
    );
    assert!(over.message.starts_with("Polling task"), "{}", over.message);
    pollscope_agent::flush(Duration::from_secs(5));
    assert_eq!(
        finding(Kind::SlowPoll, "sleeper").map(|finding| finding.count),
        Some(1),
        "one poll, one count"
    );
}

#[test]
fn it_is_reported_within_the_threshold_and_two_rounds() {
    begin();
    // On a busy machine a try may be late, or the watchdog itself may get no CPU; that all tries are would be a defect.
    let found = || finding(Kind::SlowPoll, "punctual").map_or(0, |finding| finding.count);
    let limit = THRESHOLD + Duration::from_millis(20);
    let mut best = Duration::MAX;
    for _ in 0..40 {
        let (before, begun) = (found(), Instant::now());
        let worker = run("punctual", async {
            sleep_here(Duration::from_millis(200));
        });
        while found() == before && !worker.is_finished() {
            thread::sleep(Duration::from_millis(1));
        }
        let took = begun.elapsed();
        worker.join().expect("it ends");
        if found() > before {
            best = best.min(took);
        }
        if best <= limit {
            break;
        }
    }
    assert!(best <= limit, "{best:?}");
}

#[test]
fn a_poll_that_lasts_while_others_come_and_go_within_it_is_one_slow_poll() {
    begin();
    let worker = run("outer", async {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(900) {
            within("inner", async { sleep_here(Duration::from_millis(4)) });
            sleep_here(Duration::from_millis(4));
        }
    });
    let live = until("the outer poll", || {
        finding(Kind::SlowPoll, "outer").filter(|found| found.live)
    });
    while !worker.is_finished() {
        let now = finding(Kind::SlowPoll, "outer").expect("it stays");
        assert_eq!((now.id, now.count), (live.id, 1), "{now:?}");
    }
    worker.join().expect("it ends");
    pollscope_agent::flush(Duration::from_secs(5));
    let over = finding(Kind::SlowPoll, "outer").expect("it stays");
    assert_eq!((over.live, over.count), (false, 1));
    // Whole, but for what our own backtraces of the inner ones took, which is not the poll's.
    assert!(over.wall_ns >= Some(850_000_000), "{:?}", over.wall_ns);
    let inner = finding(Kind::SlowPoll, "inner");
    assert!(
        inner.is_none_or(|found| found.severity == Severity::Info),
        "none of them took long"
    );
}

#[test]
fn a_spin_is_told_from_a_sleep() {
    begin();
    let stop = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&stop);
    let worker = run("spinner", async move { spin_until(&told) });
    // A busy machine may not give it the CPU at first: then it is excused, until it has used as much as the threshold.
    let live = until("a finding on the CPU", || {
        finding(Kind::SlowPoll, "spinner").filter(|finding| {
            // Its stack follows the report by a tick of the clock.
            finding.severity > Severity::Info && !finding.observed.stack.is_empty()
        })
    });
    assert!(
        goes_through(&live.observed.stack, spin_until as *const () as usize),
        "{:x?}",
        live.observed.stack
    );
    stop.store(true, Ordering::Relaxed);
    worker.join().expect("it ends");
    pollscope_agent::flush(Duration::from_secs(5));
    let over = finding(Kind::SlowPoll, "spinner").expect("it stays");
    assert_eq!((over.live, over.count), (false, 1));
    assert_eq!(
        over.verdict.map(|verdict| verdict.activity),
        Some(Activity::OnCpu)
    );
}

#[test]
fn short_polls_are_not_reported() {
    begin();
    let mut left = 20;
    let worker = run(
        "healthy",
        std::future::poll_fn(move |cx| {
            spin_here(Duration::from_millis(2));
            left -= 1;
            if left == 0 {
                return std::task::Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            std::task::Poll::Pending
        }),
    );
    worker.join().expect("it ends");
    pollscope_agent::flush(Duration::from_secs(5));
    let found =
        finding(Kind::SlowPoll, "healthy").filter(|finding| finding.severity > Severity::Info);
    assert!(found.is_none(), "{found:?}");
}

#[test]
fn a_forgotten_future_and_a_lost_error_are_told_with_both_places() {
    begin();
    let line = line!() + 1;
    let worker = run("careless", async { drop(track(async { 7 })) });
    worker.join().expect("it ends");
    run("loser", async { Err::<(), _>("lost") })
        .join()
        .expect("it ends");
    pollscope_agent::flush(Duration::from_secs(5));
    let forgotten = finding(Kind::NeverAwaited, "careless").expect("never awaited");
    assert_eq!(
        (&*forgotten.site.file, forgotten.site.line),
        (file!(), line)
    );
    assert_eq!(
        (forgotten.severity, forgotten.certainty),
        (Severity::Warn, Certainty::Definite)
    );
    assert!(!forgotten.created.stack.is_empty() && !forgotten.observed.stack.is_empty());
    let lost = finding(Kind::LeakedError, "loser").expect("a leaked error");
    assert_eq!((lost.count, lost.severity), (1, Severity::Error));
    assert!(
        lost.error
            .is_some_and(|error| error.type_name.contains("Result"))
    );
}

#[test]
fn what_was_awaited_and_read_is_not() {
    begin();
    run("careful", async {
        track(async {}).await;
        track(async {}).discard();
    })
    .join()
    .expect("it ends");
    run("winner", async { Ok::<_, String>(7) })
        .join()
        .expect("it ends");
    pollscope_agent::flush(Duration::from_secs(5));
    for name in ["careful", "winner"] {
        for kind in [Kind::NeverAwaited, Kind::LeakedError, Kind::LeakedPanic] {
            let found = finding(kind, name).filter(|finding| finding.severity > Severity::Info);
            assert!(found.is_none(), "{name}: {found:?}");
        }
    }
}

//! A callback that takes too long is the slow poll of the line that asked for it. In a process of its own: debug is
//! the process's.

#![cfg(feature = "capture")]

#[path = "warnings/watch.rs"]
#[expect(dead_code, reason = "shared with the tests of other warnings")]
mod watch;

use std::thread;
use std::time::Duration;

use pollscope::event_loop::{self, EventLoop};
use watch::{Found, What, during};

/// What each callback sleeps.
const SLEEP: Duration = Duration::from_millis(150);

/// Asks for so many callbacks that sleep, from one line.
fn sleepers(count: usize, threshold: Duration) -> (u32, Vec<Found>) {
    let mut line = 0;
    let found = during(|| {
        let work = async {
            let event_loop = EventLoop::current();
            event_loop.set_debug(true);
            event_loop.set_slow_callback_duration(Some(threshold));
            assert_eq!(event_loop.slow_callback_duration(), Some(threshold));
            assert!(event_loop.get_debug());
            let (tell, told) = tokio::sync::oneshot::channel();
            for _ in 0..count {
                line = line!() + 1;
                event_loop.call_soon(|| thread::sleep(SLEEP)).expect("here");
            }
            let last = move || tell.send(()).expect("heard");
            event_loop.call_soon(last).expect("here");
            told.await.expect("called");
        };
        event_loop::run(work).expect("a loop");
    });
    (line, found)
}

/// How long the polls of this line took that reached `threshold`.
fn slow(found: &[Found], line: u32, threshold: Duration) -> Vec<Duration> {
    let slow = found.iter().filter_map(|found| match found.what {
        What::Slow(took) if found.line == line && took >= threshold => Some(took),
        _ => None,
    });
    slow.collect()
}

// One test: debug and its threshold are the process's.
#[test]
fn a_slow_callback_is_told_by_the_line_that_asked_for_it() {
    let threshold = Duration::from_millis(100);
    let (line, found) = sleepers(1, threshold);
    let [took] = slow(&found, line, threshold)[..] else {
        panic!("{found:?}")
    };
    assert!(took >= SLEEP, "{took:?}");
    let named = |found: &Found| found.line == line && found.type_name.contains("sleepers");
    assert!(found.iter().any(named), "{found:?}");

    // Ten that are fast, each by far, are no slow one, however long they take together.
    let threshold = SLEEP * 9;
    let (line, found) = sleepers(10, threshold);
    assert_eq!(slow(&found, line, threshold), []);

    // The blocking pool may take as long as it likes.
    let line = line!() + 4;
    let found = during(|| {
        let work = async {
            let event_loop = EventLoop::current();
            let work = event_loop.run_in_executor(|| thread::sleep(SLEEP));
            work.await.expect("no panic");
        };
        event_loop::run(work).expect("a loop");
    });
    assert_eq!(slow(&found, line, Duration::ZERO), []);
}

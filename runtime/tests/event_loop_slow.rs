//! A callback that takes too long is the slow poll of the line that asked for it. In a process of its own: debug is
//! the process's.

#[path = "warnings/watch.rs"]
#[expect(dead_code, reason = "shared with the tests of other warnings")]
mod watch;

use std::thread;
use std::time::Duration;

use pollscope::event_loop::{self, EventLoop};
use watch::{Found, What, during};

/// Far more than a turn of the loop takes on a busy machine would be a wait; so the twin has a higher limit instead.
const SLOW: Duration = Duration::from_millis(150);

fn calls_a_sleeper(threshold: Duration) -> (u32, Vec<Found>) {
    let mut line = 0;
    let found = during(|| {
        event_loop::run(async {
            let event_loop = EventLoop::current();
            event_loop.set_debug(true);
            event_loop.set_slow_callback_duration(Some(threshold));
            assert_eq!(event_loop.slow_callback_duration(), Some(threshold));
            assert!(event_loop.get_debug());
            let (tell, told) = tokio::sync::oneshot::channel();
            let sleeper = move || {
                thread::sleep(SLOW);
                tell.send(()).expect("heard");
            };
            line = line!() + 1;
            event_loop.call_soon(sleeper).expect("here");
            told.await.expect("called");
        })
        .expect("a loop");
    });
    (line, found)
}

#[test]
fn a_slow_callback_is_told_by_the_line_that_asked_for_it() {
    let (line, found) = calls_a_sleeper(Duration::from_millis(100));
    let at_line = |found: &&Found| found.line == line && matches!(found.what, What::Slow(_));
    let told: Vec<_> = found.iter().filter(at_line).collect();
    assert_eq!(told.len(), 1, "{found:?}");
    let What::Slow(took) = told[0].what else {
        panic!("{found:?}")
    };
    assert!(took >= SLOW, "{took:?}");
    assert!(told[0].type_name.contains("calls_a_sleeper"), "{found:?}");
    // The blocking pool may take as long as it likes.
    let found = during(|| {
        event_loop::run(async {
            let work = EventLoop::current().run_in_executor(|| thread::sleep(SLOW));
            work.await.expect("no panic");
        })
        .expect("a loop");
    });
    let closure = |found: &&Found| found.type_name.contains("a_slow_callback") && found.line > line;
    assert_eq!(found.iter().find(closure), None);
    // The same callback is fast, by another measure.
    let (_, found) = calls_a_sleeper(Duration::from_secs(3600));
    let slow = |found: &&Found| matches!(found.what, What::Slow(took) if took >= Duration::from_secs(3600));
    assert_eq!(found.iter().find(slow), None);
}

//! P9: a coroutine run from another thread, and its failure that nobody reads. Python loses that one.

use std::time::Duration;

use pollscope::event_loop::{self, EventLoop, WaitError};

const LIMIT: Duration = Duration::from_secs(20);

/// Runs `work` on a thread of the pool, while the loop runs here.
fn elsewhere(work: impl FnOnce(&EventLoop) + Send + 'static) {
    let ran = event_loop::run(async {
        let event_loop = EventLoop::current();
        let remote = event_loop.clone();
        event_loop.run_in_executor(move || work(&remote)).await
    });
    ran.expect("a loop").expect("no panic");
}

pub(crate) fn faulty() {
    elsewhere(|event_loop| {
        let fails = event_loop.run_coroutine_threadsafe(async { Err::<(), _>("no payer") }); // @failed
        while !fails.done() {
            std::thread::yield_now();
        }
        drop(fails);
    });
}

pub(crate) fn healthy() {
    elsewhere(|event_loop| {
        let mut answer = event_loop.run_coroutine_threadsafe(async { 42 });
        assert_eq!(answer.result(Some(LIMIT)).expect("it ends"), 42);

        let mut stuck = event_loop.run_coroutine_threadsafe(std::future::pending::<()>());
        let late = stuck.result(Some(Duration::from_millis(50)));
        assert!(matches!(late, Err(WaitError::TimedOut)));
        stuck.cancel();
        let ended = stuck.result(Some(LIMIT));
        assert!(matches!(ended, Err(WaitError::Join(end)) if end.is_cancelled()));

        let mut fails = event_loop.run_coroutine_threadsafe(async { Err::<(), _>("no payer") });
        assert!(fails.result(Some(LIMIT)).expect("it ends").is_err());
    });
}

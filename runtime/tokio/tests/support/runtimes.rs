//! Runtimes that tests run on: a fresh one each, so that nothing of one test lives on in the next.

#![allow(dead_code, reason = "each test file uses what it needs")]

use std::future::Future;
use std::time::Duration;

use pollscope_tokio::runtime::{Builder, Runtime};

/// Keeps the agent from starting: it would take the findings first. The first caller wins.
pub(crate) fn without_agent() {
    pollscope_capture::registry::set_starter(|| {});
}

pub(crate) fn multi_thread() -> Runtime {
    without_agent();
    Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime")
}

/// In debug, where polls are slow from `slow` on. Both hold for the process, so every test of a file says the same.
pub(crate) fn debugging(slow: Duration) -> Builder {
    without_agent();
    let mut builder = Builder::new_multi_thread();
    builder
        .worker_threads(2)
        .enable_all()
        .debug(true)
        .slow_poll(slow);
    builder
}

pub(crate) fn current_thread() -> Runtime {
    without_agent();
    Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

/// Runs the test on both flavors, one after the other.
pub(crate) fn on_both<F: Future>(test: impl Fn() -> F) {
    current_thread().block_on(test());
    multi_thread().block_on(test());
}

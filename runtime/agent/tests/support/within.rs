//! A poll within a poll.

use std::future::Future;
use std::panic::Location;
use std::pin::pin;
use std::task::{Context, Waker};

use pollscope_capture::TaskKind;
use pollscope_capture::instrumented::{Untold, instrument};
use pollscope_capture::task::{Asks, Meta};

/// Polls a task of its own to its end, in one poll, within whatever is polled here.
pub(crate) fn within<F: Future<Output = ()>>(name: &str, future: F) {
    let meta = Meta {
        location: Location::caller(),
        kind: TaskKind::Local,
        name: Some(name),
        runtime: 0,
        asks: Asks::Handle,
    };
    let (task, handle) = instrument(future, Untold, &meta);
    drop(handle);
    let mut cx = Context::from_waker(Waker::noop());
    assert!(pin!(task).poll(&mut cx).is_ready());
}

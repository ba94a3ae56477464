//! Tasks without a runtime: futures under pollscope's eyes, polled by hand.

use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use pollscope_capture::TaskKind;
use pollscope_capture::instrumented::{Observed, instrument};
use pollscope_capture::task::{Asks, HandleShare, Meta};

/// A task that is polled by hand, and ended by its drop.
pub(super) struct Task {
    future: Pin<Box<dyn Future<Output = Observed<()>> + Send>>,
    _handle: HandleShare,
}

impl Task {
    /// Spawned by the caller, and never ready.
    #[track_caller]
    pub(super) fn pending(name: &str) -> Self {
        Self::new(name, std::future::pending())
    }

    #[track_caller]
    pub(super) fn new(name: &str, future: impl Future<Output = ()> + Send + 'static) -> Self {
        let meta = Meta {
            location: Location::caller(),
            kind: TaskKind::Task,
            name: Some(name),
            runtime: 0,
            asks: Asks::Handle,
        };
        let (future, handle) = instrument(future, pollscope_capture::instrumented::Untold, &meta);
        Self {
            future: Box::pin(future),
            _handle: handle,
        }
    }

    pub(super) fn poll(&mut self) -> Poll<()> {
        self.future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
            .map(|_seen| ())
    }
}

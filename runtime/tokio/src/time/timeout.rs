//! `timeout` and `timeout_at`: Tokio's, that tell when they were late.

use std::future::{Future, IntoFuture};
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use tokio::time::error::Elapsed;
use tokio::time::{Duration, Instant};

use super::late::Watch;

/// Requires a future to complete within `duration`, as [`tokio::time::timeout`] does. One that elapses is watched as
/// [`sleep`](super::sleep) is.
///
/// # Panics
/// Outside a runtime, and in one without timers, with Tokio's words.
#[track_caller]
pub fn timeout<F>(duration: Duration, future: F) -> Timeout<F::IntoFuture>
where
    F: IntoFuture,
{
    let watch = Watch::new("timeout", Location::caller());
    // Tokio reads the clock within and keeps it to itself: a second time only where somebody measures.
    let deadline = watch
        .is_on()
        .then(|| Instant::now().checked_add(duration))
        .flatten();
    Timeout {
        inner: tokio::time::timeout(duration, future),
        deadline,
        watch,
    }
}

/// Requires a future to complete before `deadline`, as [`tokio::time::timeout_at`] does. One that elapses is watched as
/// [`sleep`](super::sleep) is.
///
/// # Panics
/// Outside a runtime, and in one without timers, with Tokio's words.
#[track_caller]
pub fn timeout_at<F>(deadline: Instant, future: F) -> Timeout<F::IntoFuture>
where
    F: IntoFuture,
{
    Timeout {
        inner: tokio::time::timeout_at(deadline, future),
        deadline: Some(deadline),
        watch: Watch::new("timeout", Location::caller()),
    }
}

pin_project! {
    /// The future of [`timeout`] and [`timeout_at`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct Timeout<T> {
        #[pin]
        inner: tokio::time::Timeout<T>,
        // `None`: never, or it is not watched.
        deadline: Option<Instant>,
        watch: Watch,
    }
}

impl<T> Timeout<T> {
    /// The future within.
    pub fn get_ref(&self) -> &T {
        self.inner.get_ref()
    }

    /// The future within.
    pub fn get_mut(&mut self) -> &mut T {
        self.inner.get_mut()
    }

    /// The future within, without its timeout.
    pub fn into_inner(self) -> T {
        self.inner.into_inner()
    }
}

impl<T: Future> Future for Timeout<T> {
    type Output = Result<T::Output, Elapsed>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let polled = this.inner.poll(cx);
        match (&polled, *this.deadline) {
            (Poll::Pending, _) => this.watch.is_pending(),
            (Poll::Ready(Err(_)), Some(deadline)) => this.watch.has_elapsed(deadline),
            (Poll::Ready(_), _) => {}
        }
        polled
    }
}

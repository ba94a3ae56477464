//! Tracked futures that nobody tracks.

use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

pin_project! {
    /// A future. In this build, which has no capture, nobody is told where it is dropped unpolled.
    #[derive(Debug)]
    pub struct Tracked<F> {
        #[pin]
        future: F,
    }
}

/// The future itself.
#[inline]
pub fn track_at<F>(future: F, _: &'static Location<'static>) -> Tracked<F> {
    Tracked { future }
}

/// The future itself.
#[inline]
pub fn track<F>(future: F) -> Tracked<F> {
    Tracked { future }
}

impl<F> Tracked<F> {
    /// Drops the future.
    pub fn discard(self) {}
}

impl<F: Future> Future for Tracked<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.project().future.poll(cx)
    }
}

#[inline]
pub fn stir() {}

#[inline]
pub fn begin_excuse() {}

#[inline]
pub fn end_excuse() {}

#[inline]
pub fn excuse<R>(work: impl FnOnce() -> R) -> R {
    work()
}

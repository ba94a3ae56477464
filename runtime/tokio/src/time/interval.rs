//! `interval` and `interval_at`: Tokio's, that tell when a tick was late.

use std::future::poll_fn;
use std::panic::Location;
use std::task::{Context, Poll};

use tokio::time::{Duration, Instant, MissedTickBehavior};

use super::late::Watch;

/// Ticks every `period`, at once the first time, as [`tokio::time::interval`] does. Each tick is watched as a
/// [`sleep`](super::sleep) is: one that was missed because nobody awaited it is not late.
///
/// # Panics
/// When `period` is zero; outside a runtime, and in one without timers; with Tokio's words.
#[track_caller]
pub fn interval(period: Duration) -> Interval {
    Interval {
        inner: tokio::time::interval(period),
        watch: Watch::new("interval", Location::caller()),
    }
}

/// Ticks every `period` from `start` on, as [`tokio::time::interval_at`] does; watched as [`interval`] is.
///
/// # Panics
/// As [`interval`].
#[track_caller]
pub fn interval_at(start: Instant, period: Duration) -> Interval {
    Interval {
        inner: tokio::time::interval_at(start, period),
        watch: Watch::new("interval", Location::caller()),
    }
}

/// What [`interval`] and [`interval_at`] give.
#[derive(Debug)]
pub struct Interval {
    inner: tokio::time::Interval,
    watch: Watch,
}

impl Interval {
    /// Waits for the next tick, and gives its instant. Dropped before it, it loses none.
    pub async fn tick(&mut self) -> Instant {
        poll_fn(|cx| self.poll_tick(cx)).await
    }

    /// Polls for the next tick.
    pub fn poll_tick(&mut self, cx: &mut Context<'_>) -> Poll<Instant> {
        let polled = self.inner.poll_tick(cx);
        match polled {
            Poll::Ready(deadline) => self.watch.has_elapsed(deadline),
            Poll::Pending => self.watch.is_pending(),
        }
        polled
    }

    /// The next tick comes a period from now.
    pub fn reset(&mut self) {
        self.watch.forget();
        self.inner.reset();
    }

    /// The next tick comes at once.
    pub fn reset_immediately(&mut self) {
        self.watch.forget();
        self.inner.reset_immediately();
    }

    /// The next tick comes so long from now.
    pub fn reset_after(&mut self, after: Duration) {
        self.watch.forget();
        self.inner.reset_after(after);
    }

    /// The next tick comes then.
    pub fn reset_at(&mut self, deadline: Instant) {
        self.watch.forget();
        self.inner.reset_at(deadline);
    }

    /// What becomes of ticks that were missed.
    pub fn missed_tick_behavior(&self) -> MissedTickBehavior {
        self.inner.missed_tick_behavior()
    }

    /// Says what becomes of ticks that are missed.
    pub fn set_missed_tick_behavior(&mut self, behavior: MissedTickBehavior) {
        self.inner.set_missed_tick_behavior(behavior);
    }

    /// Its period.
    pub fn period(&self) -> Duration {
        self.inner.period()
    }

    /// Tokio's interval, for an interface that asks for one. It is not watched any more.
    pub fn into_tokio(self) -> tokio::time::Interval {
        self.inner
    }
}

//! `sleep` and `sleep_until`: Tokio's, that tell when they were late.

use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use tokio::time::{Duration, Instant};

use super::late::Watch;

/// Waits until `duration` has elapsed, as [`tokio::time::sleep`] does.
///
/// In debug, one that is awaited by a task of ours, on a runtime of ours, and whose task gets its poll later than its
/// deadline by the slow-poll threshold or more, is told of as `timer_late`, at the line of this call: something held
/// the worker. Silent are idleness, Tokio's paused clock, tasks that were polled meanwhile and awaited something else,
/// tasks of a `LocalSet`, and times in which the process was stopped or got no CPU.
///
/// Cost over Tokio's: one load below debug; in debug a count for its line, and two clock reads for each poll that finds
/// it pending.
///
/// # Panics
/// Outside a runtime, and in one without timers, with Tokio's words.
///
/// # Examples
///
/// ```
/// # let runtime = pollscope_tokio::runtime::Builder::new_current_thread().enable_all().build()?;
/// # runtime.block_on(async {
/// use pollscope_tokio::time::{Duration, sleep};
///
/// sleep(Duration::from_millis(5)).await;
/// # });
/// # Ok::<(), std::io::Error>(())
/// ```
#[track_caller]
pub fn sleep(duration: Duration) -> Sleep {
    Sleep {
        inner: tokio::time::sleep(duration),
        watch: Watch::new("sleep", Location::caller()),
    }
}

/// Waits until `deadline`, as [`tokio::time::sleep_until`] does; watched as [`sleep`] is.
///
/// # Panics
/// Outside a runtime, and in one without timers, with Tokio's words.
#[track_caller]
pub fn sleep_until(deadline: Instant) -> Sleep {
    Sleep {
        inner: tokio::time::sleep_until(deadline),
        watch: Watch::new("sleep", Location::caller()),
    }
}

pin_project! {
    /// The future of [`sleep`] and [`sleep_until`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct Sleep {
        #[pin]
        inner: tokio::time::Sleep,
        watch: Watch,
    }
}

impl Sleep {
    /// When it completes.
    pub fn deadline(&self) -> Instant {
        self.inner.deadline()
    }

    /// Whether it has elapsed.
    pub fn is_elapsed(&self) -> bool {
        self.inner.is_elapsed()
    }

    /// Sets it anew, before or after it has completed.
    pub fn reset(self: Pin<&mut Self>, deadline: Instant) {
        let this = self.project();
        this.watch.forget();
        this.inner.reset(deadline);
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        let polled = this.inner.as_mut().poll(cx);
        match polled {
            Poll::Ready(()) => this.watch.has_elapsed(this.inner.deadline()),
            Poll::Pending => this.watch.is_pending(),
        }
        polled
    }
}

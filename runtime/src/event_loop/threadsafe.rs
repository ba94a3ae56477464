//! A task of the loop, as a thread elsewhere sees it: it can wait for it, with a limit, and cancel it.

use std::fmt;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use super::EventLoop;
use crate::task::{JoinError, JoinHandle};

/// What [`EventLoop::run_coroutine_threadsafe`] gives: the `concurrent.futures.Future` of asyncio.
///
/// Wait for it by [`result`](Self::result) where threads block, or by `.await` in a task. Dropping it detaches the
/// task: it runs on, and what fails then is reported, because nobody can read it.
#[must_use = "dropped, nobody learns how the task ended"]
pub struct ThreadsafeFuture<T> {
    event_loop: EventLoop,
    task: JoinHandle<T>,
    taken: bool,
}

impl<T> ThreadsafeFuture<T> {
    pub(super) fn new(event_loop: EventLoop, task: JoinHandle<T>) -> Self {
        Self {
            event_loop,
            task,
            taken: false,
        }
    }

    /// Blocks this thread until the task has ended, for at most `timeout`; `None`: for as long as it takes.
    ///
    /// As asyncio's `future.result(timeout)`. After [`WaitError::TimedOut`] the task runs on and can be waited for
    /// again, or cancelled. The result is given once.
    ///
    /// ```
    /// use std::time::Duration;
    /// use pollscope::event_loop::{self, EventLoop, WaitError};
    ///
    /// event_loop::run(async {
    ///     let event_loop = EventLoop::current();
    ///     let remote = event_loop.clone();
    ///     let work = move || {
    ///         let mut stuck = remote.run_coroutine_threadsafe(std::future::pending::<()>());
    ///         let late = stuck.result(Some(Duration::from_millis(1))).unwrap_err();
    ///         assert!(matches!(late, WaitError::TimedOut));
    ///         stuck.cancel();
    ///         let ended = stuck.result(None).unwrap_err();
    ///         assert!(matches!(ended, WaitError::Join(error) if error.is_cancelled()));
    ///     };
    ///     event_loop.run_in_executor(work).await
    /// })?.unwrap();
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`WaitError`]: out of time, on the loop's own thread, cancelled, panicked, or asked before.
    pub fn result(&mut self, timeout: Option<Duration>) -> Result<T, WaitError> {
        if self.taken {
            return Err(WaitError::Taken);
        }
        // Only this thread could end it, and it would wait.
        if self.event_loop.is_here() && !self.task.is_finished() {
            return Err(WaitError::WouldDeadlock);
        }
        // A limit that no clock can hold is none.
        let limit = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let ended = wait(&mut self.task, limit).ok_or(WaitError::TimedOut)?;
        self.taken = true;
        ended.map_err(WaitError::Join)
    }

    /// Aborts the task. From any thread.
    ///
    /// As asyncio's `future.cancel()`; it takes effect where the task next waits, and a task that has ended stays
    /// ended.
    #[track_caller]
    pub fn cancel(&self) {
        self.task.abort();
    }

    /// Whether the task has ended. Asking is not reading: an error is still reported if nobody does.
    pub fn done(&self) -> bool {
        self.task.is_finished()
    }
}

impl<T> Future for ThreadsafeFuture<T> {
    type Output = Result<T, JoinError>;

    /// # Panics
    /// Once it, or [`result`](Self::result), gave the result.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let ended = Pin::new(&mut self.task).poll(cx);
        self.taken |= ended.is_ready();
        ended
    }
}

impl<T> fmt::Debug for ThreadsafeFuture<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadsafeFuture")
            .field("task", &self.task.id())
            .field("done", &self.done())
            .field("event_loop", &self.event_loop)
            .finish_non_exhaustive()
    }
}

/// Why there is no result.
#[derive(Debug)]
#[non_exhaustive]
pub enum WaitError {
    /// The task has not ended in time. It runs on.
    TimedOut,
    /// This is the loop's own thread: to wait here would keep the task from ever ending. `.await` it instead.
    WouldDeadlock,
    /// The task was cancelled, or panicked.
    Join(JoinError),
    /// The result was given before.
    Taken,
}

impl fmt::Display for WaitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut => f.write_str("the task has not ended in time"),
            Self::WouldDeadlock => f.write_str(
                "waiting on the event loop's own thread would keep the task from ending: await it instead",
            ),
            Self::Join(error) => error.fmt(f),
            Self::Taken => f.write_str("the result was taken before"),
        }
    }
}

impl std::error::Error for WaitError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Join(error) => Some(error),
            Self::TimedOut | Self::WouldDeadlock | Self::Taken => None,
        }
    }
}

/// Wakes a thread that waits.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Blocks this thread on a future that needs no runtime to be polled; `None`: not before `limit`.
fn wait<F: Future>(future: F, limit: Option<Instant>) -> Option<F::Output> {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return Some(output);
        }
        match limit {
            None => thread::park(),
            // Looked at again after the last park: what came at the limit came in time.
            Some(limit) => match limit.checked_duration_since(Instant::now()) {
                Some(left) if !left.is_zero() => thread::park_timeout(left),
                _ => return None,
            },
        }
    }
}

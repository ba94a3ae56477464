//! `TaskTracker`: tokio-util's, its tasks under pollscope's eyes.

pub use tokio_util::task::task_tracker::*;

use std::future::Future;
use std::ops::Deref;

use pollscope_tokio::runtime::Handle;
use pollscope_tokio::task::{self, JoinHandle, LocalSet};

/// Waits for tasks to end, as `tokio_util::task::TaskTracker` does. What does not spawn is tokio-util's, by `Deref`.
///
/// ```
/// # let runtime = pollscope_tokio::runtime::Runtime::new()?;
/// # runtime.block_on(async {
/// use pollscope_tokio_util::task::TaskTracker;
///
/// let tracker = TaskTracker::new();
/// for n in 0..10 {
///     tracker.spawn(async move { n });
/// }
/// tracker.close();
/// tracker.wait().await;
/// assert!(tracker.is_empty());
/// # });
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct TaskTracker {
    inner: tokio_util::task::TaskTracker,
}

impl TaskTracker {
    /// One that tracks nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Spawns a task on the current runtime.
    ///
    /// # Panics
    /// Outside a runtime, with Tokio's words.
    #[track_caller]
    pub fn spawn<F>(&self, task: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        task::spawn(self.track_future(task))
    }

    /// Spawns a task on the runtime of `handle`.
    #[track_caller]
    pub fn spawn_on<F>(&self, task: F, handle: &Handle) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        handle.spawn(self.track_future(task))
    }

    /// Spawns a `!Send` task on the current [`LocalSet`] or local runtime.
    ///
    /// # Panics
    /// Outside both, with Tokio's words.
    #[track_caller]
    pub fn spawn_local<F>(&self, task: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        task::spawn_local(self.track_future(task))
    }

    /// Spawns a `!Send` task on `local_set`.
    #[track_caller]
    pub fn spawn_local_on<F>(&self, task: F, local_set: &LocalSet) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        local_set.spawn_local(self.track_future(task))
    }

    /// Runs a closure on the blocking pool of the current runtime.
    ///
    /// # Panics
    /// Outside a runtime, with Tokio's words.
    #[track_caller]
    pub fn spawn_blocking<F, T>(&self, task: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let token = self.token();
        task::spawn_blocking(move || tracked(task, token))
    }

    /// Runs a closure on the blocking pool of the runtime of `handle`.
    #[track_caller]
    pub fn spawn_blocking_on<F, T>(&self, task: F, handle: &Handle) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let token = self.token();
        handle.spawn_blocking(move || tracked(task, token))
    }

    /// Whether both are clones of one tracker.
    #[must_use]
    pub fn ptr_eq(left: &Self, right: &Self) -> bool {
        tokio_util::task::TaskTracker::ptr_eq(&left.inner, &right.inner)
    }
}

/// The token is dropped when the work is done, also by a panic.
fn tracked<T>(work: impl FnOnce() -> T, token: TaskTrackerToken) -> T {
    let _token = token;
    work()
}

impl Deref for TaskTracker {
    type Target = tokio_util::task::TaskTracker;

    fn deref(&self) -> &Self::Target {
        &self.inner
    }
}

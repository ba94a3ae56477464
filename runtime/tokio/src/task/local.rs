//! `LocalSet`: Tokio's, its tasks under our eyes.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::capture::TaskKind;
use crate::capture::thread::{self, Role};
use tokio::task::LocalEnterGuard;

use super::{JoinHandle, NewTask, blocked_on, watched};
use crate::runtime::{Driving, Runtime};

/// A set of tasks that run on one thread, as [`tokio::task::LocalSet`] is.
#[derive(Default)]
pub struct LocalSet {
    inner: tokio::task::LocalSet,
}

impl LocalSet {
    /// An empty set, owned by this thread.
    ///
    /// # Panics
    /// While the thread ends, with Tokio's words.
    #[track_caller]
    pub fn new() -> Self {
        Self {
            inner: tokio::task::LocalSet::new(),
        }
    }

    /// Enters the set: [`spawn_local`](super::spawn_local) spawns here until the guard is dropped.
    pub fn enter(&self) -> LocalEnterGuard {
        self.inner.enter()
    }

    /// Spawns a `!Send` task onto the set.
    #[track_caller]
    pub fn spawn_local<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        self.spawn_as(NewTask::here(TaskKind::Local), future)
    }

    #[track_caller]
    pub(crate) fn spawn_as<F>(&self, task: NewTask<'_>, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        watched!(task, future => |future, share| JoinHandle::new(self.inner.spawn_local(future), share))
    }

    /// Runs the future to its end on `runtime`, and the set's tasks beside it.
    ///
    /// # Panics
    /// Inside a runtime, with Tokio's words.
    #[track_caller]
    pub fn block_on<F>(&self, runtime: &Runtime, future: F) -> F::Output
    where
        F: Future,
    {
        let number = runtime.handle().number();
        let _driving = Driving::of(Role::Local, number);
        blocked_on!(number, future => |future| self.inner.block_on(runtime.inner(), future))
    }

    /// Runs the future to its end, and the set's tasks beside it.
    pub async fn run_until<F>(&self, future: F) -> F::Output
    where
        F: Future,
    {
        drives();
        self.inner.run_until(future).await
    }

    /// The id of the set.
    pub fn id(&self) -> tokio::runtime::Id {
        self.inner.id()
    }

    /// What to do when a task panics: see Tokio's method of this name.
    #[cfg(tokio_unstable)]
    pub fn unhandled_panic(&mut self, behavior: tokio::runtime::UnhandledPanic) -> &mut Self {
        self.inner.unhandled_panic(behavior);
        self
    }

    /// Tokio's set, for an interface that asks for one. What is spawned through it is not seen.
    pub fn inner(&self) -> &tokio::task::LocalSet {
        &self.inner
    }
}

/// The thread polls a set: from now on it is shown as one that does.
fn drives() {
    if let Some(thread) = thread::current()
        && thread.role() == Role::Other
    {
        thread.set_role(Role::Local, thread.runtime());
    }
}

impl Future for LocalSet {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        drives();
        Pin::new(&mut self.inner).poll(cx)
    }
}

impl fmt::Debug for LocalSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

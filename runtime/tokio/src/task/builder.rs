//! `task::Builder`: names for tasks. Tokio has it under `tokio_unstable` and feature `tracing` only; here it is always.

use std::future::Future;
use std::io;

use crate::capture::TaskKind;

use super::{JoinHandle, LocalSet, NewTask, watched};
use crate::runtime::Handle;

/// Spawns tasks that have a name, in the shape of Tokio's unstable `task::Builder`.
///
/// Names are shown by the inspector; the first 128 bytes are kept. A named spawn takes a short lock.
///
/// ```
/// # let runtime = pollscope_tokio::runtime::Runtime::new()?;
/// # runtime.block_on(async {
/// let handle = pollscope_tokio::task::Builder::new().name("settle").spawn(async { 7 })?;
/// assert_eq!(handle.await?, 7);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Default, Debug)]
pub struct Builder<'a> {
    name: Option<&'a str>,
    expects_errors: bool,
}

impl<'a> Builder<'a> {
    /// A builder of tasks without a name.
    pub fn new() -> Self {
        Self::default()
    }

    /// Names the task.
    #[must_use]
    pub fn name(&self, name: &'a str) -> Self {
        Self {
            name: Some(name),
            ..*self
        }
    }

    /// Says that an `Err` of the task is a value like others, which may be dropped: it is not reported where nobody
    /// reads it. A panic is.
    ///
    /// ```
    /// # let runtime = pollscope_tokio::runtime::Runtime::new()?;
    /// # runtime.block_on(async {
    /// let probe = pollscope_tokio::task::Builder::new().expect_errors().spawn(async { Err::<(), _>("no answer") })?;
    /// drop(probe); // silent
    /// # Ok::<(), std::io::Error>(())
    /// # })?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn expect_errors(&self) -> Self {
        Self {
            expects_errors: true,
            ..*self
        }
    }

    fn spawned<T>(&self, handle: JoinHandle<T>) -> JoinHandle<T> {
        if self.expects_errors {
            handle.expecting_errors()
        } else {
            handle
        }
    }

    /// Spawns a task on the current runtime.
    ///
    /// # Errors
    /// Never: as Tokio's.
    #[track_caller]
    pub fn spawn<F>(self, future: F) -> io::Result<JoinHandle<F::Output>>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let task = NewTask::here(TaskKind::Task).named(self.name);
        Ok(self.spawned(
            watched!(task, future => |future, share| JoinHandle::new(tokio::task::spawn(future), share)),
        ))
    }

    /// Spawns a task on the runtime of `handle`.
    ///
    /// # Errors
    /// Never: as Tokio's.
    #[track_caller]
    pub fn spawn_on<F>(self, future: F, handle: &Handle) -> io::Result<JoinHandle<F::Output>>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let handle = handle.spawn_as(NewTask::here(TaskKind::Task).named(self.name), future);
        Ok(self.spawned(handle))
    }

    /// Spawns a `!Send` task on the current [`LocalSet`] or local runtime.
    ///
    /// # Errors
    /// Never: as Tokio's.
    ///
    /// # Panics
    /// Outside both, as [`spawn_local`](super::spawn_local).
    #[track_caller]
    pub fn spawn_local<F>(self, future: F) -> io::Result<JoinHandle<F::Output>>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let task = NewTask::here(TaskKind::Local).named(self.name);
        Ok(self.spawned(super::spawn::spawn_local_as(task, future)))
    }

    /// Spawns a `!Send` task on `local_set`.
    ///
    /// # Errors
    /// Never: as Tokio's.
    #[track_caller]
    pub fn spawn_local_on<F>(
        self,
        future: F,
        local_set: &LocalSet,
    ) -> io::Result<JoinHandle<F::Output>>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let handle = local_set.spawn_as(NewTask::here(TaskKind::Local).named(self.name), future);
        Ok(self.spawned(handle))
    }

    /// Runs a closure on the blocking pool of the current runtime.
    ///
    /// # Errors
    /// Never: where Tokio's would fail, the task is cancelled.
    #[track_caller]
    pub fn spawn_blocking<F, R>(self, work: F) -> io::Result<JoinHandle<R>>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        let (work, share) = NewTask::here(TaskKind::Blocking)
            .named(self.name)
            .of_closure(work);
        let handle = JoinHandle::new(tokio::task::spawn_blocking(work), share);
        Ok(self.spawned(handle))
    }

    /// Runs a closure on the blocking pool of the runtime of `handle`.
    ///
    /// # Errors
    /// Never: where Tokio's would fail, the task is cancelled.
    #[track_caller]
    pub fn spawn_blocking_on<F, R>(self, work: F, handle: &Handle) -> io::Result<JoinHandle<R>>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        let task = NewTask::here(TaskKind::Blocking).named(self.name);
        Ok(self.spawned(handle.spawn_blocking_as(task, work)))
    }
}

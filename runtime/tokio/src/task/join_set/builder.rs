//! `join_set::Builder`: names for the tasks of a set.

use std::fmt;
use std::future::Future;
use std::io;

use crate::capture::TaskKind;
use tokio::task::AbortHandle;

use super::JoinSet;
use crate::runtime::Handle;
use crate::task::{LocalSet, NewTask};

/// Spawns tasks that have a name into a [`JoinSet`], in the shape of Tokio's unstable `join_set::Builder`.
#[must_use = "builders do nothing unless used to spawn a task"]
pub struct Builder<'a, T> {
    set: &'a mut JoinSet<T>,
    name: Option<&'a str>,
}

impl<'a, T: 'static> Builder<'a, T> {
    pub(super) fn new(set: &'a mut JoinSet<T>) -> Self {
        Self { set, name: None }
    }

    /// Names the task.
    pub fn name(self, name: &'a str) -> Self {
        Self {
            name: Some(name),
            ..self
        }
    }

    /// Spawns a task on the current runtime.
    ///
    /// # Errors
    /// Never: as Tokio's.
    #[track_caller]
    pub fn spawn<F>(self, future: F) -> io::Result<AbortHandle>
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        Ok(self
            .set
            .spawn_as(NewTask::here(TaskKind::Task).named(self.name), future))
    }

    /// Spawns a task on the runtime of `handle`.
    ///
    /// # Errors
    /// Never: as Tokio's.
    #[track_caller]
    pub fn spawn_on<F>(self, future: F, handle: &Handle) -> io::Result<AbortHandle>
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        Ok(self.set.spawn_on_as(
            NewTask::here(TaskKind::Task).named(self.name),
            future,
            handle,
        ))
    }

    /// Runs a closure on the blocking pool of the current runtime.
    ///
    /// # Errors
    /// Never: where Tokio's would fail, the task is cancelled.
    #[track_caller]
    pub fn spawn_blocking<F>(self, work: F) -> io::Result<AbortHandle>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        Ok(self
            .set
            .spawn_blocking_as(NewTask::here(TaskKind::Blocking).named(self.name), work))
    }

    /// Runs a closure on the blocking pool of the runtime of `handle`.
    ///
    /// # Errors
    /// Never: where Tokio's would fail, the task is cancelled.
    #[track_caller]
    pub fn spawn_blocking_on<F>(self, work: F, handle: &Handle) -> io::Result<AbortHandle>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        Ok(self.set.spawn_blocking_on_as(
            NewTask::here(TaskKind::Blocking).named(self.name),
            work,
            handle,
        ))
    }

    /// Spawns a `!Send` task on the current [`LocalSet`] or local runtime.
    ///
    /// # Errors
    /// Never: as Tokio's.
    ///
    /// # Panics
    /// Outside both, as [`spawn_local`](crate::task::spawn_local).
    #[track_caller]
    pub fn spawn_local<F>(self, future: F) -> io::Result<AbortHandle>
    where
        F: Future<Output = T> + 'static,
    {
        Ok(self
            .set
            .spawn_local_as(NewTask::here(TaskKind::Local).named(self.name), future))
    }

    /// Spawns a `!Send` task on `local_set`.
    ///
    /// # Errors
    /// Never: as Tokio's.
    #[track_caller]
    pub fn spawn_local_on<F>(self, future: F, local_set: &LocalSet) -> io::Result<AbortHandle>
    where
        F: Future<Output = T> + 'static,
    {
        Ok(self.set.spawn_local_on_as(
            NewTask::here(TaskKind::Local).named(self.name),
            future,
            local_set,
        ))
    }
}

impl<T> fmt::Debug for Builder<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("join_set::Builder")
            .field("joinset", &self.set)
            .field("name", &self.name)
            .finish()
    }
}

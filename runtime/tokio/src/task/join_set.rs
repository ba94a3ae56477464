//! `JoinSet`: Tokio's, and a share in the record of each of its tasks.
//!
//! A set holds its tasks' shares as a `JoinHandle` holds its own: a result that is joined marks the task read, and a
//! set that is dropped or detaches its tasks gives the shares up. So errors and panics are told of by the same rules,
//! whoever held the handle.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::hash::BuildHasherDefault;
use std::panic::{self, Location};
use std::task::{Context, Poll, ready};

use crate::capture::TaskKind;
use crate::capture::instrumented::Observed;
use crate::capture::task::HandleShare;
use tokio::task::{AbortHandle, Id, JoinError};

use super::LocalSet;
use super::misuse::Misuse;
use super::new::spawned;
use super::{NewTask, watched};
use crate::runtime::Handle;
use crate::setup::ids::IdHasher;

mod builder;

pub use builder::Builder;

/// A set of tasks joined as they end, as [`tokio::task::JoinSet`] is.
///
/// Dropping the set aborts its tasks; errors and panics in it that nobody joined are reported.
///
/// Cost over Tokio's: that of [`spawn`](super::spawn), and an entry of 16 bytes in a table while the task is in the
/// set.
// The order matters: dropping `inner` drops the outputs nobody took, then the shares leave the records.
pub struct JoinSet<T> {
    inner: tokio::task::JoinSet<Observed<T>>,
    shares: HashMap<Id, HandleShare, BuildHasherDefault<IdHasher>>,
}

impl<T> JoinSet<T> {
    /// An empty set.
    pub fn new() -> Self {
        Self {
            inner: tokio::task::JoinSet::new(),
            shares: HashMap::default(),
        }
    }

    /// How many tasks are in the set.
    pub fn len(&self) -> usize {
        self.inner.len()
    }

    /// Whether no task is in the set.
    pub fn is_empty(&self) -> bool {
        self.inner.is_empty()
    }

    /// The tasks that are left are about to be aborted.
    fn mark_aborted(&self, at: Option<&'static Location<'static>>) {
        for share in self.shares.values() {
            share.mark_aborted(at);
        }
    }
}

impl<T: 'static> JoinSet<T> {
    /// A builder of tasks with a name. Tokio has it under `tokio_unstable` only.
    pub fn build_task(&mut self) -> Builder<'_, T> {
        Builder::new(self)
    }

    /// Spawns a task on the current runtime.
    ///
    /// # Panics
    /// Outside a runtime, with Tokio's words.
    #[track_caller]
    pub fn spawn<F>(&mut self, task: F) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        self.spawn_as(NewTask::here(TaskKind::Task), task)
    }

    #[track_caller]
    fn spawn_as<F>(&mut self, task: NewTask<'_>, future: F) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        watched!(task, future => |future, share| {
            let abort = self.inner.spawn(future);
            self.hold(abort, share)
        })
    }

    /// Spawns a task on the runtime of `handle`.
    #[track_caller]
    pub fn spawn_on<F>(&mut self, task: F, handle: &Handle) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        self.spawn_on_as(NewTask::here(TaskKind::Task), task, handle)
    }

    #[track_caller]
    fn spawn_on_as<F>(&mut self, task: NewTask<'_>, future: F, handle: &Handle) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        watched!(task.on(handle.number()), future => |future, share| {
            let abort = self.inner.spawn_on(future, handle.inner());
            self.hold(abort, share)
        })
    }

    /// Spawns a `!Send` task on the current [`LocalSet`] or local runtime.
    ///
    /// # Panics
    /// Outside both, as [`spawn_local`](super::spawn_local).
    #[track_caller]
    pub fn spawn_local<F>(&mut self, task: F) -> AbortHandle
    where
        F: Future<Output = T> + 'static,
    {
        self.spawn_local_as(NewTask::here(TaskKind::Local), task)
    }

    #[track_caller]
    fn spawn_local_as<F>(&mut self, task: NewTask<'_>, future: F) -> AbortHandle
    where
        F: Future<Output = T> + 'static,
    {
        let misuse = Misuse::<F>::at(task.location);
        watched!(task, future => |future, share| {
            let abort = self.inner.spawn_local(future);
            misuse.did_not_happen();
            self.hold(abort, share)
        })
    }

    /// Spawns a `!Send` task on `local_set`.
    #[track_caller]
    pub fn spawn_local_on<F>(&mut self, task: F, local_set: &LocalSet) -> AbortHandle
    where
        F: Future<Output = T> + 'static,
    {
        self.spawn_local_on_as(NewTask::here(TaskKind::Local), task, local_set)
    }

    #[track_caller]
    fn spawn_local_on_as<F>(
        &mut self,
        task: NewTask<'_>,
        future: F,
        local_set: &LocalSet,
    ) -> AbortHandle
    where
        F: Future<Output = T> + 'static,
    {
        watched!(task, future => |future, share| {
            let abort = self.inner.spawn_local_on(future, local_set.inner());
            self.hold(abort, share)
        })
    }

    /// Runs a closure on the blocking pool of the current runtime.
    ///
    /// # Panics
    /// Outside a runtime, with Tokio's words.
    #[track_caller]
    pub fn spawn_blocking<F>(&mut self, work: F) -> AbortHandle
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        self.spawn_blocking_as(NewTask::here(TaskKind::Blocking), work)
    }

    #[track_caller]
    fn spawn_blocking_as<F>(&mut self, task: NewTask<'_>, work: F) -> AbortHandle
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        let (work, share) = task.of_closure(work);
        let abort = self.inner.spawn_blocking(work);
        self.hold(abort, share)
    }

    /// Runs a closure on the blocking pool of the runtime of `handle`.
    #[track_caller]
    pub fn spawn_blocking_on<F>(&mut self, work: F, handle: &Handle) -> AbortHandle
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        self.spawn_blocking_on_as(NewTask::here(TaskKind::Blocking), work, handle)
    }

    #[track_caller]
    fn spawn_blocking_on_as<F>(
        &mut self,
        task: NewTask<'_>,
        work: F,
        handle: &Handle,
    ) -> AbortHandle
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        let (work, share) = task.on(handle.number()).of_closure(work);
        let abort = self.inner.spawn_blocking_on(work, handle.inner());
        self.hold(abort, share)
    }

    fn hold(&mut self, abort: AbortHandle, share: HandleShare) -> AbortHandle {
        spawned(&share, abort.id(), || abort.clone());
        if share.id() != 0 {
            self.shares.insert(abort.id(), share);
        }
        abort
    }

    /// Waits until a task of the set ends, and takes its output; `None` when the set is empty.
    ///
    /// # Cancel safety
    /// As Tokio's: no task is lost when this future is dropped.
    pub async fn join_next(&mut self) -> Option<Result<T, JoinError>> {
        std::future::poll_fn(|cx| self.poll_join_next(cx)).await
    }

    /// As [`join_next`](Self::join_next), with the task's id.
    pub async fn join_next_with_id(&mut self) -> Option<Result<(Id, T), JoinError>> {
        std::future::poll_fn(|cx| self.poll_join_next_with_id(cx)).await
    }

    /// Takes the output of a task that has ended; `None` when there is none.
    pub fn try_join_next(&mut self) -> Option<Result<T, JoinError>> {
        self.try_join_next_with_id().map(without_id)
    }

    /// As [`try_join_next`](Self::try_join_next), with the task's id.
    pub fn try_join_next_with_id(&mut self) -> Option<Result<(Id, T), JoinError>> {
        self.inner
            .try_join_next_with_id()
            .map(|joined| self.take(joined))
    }

    /// Aborts all tasks and waits until they have ended. What they ended in is nobody's: it is reported.
    pub async fn shutdown(&mut self) {
        // Where it was called an async method cannot know; our own line would be told for it.
        self.mark_aborted(None);
        self.inner.abort_all();
        while let Some(joined) = self.inner.join_next_with_id().await {
            // Dropped unread, here: the output first, then the share.
            let id = match joined {
                Ok((id, _output)) => id,
                Err(error) => error.id(),
            };
            self.shares.remove(&id);
        }
    }

    /// Waits until all tasks have ended, and gives their outputs in the order they ended in.
    ///
    /// # Panics
    /// When a task panicked, with its panic; when one was aborted, with Tokio's words.
    pub async fn join_all(mut self) -> Vec<T> {
        let mut outputs = Vec::with_capacity(self.len());
        while let Some(joined) = self.join_next().await {
            match joined {
                Ok(output) => outputs.push(output),
                Err(error) if error.is_panic() => panic::resume_unwind(error.into_panic()),
                Err(error) => panic!("{error}"),
            }
        }
        outputs
    }

    /// Aborts all tasks. They stay in the set until they are joined.
    #[track_caller]
    pub fn abort_all(&mut self) {
        self.mark_aborted(Some(Location::caller()));
        self.inner.abort_all();
    }

    /// Takes all tasks out of the set without aborting them, as if their handles were dropped.
    pub fn detach_all(&mut self) {
        self.inner.detach_all();
        self.shares.clear();
    }

    /// Polls for a task that has ended: see Tokio's method of this name.
    pub fn poll_join_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, JoinError>>> {
        self.poll_join_next_with_id(cx)
            .map(|joined| joined.map(without_id))
    }

    /// As [`poll_join_next`](Self::poll_join_next), with the task's id.
    pub fn poll_join_next_with_id(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<(Id, T), JoinError>>> {
        let joined = ready!(self.inner.poll_join_next_with_id(cx));
        Poll::Ready(joined.map(|joined| self.take(joined)))
    }

    /// Hands a result to the user, who has read it then.
    fn take(&mut self, joined: Result<(Id, Observed<T>), JoinError>) -> Result<(Id, T), JoinError> {
        match joined {
            Ok((id, output)) => {
                let output = match self.shares.remove(&id) {
                    Some(mut share) => output.join(&mut share),
                    None => output.into_inner(),
                };
                Ok((id, output))
            }
            Err(error) => {
                if let Some(share) = self.shares.remove(&error.id()) {
                    share.mark_read();
                }
                Err(error)
            }
        }
    }
}

fn without_id<T>(joined: Result<(Id, T), JoinError>) -> Result<T, JoinError> {
    joined.map(|(_, output)| output)
}

impl<T> Drop for JoinSet<T> {
    /// Tokio's set aborts what is left in it: should the runtime go before those tasks had a turn, nobody forgot them.
    fn drop(&mut self) {
        if !self.shares.is_empty() {
            self.mark_aborted(None);
        }
    }
}

impl<T> fmt::Debug for JoinSet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinSet").field("len", &self.len()).finish()
    }
}

impl<T> Default for JoinSet<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// Spawns every future on the current runtime.
impl<T, F> FromIterator<F> for JoinSet<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    #[track_caller]
    fn from_iter<I: IntoIterator<Item = F>>(tasks: I) -> Self {
        let mut set = Self::new();
        set.extend(tasks);
        set
    }
}

/// Spawns every future on the current runtime.
impl<T, F> Extend<F> for JoinSet<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    #[track_caller]
    fn extend<I: IntoIterator<Item = F>>(&mut self, tasks: I) {
        for task in tasks {
            self.spawn(task);
        }
    }
}

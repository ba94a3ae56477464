//! The free functions that spawn, and the one way every spawn of this crate goes.

use std::future::Future;
use std::panic::Location;

use pollscope_capture::TaskKind;
use pollscope_capture::event::ThreadText;
use pollscope_capture::instrumented::{
    Describe, Instrumented, Observed, instrument, instrument_blocking,
};
use pollscope_capture::registry::{self, Made};
use pollscope_capture::task::{Asks, HandleShare, Meta};
use pollscope_capture::thread::{self, Role};

use super::JoinHandle;
use crate::describe;
use crate::runtime::known;
use crate::setup::{self, aborts, ids};

/// Spawns a new asynchronous task, as [`tokio::task::spawn`] does, under pollscope's eyes.
///
/// Cost over Tokio's: some 40 ns and a 128-byte record while the task lives; nothing at level off.
///
/// # Panics
/// Outside a runtime, with Tokio's words.
#[track_caller]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let (future, share) = NewTask::here(TaskKind::Task).of(future);
    JoinHandle::new(tokio::task::spawn(future), share)
}

/// Spawns a `!Send` future on the current [`LocalSet`](super::LocalSet) or local runtime, as
/// [`tokio::task::spawn_local`] does.
///
/// # Panics
/// Outside both, with Tokio's words; the misuse is reported as `wrong_thread` first.
#[track_caller]
pub fn spawn_local<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    spawn_local_as(NewTask::here(TaskKind::Local), future)
}

#[track_caller]
pub(crate) fn spawn_local_as<F>(task: NewTask<'_>, future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    let misuse = Misuse::<F>::at(task.location);
    let (future, share) = task.of(future);
    let handle = tokio::task::spawn_local(future);
    misuse.did_not_happen();
    JoinHandle::new(handle, share)
}

/// Runs a closure on the blocking pool, as [`tokio::task::spawn_blocking`] does.
///
/// # Panics
/// Outside a runtime, with Tokio's words.
#[track_caller]
pub fn spawn_blocking<F, R>(work: F) -> JoinHandle<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    let (work, share) = NewTask::here(TaskKind::Blocking).of_closure(work);
    JoinHandle::new(tokio::task::spawn_blocking(work), share)
}

/// Runs blocking work on this worker, handing its other tasks on, as [`tokio::task::block_in_place`] does. The time
/// inside is not the poll's: it makes no slow poll.
///
/// # Panics
/// On a current-thread runtime, with Tokio's words.
#[track_caller]
pub fn block_in_place<F, R>(work: F) -> R
where
    F: FnOnce() -> R,
{
    let result = tokio::task::block_in_place(move || registry::blocking_region(work));
    if let Some(thread) = thread::current()
        && thread.role() == Role::Worker
    {
        // Its core may be another thread's by now, and then this one will rest in the blocking pool, which looks like
        // a worker that hangs. If it is still a worker, its next park says so.
        thread.set_role(Role::Blocking, thread.runtime());
    }
    result
}

/// A task that is about to be spawned: what is known of it, whoever spawns it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewTask<'a> {
    kind: TaskKind,
    pub(crate) location: &'static Location<'static>,
    name: Option<&'a str>,
    /// The runtime's number; 0: the one that this thread works for.
    runtime: u16,
}

impl<'a> NewTask<'a> {
    /// A task spawned by the caller.
    #[track_caller]
    #[inline]
    pub(crate) fn here(kind: TaskKind) -> Self {
        Self::at(kind, Location::caller())
    }

    #[inline]
    pub(crate) fn at(kind: TaskKind, location: &'static Location<'static>) -> Self {
        Self {
            kind,
            location,
            name: None,
            runtime: 0,
        }
    }

    pub(crate) fn named(self, name: Option<&'a str>) -> Self {
        Self { name, ..self }
    }

    /// On the runtime with this number.
    #[inline]
    pub(crate) fn on(self, runtime: u16) -> Self {
        Self { runtime, ..self }
    }

    /// Puts the future under our eyes. What comes out must be spawned, and the share joined to its handle.
    #[inline]
    pub(crate) fn of<F>(self, future: F) -> (Instrumented<F>, HandleShare)
    where
        F: Future,
        F::Output: 'static,
    {
        self.described(future, describe::known::<F::Output>())
    }

    /// The same, where the spawner knows how to read the error.
    #[inline]
    pub(crate) fn described<F: Future>(
        self,
        future: F,
        describe: Describe<F::Output>,
    ) -> (Instrumented<F>, HandleShare) {
        setup::ensure_started();
        instrument(future, describe, &self.meta(Asks::Handle))
    }

    #[inline]
    pub(crate) fn of_closure<F, R>(
        self,
        work: F,
    ) -> (impl FnOnce() -> Observed<R> + use<F, R>, HandleShare)
    where
        F: FnOnce() -> R,
        R: 'static,
    {
        setup::ensure_started();
        instrument_blocking(work, describe::known::<R>(), &self.meta(Asks::Handle))
    }

    #[inline]
    fn meta(&self, asks: Asks) -> Meta<'a> {
        let runtime = if self.runtime == 0 {
            known::of_this_thread()
        } else {
            self.runtime
        };
        Meta {
            location: self.location,
            kind: self.kind,
            name: self.name,
            runtime,
            asks,
        }
    }
}

/// Puts the root future of a `block_on` under our eyes.
#[track_caller]
#[inline]
pub(crate) fn root<F: Future>(future: F, runtime: u16) -> Instrumented<F> {
    setup::ensure_started();
    let task = NewTask::here(TaskKind::BlockOn).on(runtime);
    instrument(future, None, &task.meta(Asks::Caller)).0
}

/// Completes a spawn: tells the record Tokio's id, and keeps what can abort the task where that was allowed.
#[inline]
pub(crate) fn spawned(
    share: &HandleShare,
    id: tokio::task::Id,
    abort: impl FnOnce() -> tokio::task::AbortHandle,
) {
    share.set_tokio_id(ids::of_task(id));
    if aborts::wanted() {
        aborts::keep(share, abort());
    }
}

/// Watches a `spawn_local` for Tokio's panic: the only sign there is that no `LocalSet` runs here, and it must stay
/// Tokio's own.
pub(crate) struct Misuse<F> {
    location: &'static Location<'static>,
    panicking: bool,
    future: std::marker::PhantomData<fn(F)>,
}

impl<F> Misuse<F> {
    #[inline]
    pub(crate) fn at(location: &'static Location<'static>) -> Self {
        Self {
            location,
            panicking: std::thread::panicking(),
            future: std::marker::PhantomData,
        }
    }

    #[inline]
    pub(crate) fn did_not_happen(self) {
        std::mem::forget(self);
    }
}

impl<F> Drop for Misuse<F> {
    #[cold]
    fn drop(&mut self) {
        if self.panicking {
            return;
        }
        let Made { site, stack, .. } = registry::made::<F>(self.location);
        let text = ThreadText {
            what: "spawn_local".to_owned(),
            did: "spawned",
            ..ThreadText::default()
        };
        registry::wrong_thread(site, stack, Some(self.location), text);
    }
}

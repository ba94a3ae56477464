//! `Handle`: Tokio's, and the runtime's number.

use std::future::Future;
use std::panic::{RefUnwindSafe, UnwindSafe};

use crate::capture::TaskKind;
use tokio::runtime::{Id, RuntimeFlavor, RuntimeMetrics, TryCurrentError};

use super::{Driving, EnterGuard, known};
use crate::task::{JoinHandle, NewTask, blocked_on, watched};

/// A handle to a runtime, as [`tokio::runtime::Handle`] is: of ours or, through [`From`], of any other.
#[derive(Clone, Debug)]
pub struct Handle {
    inner: tokio::runtime::Handle,
    number: u16,
}

impl UnwindSafe for Handle {}
impl RefUnwindSafe for Handle {}

impl Handle {
    pub(super) fn of(inner: tokio::runtime::Handle, number: u16) -> Self {
        Self { inner, number }
    }

    /// The handle of the runtime this thread is in.
    ///
    /// # Panics
    /// Outside a runtime, with Tokio's words.
    #[track_caller]
    pub fn current() -> Self {
        tokio::runtime::Handle::current().into()
    }

    /// The handle of the runtime this thread is in.
    ///
    /// # Errors
    /// Outside a runtime.
    pub fn try_current() -> Result<Self, TryCurrentError> {
        tokio::runtime::Handle::try_current().map(Self::from)
    }

    /// Enters the runtime's context until the guard is dropped.
    pub fn enter(&self) -> EnterGuard<'_> {
        EnterGuard::of(self.inner.enter())
    }

    /// Spawns a task on the runtime.
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.spawn_as(NewTask::here(TaskKind::Task), future)
    }

    #[track_caller]
    pub(crate) fn spawn_as<F>(&self, task: NewTask<'_>, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        watched!(task.on(self.number), future => |future, share| JoinHandle::new(self.inner.spawn(future), share))
    }

    /// Runs a closure on the runtime's blocking pool.
    #[track_caller]
    pub fn spawn_blocking<F, R>(&self, work: F) -> JoinHandle<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        self.spawn_blocking_as(NewTask::here(TaskKind::Blocking), work)
    }

    #[track_caller]
    pub(crate) fn spawn_blocking_as<F, R>(&self, task: NewTask<'_>, work: F) -> JoinHandle<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        let (work, share) = task.on(self.number).of_closure(work);
        JoinHandle::new(self.inner.spawn_blocking(work), share)
    }

    /// Runs a future to its end on this thread.
    ///
    /// # Panics
    /// Inside a runtime, with Tokio's words; and when the future panics.
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        let _driving = Driving::beside(self.number);
        blocked_on!(self.number, future => |future| self.inner.block_on(future))
    }

    /// The flavor of the runtime.
    pub fn runtime_flavor(&self) -> RuntimeFlavor {
        self.inner.runtime_flavor()
    }

    /// Tokio's id of the runtime.
    pub fn id(&self) -> Id {
        self.inner.id()
    }

    /// The name the runtime was given.
    pub fn name(&self) -> Option<&str> {
        self.inner.name()
    }

    /// What Tokio measures of the runtime.
    pub fn metrics(&self) -> RuntimeMetrics {
        self.inner.metrics()
    }

    /// The stacks of the runtime's tasks as Tokio sees them.
    #[cfg(all(
        tokio_unstable,
        feature = "taskdump",
        target_os = "linux",
        any(target_arch = "aarch64", target_arch = "x86", target_arch = "x86_64")
    ))]
    pub async fn dump(&self) -> tokio::runtime::Dump {
        self.inner.dump().await
    }

    /// Tokio's handle, for an interface that asks for one. What is spawned through it is not seen.
    pub fn inner(&self) -> &tokio::runtime::Handle {
        &self.inner
    }

    /// Tokio's handle, for an interface that takes one by value. What is spawned through it is not seen.
    pub fn into_tokio(self) -> tokio::runtime::Handle {
        self.inner
    }

    /// Our number of the runtime; 0: it has none.
    pub(crate) fn number(&self) -> u16 {
        self.number
    }
}

/// Any runtime's handle will do: a runtime that is not ours is put on the list, its threads told apart by less.
impl From<tokio::runtime::Handle> for Handle {
    fn from(inner: tokio::runtime::Handle) -> Self {
        let number = known::of_handle(&inner);
        Self { inner, number }
    }
}

impl From<Handle> for tokio::runtime::Handle {
    fn from(handle: Handle) -> Self {
        handle.inner
    }
}

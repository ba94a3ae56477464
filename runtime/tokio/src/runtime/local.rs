//! `LocalRuntime`: Tokio's, its tasks under our eyes.

use std::fmt;
use std::future::Future;
use std::io;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::time::Duration;

use crate::capture::TaskKind;
use crate::capture::thread::Role;
use tokio::runtime::{LocalOptions, RuntimeMetrics};

use super::end::End;
use super::known::Registration;
use super::{Builder, Driving, EnterGuard, Handle};
use crate::task::{JoinHandle, NewTask, blocked_on, watched};

/// A runtime that stays on one thread and runs `!Send` tasks, as [`tokio::runtime::LocalRuntime`] is.
// The order matters: `end` says so, dropping `inner` ends its tasks, then the runtime is taken off the list.
pub struct LocalRuntime {
    end: End,
    inner: tokio::runtime::LocalRuntime,
    handle: Handle,
    registration: Registration,
}

impl UnwindSafe for LocalRuntime {}
impl RefUnwindSafe for LocalRuntime {}

impl LocalRuntime {
    /// A local runtime with all drivers.
    ///
    /// # Errors
    /// The drivers could not be had from the system.
    pub fn new() -> io::Result<Self> {
        Builder::new_current_thread()
            .enable_all()
            .build_local(LocalOptions::default())
    }

    pub(super) fn from_parts(
        inner: tokio::runtime::LocalRuntime,
        registration: Registration,
    ) -> Self {
        let handle = Handle::of(inner.handle().clone(), registration.number());
        Self {
            end: End::of(registration.number()),
            inner,
            handle,
            registration,
        }
    }

    /// A handle to the runtime. Tasks spawned through it must be `Send`.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Spawns a task, which need not be `Send`.
    #[track_caller]
    pub fn spawn_local<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let task = NewTask::here(TaskKind::Local).on(self.handle.number());
        watched!(task, future => |future, share| JoinHandle::new(self.inner.spawn_local(future), share))
    }

    /// Runs a closure on the runtime's blocking pool.
    #[track_caller]
    pub fn spawn_blocking<F, R>(&self, work: F) -> JoinHandle<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        self.handle.spawn_blocking(work)
    }

    /// Runs a future to its end, and the runtime's tasks beside it.
    ///
    /// # Panics
    /// Inside a runtime, with Tokio's words; and when the future panics.
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        let number = self.handle.number();
        let _driving = Driving::of(Role::Local, number);
        blocked_on!(number, future => |future| self.inner.block_on(future))
    }

    /// Enters the runtime's context until the guard is dropped.
    pub fn enter(&self) -> EnterGuard<'_> {
        EnterGuard::of(self.inner.enter())
    }

    /// Shuts the runtime down, waiting at most `duration` for blocking work.
    #[track_caller]
    pub fn shutdown_timeout(self, duration: Duration) {
        let Self {
            end,
            inner,
            registration: _registration,
            ..
        } = self;
        end.shut_down(|| inner.shutdown_timeout(duration));
    }

    /// Shuts the runtime down without waiting.
    pub fn shutdown_background(self) {
        self.end.abandon();
        self.inner.shutdown_background();
    }

    /// The end of this runtime is that of the program, or of a test: what it leaves behind is no finding. For macros.
    #[doc(hidden)]
    #[must_use]
    pub fn __is_main(mut self) -> Self {
        self.end.is_expected();
        self
    }

    /// What Tokio measures of the runtime.
    pub fn metrics(&self) -> RuntimeMetrics {
        self.inner.metrics()
    }

    /// Tokio's runtime, for an interface that asks for one. What is spawned through it is not seen.
    pub fn inner(&self) -> &tokio::runtime::LocalRuntime {
        &self.inner
    }
}

impl fmt::Debug for LocalRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalRuntime")
            .field("number", &self.registration.number())
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

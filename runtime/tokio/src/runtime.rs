//! Tokio's `runtime`, mirrored: what builds, spawns and blocks is ours, the rest is Tokio's.

use std::fmt;
use std::future::Future;
use std::io;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::time::Duration;

pub use tokio::runtime::*;

mod builder;
pub(crate) mod driving;
mod end;
mod enter;
#[cfg(all(tokio_unstable, feature = "capture"))]
mod foreign;
mod handle;
mod hooks;
pub(crate) mod known;
mod local;

pub use builder::Builder;
pub use enter::EnterGuard;
pub use handle::Handle;
pub use local::LocalRuntime;

pub(crate) use driving::Driving;
#[cfg(all(tokio_unstable, feature = "capture"))]
pub(crate) use foreign::ByUs;

use crate::capture::thread::Role;
use end::End;
use known::Registration;

use crate::task::{JoinHandle, blocked_on};

/// A Tokio runtime, as [`tokio::runtime::Runtime`] is, under pollscope's eyes.
///
/// The future given to [`block_on`](Self::block_on) is a row of its own, kind `block_on`.
///
/// ```
/// let runtime = pollscope_tokio::runtime::Runtime::new()?;
/// assert_eq!(runtime.block_on(async { 7 }), 7);
/// # Ok::<(), std::io::Error>(())
/// ```
// The order matters: `end` says so, dropping `inner` ends its tasks, then the runtime is taken off the list.
pub struct Runtime {
    end: End,
    inner: tokio::runtime::Runtime,
    handle: Handle,
    registration: Registration,
}

impl UnwindSafe for Runtime {}
impl RefUnwindSafe for Runtime {}

impl Runtime {
    /// A multi-thread runtime with all drivers, as Tokio's.
    ///
    /// # Errors
    /// Threads or the drivers could not be had from the system.
    pub fn new() -> io::Result<Self> {
        Builder::new_multi_thread().enable_all().build()
    }

    fn from_parts(inner: tokio::runtime::Runtime, registration: Registration) -> Self {
        let handle = Handle::of(inner.handle().clone(), registration.number());
        Self {
            end: End::of(registration.number()),
            inner,
            handle,
            registration,
        }
    }

    /// A handle to the runtime.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Spawns a task on the runtime.
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.handle.spawn(future)
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

    /// Runs a future to its end on this thread, the runtime's tasks on its workers.
    ///
    /// # Panics
    /// Inside a runtime, with Tokio's words; and when the future panics.
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        let number = self.handle.number();
        let _driving = match self.inner.handle().runtime_flavor() {
            RuntimeFlavor::CurrentThread => Driving::of(Role::Local, number),
            _ => Driving::beside(number),
        };
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
    pub fn inner(&self) -> &tokio::runtime::Runtime {
        &self.inner
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime")
            .field("number", &self.registration.number())
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

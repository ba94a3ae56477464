//! `Builder`: Tokio's, every method that the oldest supported Tokio has, and what pollscope can be told.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::LocalOptions;

use super::hooks::{self, Threads, UserHooks};
use super::known::Registration;
use super::{LocalRuntime, Runtime};
use crate::setup;

#[cfg(tokio_unstable)]
mod unstable;

/// The limit of the blocking pool where none is set.
const TOKIOS_BLOCKING_THREADS: u32 = 512;

/// Builds runtimes, as [`tokio::runtime::Builder`] does.
///
/// ```
/// use pollscope_tokio::runtime::Builder;
///
/// let runtime = Builder::new_multi_thread().worker_threads(2).name("orders").enable_all().build()?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Builder {
    inner: tokio::runtime::Builder,
    multi_thread: bool,
    /// The limit of the blocking pool; 0: not known.
    blocking_threads: u32,
    name: Option<String>,
    hooks: UserHooks,
    debug: Option<bool>,
    slow_poll: Option<Duration>,
    deny: Option<String>,
    said: setup::Said,
}

impl Builder {
    fn new(inner: tokio::runtime::Builder, multi_thread: bool) -> Self {
        Self {
            inner,
            multi_thread,
            blocking_threads: TOKIOS_BLOCKING_THREADS,
            name: None,
            hooks: UserHooks::default(),
            debug: None,
            slow_poll: None,
            deny: None,
            said: setup::Said::default(),
        }
    }

    /// Builds a runtime that runs on the thread that blocks on it.
    pub fn new_current_thread() -> Self {
        Self::new(tokio::runtime::Builder::new_current_thread(), false)
    }

    /// Builds a runtime with worker threads.
    pub fn new_multi_thread() -> Self {
        Self::new(tokio::runtime::Builder::new_multi_thread(), true)
    }

    // pollscope's own.

    /// Switches debug on or off, whatever the environment says; without this call it decides.
    ///
    /// `false` does not switch on what `POLLSCOPE=off` switched off. It holds for the whole process, from the build
    /// on.
    pub fn debug(&mut self, on: bool) -> &mut Self {
        self.debug = Some(on);
        self
    }

    /// Sets from how long on a poll is slow: 100 ms unless set. Zero: every poll; `Duration::MAX`: none.
    ///
    /// It holds for the whole process, from the build on.
    pub fn slow_poll(&mut self, threshold: Duration) -> &mut Self {
        self.slow_poll = Some(threshold);
        self
    }

    /// Sets how many of the user's frames of a backtrace are shown: 10 unless set (`POLLSCOPE_BACKTRACE_DEPTH`).
    pub fn depth(&mut self, frames: u32) -> &mut Self {
        self.said.depth = Some(frames);
        self
    }

    /// Sets of how many tasks and futures of a site one has a creation backtrace of its own, in debug: 256 unless set
    /// (`POLLSCOPE_BACKTRACE_EVERY`); 1: each, which costs about 0.3 µs a spawn. The others show the site's first.
    pub fn backtrace_every(&mut self, every: u32) -> &mut Self {
        self.said.backtrace_every = Some(every);
        self
    }

    /// Says whether findings of one kind and site become one record with a count: yes, unless set (`POLLSCOPE_DEDUPE`).
    /// Else each is a record and a line of its own, until the table of 1024 is full; what found no room is counted.
    pub fn dedupe(&mut self, on: bool) -> &mut Self {
        self.said.dedupe = Some(on);
        self
    }

    /// Sets from which level on findings are logged: `off`, `error`, `warn` (unless set), `info` or `debug`
    /// (`POLLSCOPE_LOG`).
    pub fn log(&mut self, level: impl Into<String>) -> &mut Self {
        self.said.log = Some(level.into());
        self
    }

    /// Says which findings are not tolerated: `any`, or kinds with commas between (`"slow_poll,leaked_error"`);
    /// `off`: all are. It beats `POLLSCOPE_DENY`.
    ///
    /// Where one was found, the program's exit code is 1: see the crate `pollscope`. It holds for the whole process,
    /// and must be said before pollscope starts.
    pub fn deny(&mut self, kinds: impl Into<String>) -> &mut Self {
        self.deny = Some(kinds.into());
        self
    }

    /// Tokio's builder, for a method that this mirror does not have yet: it is newer than the oldest supported Tokio.
    /// Not for the thread hooks, which are ours to set.
    ///
    /// ```
    /// let mut builder = pollscope_tokio::runtime::Builder::new_current_thread();
    /// builder.inner_mut().enable_all();
    /// let runtime = builder.build()?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn inner_mut(&mut self) -> &mut tokio::runtime::Builder {
        // Who knows what is set there.
        self.blocking_threads = 0;
        &mut self.inner
    }

    /// Builds the runtime.
    ///
    /// # Errors
    /// Threads or the drivers could not be had from the system, or [`deny`](Self::deny) names an unknown
    /// kind, or [`log`](Self::log) an unknown level.
    pub fn build(&mut self) -> io::Result<Runtime> {
        let flavor = if self.multi_thread {
            "multi_thread"
        } else {
            "current_thread"
        };
        let (threads, registration) = self.prepare(flavor)?;
        let runtime = self.inner.build()?;
        threads.built(runtime.metrics().num_workers());
        registration.complete(runtime.handle(), self.blocking_threads);
        Ok(Runtime::from_parts(runtime, registration))
    }

    /// Builds a runtime that stays on this thread.
    ///
    /// # Errors
    /// The drivers could not be had from the system.
    ///
    /// # Panics
    /// For a multi-thread builder, with Tokio's words.
    #[track_caller]
    pub fn build_local(&mut self, options: LocalOptions) -> io::Result<LocalRuntime> {
        let (threads, registration) = self.prepare("local")?;
        let runtime = self.inner.build_local(options)?;
        threads.built(1);
        registration.complete(runtime.handle(), self.blocking_threads);
        Ok(LocalRuntime::from_parts(runtime, registration))
    }

    fn prepare(&mut self, flavor: &'static str) -> io::Result<(Arc<Threads>, Registration)> {
        setup::say(&self.said)?;
        if let Some(kinds) = &self.deny {
            setup::say_deny(kinds)?;
        }
        if let Some(on) = self.debug {
            setup::say_debug(on);
        }
        setup::ensure_started();
        if let Some(threshold) = self.slow_poll {
            setup::set_slow_poll((threshold != Duration::MAX).then_some(threshold));
        }
        let registration = Registration::reserve(self.name.as_deref(), flavor, 1);
        let threads = Threads::new(registration.number(), self.multi_thread);
        hooks::install(&mut self.inner, &self.hooks, &threads);
        Ok((threads, registration))
    }

    // Tokio's, in Tokio's order.

    /// Enables the I/O and the time driver.
    pub fn enable_all(&mut self) -> &mut Self {
        self.inner.enable_all();
        self
    }

    /// Sets the number of worker threads.
    ///
    /// # Panics
    /// When it is 0.
    #[track_caller]
    pub fn worker_threads(&mut self, val: usize) -> &mut Self {
        self.inner.worker_threads(val);
        self
    }

    /// Sets the limit of the blocking pool.
    ///
    /// # Panics
    /// When it is 0.
    #[track_caller]
    pub fn max_blocking_threads(&mut self, val: usize) -> &mut Self {
        self.inner.max_blocking_threads(val);
        self.blocking_threads = u32::try_from(val).unwrap_or(u32::MAX);
        self
    }

    /// Names the runtime's threads.
    pub fn thread_name(&mut self, val: impl Into<String>) -> &mut Self {
        self.inner.thread_name(val);
        self
    }

    /// Names the runtime. The inspector shows it by this name.
    pub fn name(&mut self, val: impl Into<String>) -> &mut Self {
        let name = val.into();
        self.inner.name(name.clone());
        self.name = Some(name);
        self
    }

    /// Names the runtime's threads by a function.
    pub fn thread_name_fn<F>(&mut self, f: F) -> &mut Self
    where
        F: Fn() -> String + Send + Sync + 'static,
    {
        self.inner.thread_name_fn(f);
        self
    }

    /// Sets the stack size of the runtime's threads, in bytes.
    pub fn thread_stack_size(&mut self, val: usize) -> &mut Self {
        self.inner.thread_stack_size(val);
        self
    }

    /// Runs `f` when a thread of the runtime starts.
    pub fn on_thread_start<F>(&mut self, f: F) -> &mut Self
    where
        F: Fn() + Send + Sync + 'static,
    {
        self.hooks.start = Some(Arc::new(f));
        self
    }

    /// Runs `f` when a thread of the runtime ends.
    pub fn on_thread_stop<F>(&mut self, f: F) -> &mut Self
    where
        F: Fn() + Send + Sync + 'static,
    {
        self.hooks.stop = Some(Arc::new(f));
        self
    }

    /// Runs `f` just before a worker parks.
    pub fn on_thread_park<F>(&mut self, f: F) -> &mut Self
    where
        F: Fn() + Send + Sync + 'static,
    {
        self.hooks.park = Some(Arc::new(f));
        self
    }

    /// Runs `f` just after a worker unparks.
    pub fn on_thread_unpark<F>(&mut self, f: F) -> &mut Self
    where
        F: Fn() + Send + Sync + 'static,
    {
        self.hooks.unpark = Some(Arc::new(f));
        self
    }

    /// Sets how long an idle thread of the blocking pool is kept.
    pub fn thread_keep_alive(&mut self, duration: Duration) -> &mut Self {
        self.inner.thread_keep_alive(duration);
        self
    }

    /// Sets after how many ticks a worker looks at the global queue.
    ///
    /// # Panics
    /// When it is 0.
    #[track_caller]
    pub fn global_queue_interval(&mut self, val: u32) -> &mut Self {
        self.inner.global_queue_interval(val);
        self
    }

    /// Sets after how many ticks the scheduler looks for external events.
    ///
    /// # Panics
    /// When it is 0.
    #[track_caller]
    pub fn event_interval(&mut self, val: u32) -> &mut Self {
        self.inner.event_interval(val);
        self
    }

    /// Enables the I/O driver.
    #[cfg(any(feature = "net", feature = "process", feature = "signal"))]
    pub fn enable_io(&mut self) -> &mut Self {
        self.inner.enable_io();
        self
    }

    /// Sets how many I/O events are taken per tick.
    #[cfg(any(feature = "net", feature = "process", feature = "signal"))]
    #[track_caller]
    pub fn max_io_events_per_tick(&mut self, capacity: usize) -> &mut Self {
        self.inner.max_io_events_per_tick(capacity);
        self
    }

    /// Enables the time driver.
    pub fn enable_time(&mut self) -> &mut Self {
        self.inner.enable_time();
        self
    }

    /// Starts the runtime with its clock paused.
    #[cfg(feature = "test-util")]
    pub fn start_paused(&mut self, start_paused: bool) -> &mut Self {
        self.inner.start_paused(start_paused);
        self
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("inner", &self.inner)
            .field("debug", &self.debug)
            .field("slow_poll", &self.slow_poll)
            .finish_non_exhaustive()
    }
}

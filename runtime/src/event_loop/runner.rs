//! Who runs a loop: a local runtime, and the thread-local by which callbacks find the loop they run in.

use std::cell::RefCell;
use std::fmt;
use std::io;
use std::panic::Location;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::capture::registry;
use pollscope_tokio::time::Instant;

use super::{EventLoop, Shared};
use crate::runtime::LocalRuntime;

/// Runs a future on an event loop of its own, and the loop's callbacks and tasks beside it, until the future ends.
///
/// As `asyncio.run`. What is left then is dropped: the callbacks that did not run, and the tasks.
///
/// # Errors
/// The loop could not be had from the system.
///
/// # Panics
/// Inside a runtime, with Tokio's words; and when the future panics.
///
/// # Examples
///
/// ```
/// let answer = pollscope::event_loop::run(async { 6 * 7 })?;
/// assert_eq!(answer, 42);
/// # Ok::<(), std::io::Error>(())
/// ```
#[track_caller]
pub fn run<F: Future>(future: F) -> io::Result<F::Output> {
    Ok(Runner::new()?.run(future))
}

/// Runs an event loop, several times if need be.
///
/// As `asyncio.Runner`: it stays on the thread that made it, and closes the loop when it is dropped.
///
/// ```
/// use pollscope::event_loop::Runner;
///
/// let runner = Runner::new()?;
/// let event_loop = runner.event_loop().clone();
/// runner.run(async {
///     let same = pollscope::event_loop::EventLoop::current();
///     assert_eq!(same, event_loop);
/// });
/// drop(runner);
/// assert!(event_loop.is_closed());
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Runner {
    event_loop: EventLoop,
    /// Shared with the thread-local below while it runs, and never longer.
    runtime: Rc<LocalRuntime>,
}

impl Runner {
    /// A loop of this thread.
    ///
    /// # Errors
    /// The loop could not be had from the system.
    #[track_caller]
    pub fn new() -> io::Result<Self> {
        Ok(Self::on(LocalRuntime::new()?))
    }

    /// A loop of this thread on a runtime that was built to measure: named, with a paused clock, without I/O.
    ///
    /// Where its timers are not enabled, [`call_later`](EventLoop::call_later) and [`call_at`](EventLoop::call_at) end
    /// in Tokio's panic, in the callback's task.
    #[track_caller]
    pub fn on(runtime: LocalRuntime) -> Self {
        let made_at = Location::caller();
        let began = {
            let _clock = runtime.enter();
            Instant::now()
        };
        let shared = Shared {
            thread: thread::current(),
            handle: runtime.handle().clone(),
            made: registry::made::<EventLoop>(made_at),
            made_at,
            began,
            running: AtomicBool::new(false),
            closed: AtomicBool::new(false),
        };
        Self {
            event_loop: EventLoop {
                shared: Arc::new(shared),
            },
            // As asyncio's: what is left at its end is dropped in silence.
            runtime: Rc::new(runtime.__is_main()),
        }
    }

    /// The loop.
    pub fn event_loop(&self) -> &EventLoop {
        &self.event_loop
    }

    /// Runs the loop until the future ends. What is left waits for the next run.
    ///
    /// As asyncio's `loop.run_until_complete`.
    ///
    /// # Panics
    /// Inside a runtime, with Tokio's words; and when the future panics.
    #[track_caller]
    pub fn run<F: Future>(&self, future: F) -> F::Output {
        let _running = Running::begin(self);
        self.runtime.block_on(future)
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        // Before the runtime's own drop, in which callbacks are dropped.
        self.event_loop.shared.closed.store(true, Ordering::Relaxed);
    }
}

impl fmt::Debug for Runner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runner")
            .field("event_loop", &self.event_loop)
            .finish_non_exhaustive()
    }
}

/// No event loop runs on this thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRunningLoop(pub(super) ());

impl fmt::Display for NoRunningLoop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no event loop runs on this thread: see `pollscope::event_loop::run`")
    }
}

impl std::error::Error for NoRunningLoop {}

thread_local! {
    /// The loop that runs on this thread, and its runtime.
    static CURRENT: RefCell<Option<(EventLoop, Rc<LocalRuntime>)>> = const { RefCell::new(None) };
}

/// The loop that runs on this thread.
pub(super) fn current() -> Option<EventLoop> {
    with_current(|(event_loop, _)| Some(event_loop.clone()))
}

/// The runtime of this loop, if it runs on this thread now.
pub(super) fn running(event_loop: &EventLoop) -> Option<Rc<LocalRuntime>> {
    with_current(|(current, runtime)| (current == event_loop).then(|| Rc::clone(runtime)))
}

fn with_current<R>(f: impl FnOnce(&(EventLoop, Rc<LocalRuntime>)) -> Option<R>) -> Option<R> {
    // While the thread ends there is no loop any more.
    CURRENT
        .try_with(|current| current.borrow().as_ref().and_then(f))
        .ok()
        .flatten()
}

/// A loop runs on this thread, until this is dropped.
struct Running<'a> {
    runner: &'a Runner,
    outer: Option<(EventLoop, Rc<LocalRuntime>)>,
}

impl<'a> Running<'a> {
    fn begin(runner: &'a Runner) -> Self {
        let now = (runner.event_loop.clone(), Rc::clone(&runner.runtime));
        let outer = CURRENT.replace(Some(now));
        runner.shared().running.store(true, Ordering::Relaxed);
        Self { runner, outer }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        // A loop inside itself is refused by Tokio, by a panic; the outer one runs on.
        let same = matches!(&self.outer, Some((outer, _)) if *outer == self.runner.event_loop);
        self.runner.shared().running.store(same, Ordering::Relaxed);
        let _ = CURRENT.try_with(|current| current.replace(self.outer.take()));
    }
}

impl Runner {
    fn shared(&self) -> &Shared {
        &self.event_loop.shared
    }
}

//! An event loop of callbacks, for people coming from asyncio.
//!
//! Rust programs seldom need one: a task says what a chain of callbacks says. But who ports asyncio code, or has a
//! library that wants its calls on one thread, finds here what `asyncio` calls a loop, with asyncio's names and Rust's
//! shapes. Underneath it is Tokio's [`LocalRuntime`](crate::runtime::LocalRuntime): each callback is a task of one
//! poll, listed and measured as any other.
//!
//! ```
//! use std::time::Duration;
//! use pollscope::event_loop::{self, EventLoop};
//!
//! let answer = event_loop::run(async {
//!     let event_loop = EventLoop::current();
//!     event_loop.call_soon(|| println!("soon"))?;
//!     let timer = event_loop.call_later(Duration::from_secs(3600), || println!("never"))?;
//!     timer.cancel();
//!
//!     // From a thread that is not the loop's:
//!     let remote = event_loop.clone();
//!     let waits = event_loop.run_in_executor(move || {
//!         let mut future = remote.run_coroutine_threadsafe(async { 6 * 7 });
//!         future.result(Some(Duration::from_secs(10)))
//!     });
//!     Ok::<_, Box<dyn std::error::Error>>(waits.await??)
//! })?;
//! assert_eq!(answer.unwrap(), 42);
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # What is asyncio's here
//!
//! | asyncio | here |
//! |---|---|
//! | `asyncio.run(main())` | [`run`] |
//! | `asyncio.Runner`, `loop.run_until_complete` | [`Runner`] |
//! | `asyncio.get_running_loop()` | [`EventLoop::current`], [`EventLoop::try_current`] |
//! | `loop.call_soon`, `call_later`, `call_at` | the same: they belong to the loop's thread |
//! | `loop.create_task` | [`EventLoop::create_task`], of futures that need not be `Send` |
//! | `loop.call_soon_threadsafe` | the same |
//! | `asyncio.run_coroutine_threadsafe` | [`EventLoop::run_coroutine_threadsafe`] |
//! | `loop.run_in_executor` | the same, of Tokio's blocking pool |
//! | `Handle`, `TimerHandle` | [`Handle`], [`TimerHandle`] |
//! | `loop.time`, `is_running`, `is_closed`, `set_debug`, `get_debug`, `slow_callback_duration` | the same |
//! | `loop.stop` | end the future that [`run`] was given |
//!
//! # What differs, on purpose
//!
//! * A call from the wrong thread is refused **always**, not in debug mode only; before anything is changed, not after;
//!   and by an error that gives the callback back. asyncio checks in `call_soon` after a future was changed, so that a
//!   refused `task.cancel()` leaves a task nobody wakes (cpython issue 136399).
//! * [`EventLoop::call_soon`] wants a loop that runs. asyncio takes callbacks before `run_forever`; here that is
//!   [`Refusal::NotRunning`].
//! * An error in [`ThreadsafeFuture`] that nobody reads is reported, as `leaked_error` or `leaked_panic`; asyncio loses
//!   it silently.
//! * [`ThreadsafeFuture::result`] on the loop's own thread is an error; in asyncio it waits for ever.
//! * Signals and child processes work from any thread, not from the main one only.
//!
//! What stays: callbacks run in the order they were asked for, and take turns with tasks; one that panics is caught and
//! reported as `callback_panic`, and the loop goes on; one that takes too long is a `slow_poll` named by the line
//! that asked for it.
//!
//! # Cost
//!
//! A callback is a spawn: some 0.4 µs, and a record of 128 bytes until it ran. The check of the thread is a load of a
//! thread-local and a comparison.

mod callback;
mod handle;
mod refused;
mod runner;
mod threadsafe;

use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, Thread};
use std::time::Duration;

use crate::capture::level;
use crate::capture::registry::{self, Made};
use pollscope_tokio::time::Instant;

use crate::owned::WrongThread;
use crate::task::JoinHandle;
use crate::{Level, runtime};

use handle::Ticket;
pub use handle::{Handle, TimerHandle};
pub use refused::{Refusal, Refused};
pub use runner::{NoRunningLoop, Runner, run};
pub use threadsafe::{ThreadsafeFuture, WaitError};

/// A handle of an event loop: cheap to clone, and free to go to any thread.
///
/// The loop itself belongs to the thread of its [`Runner`]. What only that thread may do is refused to all others, at
/// every level, by a [`Refused`] that gives back what was passed in; unless the level is off a `wrong_thread` warning
/// tells of it, with the line of the call.
#[derive(Clone)]
pub struct EventLoop {
    shared: Arc<Shared>,
}

/// What all handles of one loop share.
struct Shared {
    thread: Thread,
    /// Tokio's runtime underneath, as any thread may use it.
    handle: runtime::Handle,
    made: Made,
    made_at: &'static Location<'static>,
    /// The origin of the times in `Debug`.
    began: Instant,
    /// Both are hints where they are read by another thread: nothing is ordered by them.
    running: AtomicBool,
    closed: AtomicBool,
}

// What belongs to the loop's thread.
impl EventLoop {
    /// Runs `callback` at the loop's next turn, after the callbacks and tasks that this thread asked for before.
    ///
    /// As asyncio's `loop.call_soon`; what other threads ask for has a queue of its own, so that no order is kept
    /// between theirs and this one's. A panic of the callback is caught and reported as `callback_panic`.
    ///
    /// ```
    /// use pollscope::event_loop::{self, EventLoop};
    ///
    /// event_loop::run(async {
    ///     let (tell, told) = tokio::sync::oneshot::channel();
    ///     EventLoop::current().call_soon(move || drop(tell.send("called")))?;
    ///     assert_eq!(told.await, Ok("called"));
    ///     Ok::<(), Box<dyn std::error::Error>>(())
    /// })?.unwrap();
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// On another thread than the loop's, and while the loop does not run: the callback comes back, and nothing was
    /// changed.
    #[track_caller]
    pub fn call_soon<F>(&self, callback: F) -> Result<Handle, Refused<F>>
    where
        F: FnOnce() + 'static,
    {
        let (callback, runtime) = self.enter("EventLoop::call_soon", callback)?;
        let ticket = Ticket::pending();
        let task = runtime.spawn_local(callback::soon(callback, Arc::clone(&ticket)));
        Ok(Handle::of::<F>(ticket, task, Location::caller()))
    }

    /// Runs `callback` once `delay` has passed.
    ///
    /// As asyncio's `loop.call_later`; timers are as exact as Tokio's, that is to a millisecond.
    ///
    /// # Errors
    /// As [`call_soon`](Self::call_soon).
    #[track_caller]
    pub fn call_later<F>(&self, delay: Duration, callback: F) -> Result<TimerHandle, Refused<F>>
    where
        F: FnOnce() + 'static,
    {
        let (callback, runtime) = self.enter("EventLoop::call_later", callback)?;
        let now = self.time();
        // A delay that no clock can hold: as Tokio's `sleep`, some decades.
        let when = now.checked_add(delay).unwrap_or_else(|| now + FAR);
        Ok(self.timer(&runtime, when, callback))
    }

    /// Runs `callback` at `when`, or at the next turn if that has passed.
    ///
    /// As asyncio's `loop.call_at`; [`time`](Self::time) is the clock.
    ///
    /// # Errors
    /// As [`call_soon`](Self::call_soon).
    #[track_caller]
    pub fn call_at<F>(&self, when: Instant, callback: F) -> Result<TimerHandle, Refused<F>>
    where
        F: FnOnce() + 'static,
    {
        let (callback, runtime) = self.enter("EventLoop::call_at", callback)?;
        Ok(self.timer(&runtime, when, callback))
    }

    /// Spawns a task on the loop, which need not be `Send`.
    ///
    /// As asyncio's `loop.create_task`; on the loop's thread [`spawn_local`](crate::task::spawn_local) does the same.
    ///
    /// # Errors
    /// As [`call_soon`](Self::call_soon): the future comes back unpolled.
    #[track_caller]
    pub fn create_task<F>(&self, future: F) -> Result<JoinHandle<F::Output>, Refused<F>>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let (future, runtime) = self.enter("EventLoop::create_task", future)?;
        Ok(runtime.spawn_local(future))
    }

    #[track_caller]
    fn timer<F>(&self, runtime: &runtime::LocalRuntime, when: Instant, callback: F) -> TimerHandle
    where
        F: FnOnce() + 'static,
    {
        let ticket = Ticket::pending();
        let task = runtime.spawn_local(callback::at(when, callback, Arc::clone(&ticket)));
        let handle = Handle::of::<F>(ticket, task, Location::caller());
        TimerHandle::new(handle, when, self.shared.began)
    }

    /// Lets the loop's own thread in while the loop runs; refuses all others before anything is done.
    #[track_caller]
    fn enter<T>(
        &self,
        operation: &'static str,
        argument: T,
    ) -> Result<(T, std::rc::Rc<runtime::LocalRuntime>), Refused<T>> {
        if !self.is_here() {
            let refusal = Refusal::WrongThread(Box::new(self.wrong_thread(operation)));
            return Err(Refused::new(operation, refusal, argument));
        }
        match runner::running(self) {
            Some(runtime) => Ok((argument, runtime)),
            None => Err(Refused::new(operation, Refusal::NotRunning, argument)),
        }
    }

    /// Tells of a call from another thread.
    #[cold]
    #[track_caller]
    fn wrong_thread(&self, operation: &'static str) -> WrongThread {
        let touched_at = Location::caller();
        let shared = &*self.shared;
        if level::level() != Level::Off {
            let text = crate::capture::event::ThreadText {
                what: operation.to_owned(),
                did: "called",
                owner_tid: shared.made.tid,
                owner_name: shared.thread.name().unwrap_or_default().to_owned(),
            };
            registry::wrong_thread(shared.made.site, shared.made.stack, Some(touched_at), text);
        }
        WrongThread {
            owner: shared.thread.clone(),
            current: thread::current(),
            made_at: shared.made_at,
            touched_at,
            type_name: "EventLoop",
        }
    }
}

/// Some decades: as far as Tokio's timers look.
const FAR: Duration = Duration::from_secs(86400 * 365 * 30);

// What any thread may do.
impl EventLoop {
    /// The loop that runs on this thread.
    ///
    /// As asyncio's `get_running_loop`.
    ///
    /// # Panics
    /// Where none does: see [`try_current`](Self::try_current).
    #[track_caller]
    pub fn current() -> Self {
        match Self::try_current() {
            Ok(event_loop) => event_loop,
            Err(none) => panic!("{none}"),
        }
    }

    /// The loop that runs on this thread.
    ///
    /// # Errors
    /// Where none does.
    pub fn try_current() -> Result<Self, NoRunningLoop> {
        runner::current().ok_or(NoRunningLoop(()))
    }

    /// Runs `callback` on the loop's thread at its next turn, and wakes it if it sleeps. From any thread.
    ///
    /// As asyncio's `loop.call_soon_threadsafe`. Callbacks of one thread run in the order they were asked for. Asked
    /// for before the loop runs, they wait for it.
    ///
    /// ```
    /// use pollscope::event_loop::{self, EventLoop};
    ///
    /// event_loop::run(async {
    ///     let (tell, told) = tokio::sync::oneshot::channel();
    ///     let event_loop = EventLoop::current();
    ///     std::thread::spawn(move || {
    ///         let home = event_loop.clone();
    ///         event_loop.call_soon_threadsafe(move || drop(tell.send(home.is_here()))).is_ok()
    ///     });
    ///     assert_eq!(told.await, Ok(true));
    /// })?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// Once the loop is closed: the callback comes back. Where it is closed at the very moment, the callback is dropped
    /// instead and the handle says so.
    #[track_caller]
    pub fn call_soon_threadsafe<F>(&self, callback: F) -> Result<Handle, Refused<F>>
    where
        F: FnOnce() + Send + 'static,
    {
        if self.is_closed() {
            let operation = "EventLoop::call_soon_threadsafe";
            return Err(Refused::new(operation, Refusal::NotRunning, callback));
        }
        let ticket = Ticket::pending();
        let task = self
            .shared
            .handle
            .spawn(callback::soon(callback, Arc::clone(&ticket)));
        Ok(Handle::of::<F>(ticket, task, Location::caller()))
    }

    /// Runs a future as a task of the loop, and gives the calling thread what waits for it. From any thread.
    ///
    /// As `asyncio.run_coroutine_threadsafe`. Where the loop is closed the task is cancelled. An `Err` or a panic that
    /// nobody reads from what is returned is reported as `leaked_error` or `leaked_panic`.
    #[track_caller]
    pub fn run_coroutine_threadsafe<F>(&self, future: F) -> ThreadsafeFuture<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        ThreadsafeFuture::new(self.clone(), self.shared.handle.spawn(future))
    }

    /// Runs blocking work on Tokio's blocking pool: its time is nobody's slow poll. From any thread.
    ///
    /// As asyncio's `loop.run_in_executor(None, …)`. Once begun it cannot be aborted.
    #[track_caller]
    pub fn run_in_executor<F, R>(&self, work: F) -> JoinHandle<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        self.shared.handle.spawn_blocking(work)
    }

    /// Whether this is the loop's thread. Asking is no misuse: nothing is reported.
    pub fn is_here(&self) -> bool {
        thread::current().id() == self.shared.thread.id()
    }

    /// Whether the loop runs now.
    pub fn is_running(&self) -> bool {
        self.shared.running.load(Ordering::Relaxed)
    }

    /// Whether the loop's [`Runner`] is gone.
    pub fn is_closed(&self) -> bool {
        self.shared.closed.load(Ordering::Relaxed)
    }

    /// Now, by the loop's clock: Tokio's, which tests can pause.
    ///
    /// As asyncio's `loop.time()`.
    pub fn time(&self) -> Instant {
        let _clock = self.shared.handle.enter();
        Instant::now()
    }

    /// The runtime underneath.
    pub fn runtime(&self) -> &runtime::Handle {
        &self.shared.handle
    }

    /// Switches debug, of the process: see [`set_debug`](crate::set_debug). asyncio has it for each loop.
    pub fn set_debug(&self, on: bool) -> bool {
        crate::set_debug(on)
    }

    /// Whether debug is on.
    pub fn get_debug(&self) -> bool {
        crate::level() == Level::Debug
    }

    /// From how long on a callback is slow, a poll of a task too; `None`: none is.
    ///
    /// As asyncio's attribute of this name, and of the process.
    pub fn slow_callback_duration(&self) -> Option<Duration> {
        match level::slow_poll_ns() {
            u64::MAX => None,
            ns => Some(Duration::from_nanos(ns)),
        }
    }

    /// Sets [`slow_callback_duration`](Self::slow_callback_duration): see [`set_slow_poll`](crate::set_slow_poll).
    pub fn set_slow_callback_duration(&self, threshold: Option<Duration>) {
        crate::set_slow_poll(threshold);
    }
}

impl PartialEq for EventLoop {
    /// Handles of one loop are equal.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }
}

impl Eq for EventLoop {}

impl fmt::Debug for EventLoop {
    /// As asyncio's: `EventLoop { thread: "main", running: true, closed: false, debug: false, made_at: src/a.rs:7:5 }`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let thread = &self.shared.thread;
        let mut line = f.debug_struct("EventLoop");
        match thread.name() {
            Some(name) => line.field("thread", &name),
            None => line.field("thread", &thread.id()),
        };
        line.field("running", &self.is_running())
            .field("closed", &self.is_closed())
            .field("debug", &self.get_debug())
            .field("made_at", &format_args!("{}", self.shared.made_at))
            .finish()
    }
}

#[cfg(test)]
mod tests;

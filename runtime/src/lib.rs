//! A debug mode for Tokio, and the runtime side of `pollscope`, the inspector that attaches to a live process.
//!
//! asyncio has a debug mode: set one flag, and it tells of coroutines never awaited, callbacks that hold the loop too
//! long, errors nobody read, calls from the wrong thread. This is that for Tokio: on stable Rust, with no
//! `RUSTFLAGS` and no annotation of tasks. And while the program runs, also after it hung, `pollscope attach PID`
//! shows which task blocks which thread, and on what line.
//!
//! # A first example
//!
//! ```
//! #[pollscope::tracked]
//! async fn settle(order: u64) -> Result<(), String> {
//!     Err(format!("order {order} has no payer"))
//! }
//!
//! #[pollscope::main]
//! async fn main() {
//!     settle(1); // `never_awaited`: made on this line, dropped on this line
//!     pollscope::spawn!(settle(2)); // `leaked_error`: "order 2 has no payer", and nobody read it
//!     settle(3).await.unwrap_err(); // silent
//! }
//! ```
//!
//! An existing program is ported by replacing paths: `tokio::spawn`, `tokio::task::…`, `tokio::runtime::…`,
//! `#[tokio::main]`, `tokio::select!` and so on have their likes here, every method of them. What is not here stays
//! Tokio's: `tokio::sync`, `tokio::net` are watched as they are. `tokio::time` keeps working, too; timers that fire late
//! are told of those of [`time`] only. Where the runtime is somebody
//! else's, `let _guard = pollscope::init();` and our [`spawn`](fn@spawn) are enough.
//!
//! # Levels
//!
//! `POLLSCOPE=off|quiet|debug` in the environment; `POLLSCOPE_DEBUG=1` means debug. What the program says beats the
//! environment: `#[pollscope::main(debug = true)]`, [`runtime::Builder::debug`], [`set_debug`] at any time.
//!
//! | level | what happens |
//! |---|---|
//! | off | the same types, with nothing behind them: no thread, no socket, no record. For good: it is latched at the first use |
//! | quiet, the default | warnings without poll times; live tasks with `file:line`; which poll runs now. No clock is read in a poll |
//! | debug | poll times, slow polls with stacks, a creation backtrace of the first tasks of each site and of samples, wakes |
//!
//! An unknown value is complained of in one line on stderr, and is quiet.
//!
//! # What is reported, and when
//!
//! | warning | when | level |
//! |---|---|---|
//! | `never_awaited` | a [`macro@tracked`] future was dropped before its first poll | quiet |
//! | `leaked_error` | a task returned `Err`, and the last chance to read it is gone: handle, set or output dropped | quiet |
//! | `leaked_panic` | the same of a panic | quiet |
//! | `wrong_thread` | an [`Owned`] was touched or dropped, or `spawn_local` called, where it must not be | quiet |
//! | `worker_blocked` | a worker has been asleep in the kernel for longer than the threshold, under no task of ours | quiet |
//! | `slow_poll` | one poll took 100 ms ([`set_slow_poll`]) or longer, or is at it right now | debug; stuck ones in quiet, too |
//!
//! Warnings go to the inspector and to `tracing`, target `pollscope`; to stderr where no subscriber takes them. One
//! record is kept per kind and place, with a count.
//!
//! # Never awaited: what is proved, and what is not
//!
//! rustc warns of `f();` where it sees that the value is a future, clippy of `let _ = f()`. Neither sees `drop(f())`,
//! `vec![f()]`, a future left in a struct, or one that an early return jumped over. A tracked future reports all of
//! them, as **definite** where it was made and dropped by one thread within one poll, with nothing polled between;
//! else as **likely**, severity info. Nobody forgot a future that is dropped while a panic unwinds, because its task
//! was aborted or its runtime shut down, because it lost in our [`select!`], [`join!`] or [`try_join!`], because the
//! tracked future that held it was itself dropped half-way, or by [`discard`]: these are silent.
//!
//! A drop tells no more than that, so some false positives remain:
//!
//! * what a foreign owner never polled: the loser of a `tokio::select!` or `futures::select!` whose other branch was
//!   ready, the rest of a `FuturesUnordered`. It is likely where a tracked future was polled in between, else it looks
//!   forgotten, and is called definite: use this crate's macros;
//! * what a plain `async` block still held, when such an owner drops it in the very poll that made it (`timeout` of no
//!   time): make it a [`macro@tracked`] function;
//! * a future made ahead of time and dropped unused on purpose: say so by [`discard`];
//! * in a task that a library spawned by itself nobody tells where one poll ends and the next begins, except by the
//!   worker's sleep: what was dropped a poll later may be called definite.
//!
//! And one thing cannot be seen: a future that is never dropped. A task that is never polled is listed with its age.
//!
//! # Cost
//!
//! Measured beside plain Tokio and console-subscriber, with the budgets that we set ourselves and the command for each
//! figure: `BENCHMARKS.md` in the repository. A poll reads no clock in quiet and two counters in debug; a live task
//! takes 128 bytes for its record and what the wrapper adds to its future, which is 260 at most.
//!
//! # Features
//!
//! * `serve` (default): the agent, that is the collector, the watchdog and the server the inspector attaches to.
//! * `symbols` (default): names and lines of frames are resolved in this process where the viewer cannot.
//! * `capture`: what is measured, without the agent: nothing is started and nothing reported. `serve` brings it.
//! * `test-util`: Tokio's, for `start_paused`.
//! * `process`: Tokio's, and child processes that nobody waits for are told of.
//! * `net`: Tokio's, and look-ups of hosts that take long are told of.
//! * `signal`: Tokio's, and listeners for signals that nobody polls are told of.
//! * `stream`: `must_finish`, for streams that must be read to their end.
//! * `tower`: a layer that makes a row of each request; `axum`: the same, named by axum's routes.
//! * `tracing-subscriber`: a task made in a `tracing` span shows the span's fields, and not its name alone.
//! * `hyper`: an executor, so that what hyper spawns by itself is a row.
//!
//! With `default-features = false` all is passed through to Tokio: the same API, no thread, no socket, no record, and
//! three crates over Tokio's own. A [`macro@tracked`] future is a future, and [`Owned`] refuses as ever.
//!
//! A workspace that names `tokio` is ported by its manifest: see the crate `pollscope-tokio`.
//!
//! # Promises
//!
//! The watched program does not block, panic, abort or grow without bound because of this crate: tables are capped;
//! what does not fit is dropped, counted, and the count is shown. Forked children are left alone. Panics keep
//! Tokio's words. The one thing refused, at every level, is the use of an [`Owned`] value on another thread, because
//! that would be unsound; it is refused by an `Err`, before anything is touched.

#![deny(missing_docs)]

use pollscope_tokio::private::capture;

pub mod event_loop;
#[cfg(feature = "hyper")]
pub mod hyper;
mod label;
#[cfg(feature = "stream")]
mod must_finish;
#[cfg(feature = "net")]
pub mod net;
pub mod owned;
#[doc(hidden)]
pub mod private;
mod request;
#[cfg(feature = "signal")]
pub mod signal;
mod spawn;
pub mod time;
#[cfg(feature = "tower")]
pub mod tower;

pub use capture::level::Level;
pub use capture::tracked::{Tracked, track};
pub use label::label;
#[cfg(feature = "stream")]
pub use must_finish::{MustFinish, must_finish};
pub use owned::{Owned, WrongThread};
#[doc(inline)]
pub use pollscope_macros::{main, test, tracked};
#[cfg(all(feature = "process", unix))]
#[doc(inline)]
pub use pollscope_tokio::process;
#[doc(inline)]
pub use pollscope_tokio::setup::{
    Context, Guard, default_exception_handler, flush, init, level, set_debug,
    set_exception_handler, set_slow_poll,
};
#[doc(inline)]
pub use pollscope_tokio::{join, policy, runtime, select, task, try_join};

pub use request::{Request, instrument, request};
pub use spawn::spawn;

/// Panics where pollscope has found anything in this test: at the end of a test, before its runtime is gone.
///
/// In a `#[pollscope::test]`, or under a [`policy::TestScope`], what this test did counts, also while others run in
/// the same process. Elsewhere everything that was found in the process counts. Notes (severity info) do not.
///
/// With kinds, only those: `assert_no_warnings!("slow_poll,leaked_error")`.
///
/// It blocks its thread until what was told is collected: some milliseconds.
///
/// # Panics
/// Something was found; not while the thread panics already.
///
/// # Examples
///
/// ```
/// #[pollscope::test]
/// async fn nothing_is_left_behind() {
///     let answer = pollscope::spawn(async { 6 * 7 }).await;
///     assert_eq!(answer.unwrap(), 42);
///     pollscope::assert_no_warnings!();
/// }
/// ```
#[macro_export]
macro_rules! assert_no_warnings {
    () => {
        $crate::policy::assert_none("any")
    };
    ($kinds:expr $(,)?) => {
        $crate::policy::assert_none($kinds)
    };
}

/// Drops a future that is not wanted, and says so: it is not reported as never awaited, nor are those inside it.
///
/// ```
/// #[pollscope::tracked]
/// async fn refresh() {}
///
/// let prepared = refresh();
/// pollscope::discard(prepared);
/// ```
pub fn discard<F: Future>(future: F) {
    capture::tracked::excuse(move || drop(future));
}

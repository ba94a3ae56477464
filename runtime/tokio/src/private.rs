//! What the macros of this crate and of `pollscope` need. Not for anybody else: it changes without notice.
#![doc(hidden)]

use std::fmt::{Debug, Display};
use std::future::Future;
use std::panic::Location;

#[cfg(not(feature = "capture"))]
pub use crate::absent as capture;
#[cfg(feature = "capture")]
pub use pollscope_capture as capture;
pub use tokio;

pub use crate::owner::Owner;
pub use crate::setup::init;
pub use crate::task::request::Request;
pub use capture::TaskKind;
pub use capture::event::ErrorText;
pub use capture::instrumented::{Describe, Read};

use crate::task::{JoinHandle, NewTask, watched};

/// Follows a future as a request that was made at `location`. `name` is called where there will be a row.
#[inline]
pub fn request<F: Future, N: AsRef<str>>(
    future: F,
    location: &'static Location<'static>,
    name: impl FnOnce() -> Option<N>,
) -> Request<F> {
    Request::new(future, location, name)
}

/// Spawns a task as made at `location`, whose error is read by `describe`.
#[track_caller]
pub fn spawn_described<F, D>(
    future: F,
    describe: D,
    location: &'static Location<'static>,
) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
    D: Describe<F::Output>,
{
    let task = NewTask::at(TaskKind::Task, location);
    watched!(task, future, describe => |future, share| JoinHandle::new(tokio::task::spawn(future), share))
}

/// Spawns a task as made at `location`, that nobody joins: its errors are its own matter.
#[track_caller]
pub fn spawn_detached<F>(future: F, location: &'static Location<'static>)
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    drop(spawn_described(future, crate::describe::Known, location).expecting_errors());
}

/// Starts pollscope, unless something did.
pub fn start() {
    crate::setup::ensure_started();
}

/// The text of an error: cut, and without a panic of the program's own formatting.
pub fn error_text(
    type_name: &'static str,
    display: Option<&dyn Display>,
    debug: Option<&dyn Debug>,
) -> ErrorText {
    crate::describe::of_error(type_name, display, debug)
}

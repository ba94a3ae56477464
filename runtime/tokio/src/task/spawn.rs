//! The free functions that spawn.

use std::future::Future;

use crate::capture::TaskKind;
use crate::capture::registry;
use crate::capture::thread::{self, Role};

use super::misuse::Misuse;
use super::{JoinHandle, NewTask, watched};

/// Spawns a new asynchronous task, as [`tokio::task::spawn`] does, under pollscope's eyes.
///
/// Cost over Tokio's: some 0.1 µs and a 128-byte record while the task lives; at level off one word in the task.
///
/// # Panics
/// Outside a runtime, with Tokio's words.
#[track_caller]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let task = NewTask::here(TaskKind::Task);
    watched!(task, future => |future, share| JoinHandle::new(tokio::task::spawn(future), share))
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
    watched!(task, future => |future, share| {
        let handle = tokio::task::spawn_local(future);
        misuse.did_not_happen();
        JoinHandle::new(handle, share)
    })
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
    gives_its_core_away();
    tokio::task::block_in_place(move || registry::blocking_region(work))
}

/// From here on another thread may have this worker's core; if so, this one rests in the blocking pool in the end, whether
/// its work returns or panics, and looks like a worker that hangs. If it is still a worker, its next park says so.
fn gives_its_core_away() {
    if let Some(thread) = thread::current()
        && thread.role() == Role::Worker
    {
        thread.set_role(Role::Blocking, thread.runtime());
    }
}

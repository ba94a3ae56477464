//! Who aborted a task: kept beside the records until the task's last holder leaves.
//!
//! Aborts are rare, so a lock and a map are fine; and records have no word to spare. What is kept is capped.

use std::collections::HashMap;
use std::panic::Location;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::level::{self, Level};
use crate::record::Record;
use crate::thread;

/// How many aborted tasks are told apart at a time. Past it they are aborted by nobody knows whom.
const MAX_KEPT: usize = 4096;

/// Who aborted a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Aborter {
    /// Where the abort was asked for; `None`: by a handle that cannot tell.
    pub at: Option<&'static Location<'static>>,
    /// Our id of the task that asked; 0: it was in none.
    pub task: u64,
    /// The thread that asked; 0: unknown.
    pub tid: u32,
}

/// By our id of the task that was aborted.
static ABORTED: Mutex<Option<HashMap<u64, Aborter>>> = Mutex::new(None);

fn aborted() -> MutexGuard<'static, Option<HashMap<u64, Aborter>>> {
    ABORTED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Notes that this thread asks for the task's abort. Of several the first holds.
#[cold]
pub(super) fn keep(record: &Record, at: Option<&'static Location<'static>>) {
    // A forked child: the lock may be held by a thread that does not exist here.
    if level::level() == Level::Off {
        return;
    }
    let thread = thread::current();
    let within = thread.and_then(thread::Thread::current_record);
    let aborter = Aborter {
        at,
        task: within.map_or(0, |within| within.id.get()),
        tid: thread.map_or(0, thread::Thread::tid),
    };
    let mut aborted = aborted();
    let aborted = aborted.get_or_insert_default();
    if aborted.len() < MAX_KEPT {
        aborted.entry(record.id.get()).or_insert(aborter);
    }
}

/// The task has no holder any more.
#[cold]
pub(super) fn forget(id: u64) {
    if let Some(aborted) = aborted().as_mut() {
        aborted.remove(&id);
    }
}

/// Who aborted the task with this id, while its record lives.
pub fn aborter(id: u64) -> Option<Aborter> {
    aborted().as_ref()?.get(&id).copied()
}

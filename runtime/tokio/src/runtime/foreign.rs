//! Tasks that libraries spawn past us, where the runtime tells of them: under `--cfg tokio_unstable`.
//!
//! The hooks tell of our own tasks, too. Those are told apart at their spawn, which is ours and on the same thread, and
//! are not in the table: what the hooks say of them later finds nothing there. While a library's task lives, each poll of
//! any task costs a look into the table; while none does, one load.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::panic::Location;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::runtime::TaskMeta;

use crate::capture::instrumented::{Hooked, HookedPoll};
use crate::capture::level::{self, Level};
use crate::setup::ids;

/// Parts of the table, so that workers seldom meet: a power of two.
const PARTS: usize = 64;

/// By Tokio's id: the key of its runtime, and the task.
type Entries = HashMap<u64, (u64, Hooked)>;
type Part = Mutex<Option<Entries>>;

static TASKS: [Part; PARTS] = [const { Mutex::new(None) }; PARTS];
/// How many there are in all parts.
static COUNT: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// Whether what is spawned on this thread right now is a task of ours.
    static BY_US: Cell<bool> = const { Cell::new(false) };
    /// Tokio's id of the last task that ended here without being in the table.
    static ENDED: Cell<u64> = const { Cell::new(0) };
    /// The library's task that is polled here, by Tokio's id.
    static POLLED: RefCell<Option<(u64, HookedPoll)>> = const { RefCell::new(None) };
}

/// While this is held, what this thread spawns is a task of ours: the one next task. Where that cannot be spawned, its
/// future is dropped meanwhile and may itself spawn something of ours, on another runtime.
#[derive(Debug)]
pub(crate) struct ByUs {
    /// What held before.
    outer: bool,
}

impl ByUs {
    #[inline]
    pub(crate) fn begin() -> Self {
        let outer = BY_US.try_with(|by_us| by_us.replace(true));
        Self {
            outer: outer.unwrap_or(false),
        }
    }
}

impl Drop for ByUs {
    #[inline]
    fn drop(&mut self) {
        let _ = BY_US.try_with(|by_us| by_us.set(self.outer));
    }
}

/// The tasks of one runtime: held by its hooks, and so for as long as anything can be spawned there, or lives.
#[derive(Debug)]
pub(super) struct Tasks {
    /// The runtime's number, by which rows name it.
    runtime: u16,
    /// Another for each: numbers of runtimes are used again.
    key: u64,
}

impl Tasks {
    pub(super) fn of(runtime: u16) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self {
            runtime,
            key: NEXT.fetch_add(1, Ordering::Relaxed),
        }
    }

    /// A task was spawned, on this thread. Once for each spawn of ours: what the program's own hook spawns is not ours.
    pub(super) fn spawned(&self, task: &TaskMeta<'_>) {
        let id = ids::of_task(task.id());
        // On a runtime that has gone a task ends before it is said to be spawned.
        let is_over = ENDED.try_with(Cell::get) == Ok(id);
        let is_ours = BY_US.try_with(|by_us| by_us.replace(false)) != Ok(false);
        if !is_over && !is_ours {
            self.insert(id, task.spawned_at());
        }
    }

    fn insert(&self, id: u64, at: &'static Location<'static>) {
        // At level off, and so in a forked child, there is none.
        if let Some(hooked) = Hooked::born(at, self.runtime, id) {
            COUNT.fetch_add(1, Ordering::Relaxed);
            let entry = (self.key, hooked);
            part(id).get_or_insert_default().insert(id, entry);
        }
    }
}

/// Nothing of the runtime is left. One that went on another thread in the midst of a spawn may have told the task's end
/// before its spawn.
impl Drop for Tasks {
    fn drop(&mut self) {
        if !is_any() {
            return;
        }
        for id in 0..PARTS as u64 {
            let mut part = part(id);
            let Some(tasks) = part.as_mut() else { continue };
            let gone: Vec<_> = tasks.extract_if(|_, (key, _)| *key == self.key).collect();
            drop(part);
            COUNT.fetch_sub(gone.len(), Ordering::Relaxed);
        }
    }
}

/// A poll of a task begins here.
#[inline]
pub(super) fn poll_begins(task: &TaskMeta<'_>) {
    if is_any() {
        begin(ids::of_task(task.id()));
    }
}

fn begin(id: u64) {
    // Inside of a poll of another, by a runtime that blocks there: that one is told, and all of its time is its own.
    if POLLED.try_with(|polled| polled.borrow().is_some()) != Ok(false) {
        return;
    }
    let poll = match part(id).as_ref().and_then(|tasks| tasks.get(&id)) {
        Some((_, hooked)) => hooked.poll_begins(),
        None => return,
    };
    if let Some(poll) = poll {
        let _ = POLLED.try_with(|polled| polled.replace(Some((id, poll))));
    }
}

/// The poll of a task that ran here has ended.
#[inline]
pub(super) fn poll_ends(task: &TaskMeta<'_>) {
    if is_any() {
        end(ids::of_task(task.id()));
    }
}

fn end(id: u64) {
    let of = |polled: &RefCell<Option<(u64, HookedPoll)>>| {
        polled.borrow_mut().take_if(|(polled, _)| *polled == id)
    };
    // Dropped when nothing is borrowed: it tells of itself.
    drop(POLLED.try_with(of));
}

/// A task has ended, on whatever thread: inside of its last poll, where it has returned.
pub(super) fn ended(task: &TaskMeta<'_>) {
    let id = ids::of_task(task.id());
    let remove = || part(id).as_mut().and_then(|tasks| tasks.remove(&id));
    let Some(hooked) = is_any().then(remove).flatten() else {
        let _ = ENDED.try_with(|ended| ended.set(id));
        return;
    };
    end(id);
    COUNT.fetch_sub(1, Ordering::Relaxed);
    drop(hooked);
}

/// Whether one lives. Not in a forked child: a lock of the table may be held by a thread that does not exist there.
#[inline]
fn is_any() -> bool {
    COUNT.load(Ordering::Relaxed) != 0 && level::level() != Level::Off
}

/// The part of the table that a task is in. Held for a look, never while the program's code runs.
fn part(id: u64) -> MutexGuard<'static, Option<Entries>> {
    // Ids count up.
    let part = &TASKS[id as usize % PARTS];
    part.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No id of Tokio's, which count up from 1.
    const ID: u64 = u64::MAX - 7;

    fn is_known(id: u64) -> bool {
        part(id)
            .as_ref()
            .is_some_and(|tasks| tasks.contains_key(&id))
    }

    #[test]
    fn what_was_told_too_late_goes_with_the_last_of_its_runtime() {
        // As a runtime of ours does first: what the program starts with is not to be the table alone.
        crate::setup::ensure_started();
        let (gone, other) = (Tasks::of(1), Tasks::of(1));
        gone.insert(ID, Location::caller());
        other.insert(ID + 1, Location::caller());
        assert!(is_known(ID) && is_known(ID + 1));
        drop(gone);
        assert!(!is_known(ID) && is_known(ID + 1));
        drop(other);
        assert!(!is_known(ID + 1));
    }
}

//! Runtimes that go away right now: the end of their tasks is not the tasks' own.

use std::panic::Location;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock, RwLockWriteGuard};

use crate::level::{self, Level};

/// How a runtime goes away.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    /// In words, as the end of "Task 7 was destroyed but it is pending, ...".
    pub how: &'static str,
    /// Where, as far as it is known: a drop has no caller.
    pub at: Option<&'static Location<'static>>,
    /// The end of the program, or of a test: what is left then is left on purpose, as far as anybody can tell.
    pub is_expected: bool,
}

/// Tasks end far more often than runtimes: they look here first.
static ANY: AtomicUsize = AtomicUsize::new(0);
/// Read by every task that goes with its runtime, by all workers at once.
static CLOSING: RwLock<Vec<(u16, Way)>> = RwLock::new(Vec::new());

/// The runtime with this number goes away, until it is taken off the list. Before the first of its tasks is dropped; what
/// was said first holds.
pub fn begin(number: u16, way: Way) {
    // Not in a forked child, where nobody may be left to open the lock.
    if number == 0 || level::level() == Level::Off {
        return;
    }
    let mut list = list();
    if !list.iter().any(|(closing, _)| *closing == number) {
        list.push((number, way));
        ANY.fetch_add(1, Ordering::Relaxed);
    }
}

/// The runtime is gone.
pub(super) fn end(number: u16) {
    if ANY.load(Ordering::Relaxed) == 0 {
        return;
    }
    let mut list = list();
    let before = list.len();
    list.retain(|(closing, _)| *closing != number);
    ANY.fetch_sub(before - list.len(), Ordering::Relaxed);
}

/// How the runtime with this number goes away; `None` where it stays.
#[inline]
pub(crate) fn way_of(number: u16) -> Option<Way> {
    // Relaxed: who drops a task for its runtime's end was told so by the runtime, after `begin`.
    if ANY.load(Ordering::Relaxed) == 0 {
        return None;
    }
    let list = CLOSING.read().unwrap_or_else(PoisonError::into_inner);
    let known = list.iter().find(|(closing, _)| *closing == number);
    known.map(|(_, way)| *way)
}

fn list() -> RwLockWriteGuard<'static, Vec<(u16, Way)>> {
    CLOSING.write().unwrap_or_else(PoisonError::into_inner)
}

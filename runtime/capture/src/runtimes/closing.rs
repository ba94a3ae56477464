//! Runtimes that go away right now: the end of their tasks is not the tasks' own.

use std::panic::Location;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// How a runtime goes away.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    /// In words, as the end of "its runtime was".
    pub how: &'static str,
    /// Where, as far as it is known: a drop has no caller.
    pub at: Option<&'static Location<'static>>,
    /// The end of the program, or of a test: what is left then is left on purpose, as far as anybody can tell.
    pub is_expected: bool,
}

/// Tasks end far more often than runtimes: they look here first.
static ANY: AtomicUsize = AtomicUsize::new(0);
static CLOSING: Mutex<Vec<(u16, Way)>> = Mutex::new(Vec::new());

/// The runtime with this number goes away, until it is taken off the list. Before the first of its tasks is dropped; what
/// was said first holds.
pub fn begin(number: u16, way: Way) {
    let mut list = list();
    if number != 0 && !list.iter().any(|(closing, _)| *closing == number) {
        list.push((number, way));
        ANY.fetch_add(1, Ordering::Relaxed);
    }
}

/// The runtime is gone.
pub(super) fn end(number: u16) {
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
    let find = |list: &[(u16, Way)]| {
        let known = list.iter().find(|(closing, _)| *closing == number);
        known.map(|(_, way)| *way)
    };
    find(&list())
}

fn list() -> std::sync::MutexGuard<'static, Vec<(u16, Way)>> {
    CLOSING.lock().unwrap_or_else(PoisonError::into_inner)
}

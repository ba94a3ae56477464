//! Whose a finding is, where several tests run side by side in one process.
//!
//! A scope is a test: the thread that opened it, and every runtime that was made under it. A finding belongs to
//! the scope of the thread that told it, else of the runtime of its task, else of the runtime of that thread, else
//! of the thread that made what it is about. The runtime is told with it: one that outlives the test it was made
//! in (a static that all tests share) is nobody's, and only the end of the test can tell.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::thread::{self, Thread};

/// The scope a finding belongs to, and how that is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Belongs {
    /// Number of the scope; 0: none.
    pub scope: u32,
    /// Number of the runtime that tells it; 0: a thread of the scope's own does.
    pub runtime: u16,
}

/// Scopes opened so far. 0 costs a finding one load.
static OPENED: AtomicU32 = AtomicU32::new(0);
static KNOWN: Mutex<Known> = Mutex::new(Known {
    open: BTreeSet::new(),
    runtimes: BTreeMap::new(),
});

struct Known {
    /// The scopes that are open.
    open: BTreeSet<u32>,
    /// The scope of each runtime that was made under one.
    runtimes: BTreeMap<u16, u32>,
}

/// A scope, open on this thread until it is dropped.
#[derive(Debug)]
pub struct Scope {
    number: u32,
    /// The slot of the thread that opened it, and what was open there before.
    outer: Option<(&'static Thread, u32)>,
    /// Dropped by the thread that opened it.
    _here: std::marker::PhantomData<*const ()>,
}

impl Scope {
    /// Opens a scope on this thread. From now on every finding of the process is told in full.
    #[must_use]
    pub fn open() -> Self {
        let number = OPENED.fetch_add(1, Ordering::Relaxed) + 1;
        lock().open.insert(number);
        let outer = thread::current().map(|thread| (thread, thread.set_scope(number)));
        Self {
            number,
            outer,
            _here: std::marker::PhantomData,
        }
    }

    /// Its number, from 1.
    pub fn number(&self) -> u32 {
        self.number
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        if let Some((thread, outer)) = self.outer {
            thread.set_scope(outer);
        }
        lock().open.remove(&self.number);
    }
}

/// Whether any scope was ever opened.
#[inline]
pub fn is_used() -> bool {
    OPENED.load(Ordering::Relaxed) != 0
}

/// Whether this scope is open.
pub fn is_open(scope: u32) -> bool {
    lock().open.contains(&scope)
}

/// The scope that this thread works for: its own, or that of its runtime.
pub fn of_this_thread() -> u32 {
    thread::current_if_known().map_or(0, |thread| of(thread, 0).scope)
}

/// A runtime was made by this thread. Its number may have been another's.
pub(crate) fn adopt(runtime: u16) {
    if !is_used() || runtime == 0 {
        return;
    }
    match of_this_thread() {
        0 => _ = lock().runtimes.remove(&runtime),
        scope => _ = lock().runtimes.insert(runtime, scope),
    }
}

/// The scope of what happens on `thread`, about a task of `runtime`; 0: about no task.
pub fn of(thread: &Thread, runtime: u16) -> Belongs {
    if !is_used() {
        return Belongs::default();
    }
    match thread.scope() {
        0 => {
            let known = lock();
            [runtime, thread.runtime()]
                .into_iter()
                .find_map(|runtime| {
                    let scope = *known.runtimes.get(&runtime)?;
                    Some(Belongs { scope, runtime })
                })
                .unwrap_or_default()
        }
        scope => Belongs { scope, runtime: 0 },
    }
}

fn lock() -> std::sync::MutexGuard<'static, Known> {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_of_its_own_wins_over_a_runtime_and_scopes_nest() {
        let thread = thread::current().expect("a slot");
        assert_eq!(of(thread, 0), Belongs::default());
        let outer = Scope::open();
        adopt(60_001);
        let inner = Scope::open();
        assert_eq!(of(thread, 60_001).scope, inner.number(), "the thread's own");
        drop(inner);
        assert_eq!(of_this_thread(), outer.number());
        let number = outer.number();
        let elsewhere = std::thread::spawn(move || {
            let thread = thread::current().expect("a slot");
            assert_eq!(of(thread, 0), Belongs::default(), "nobody's");
            let runtime = 60_001;
            let scope = number;
            assert_eq!(of(thread, runtime), Belongs { scope, runtime });
        });
        elsewhere.join().expect("no panic");
        drop(outer);
        assert_eq!(of_this_thread(), 0);
        adopt(60_001);
        assert_eq!(
            of(thread, 60_001).scope,
            0,
            "another runtime has the number"
        );
    }
}

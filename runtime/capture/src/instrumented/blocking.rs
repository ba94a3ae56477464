//! Closures for the blocking pool. They may take as long as they like, so nothing here is published as a poll.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{Describe, Observed};
use crate::record::{Outcome, Record};
use crate::task::{self, Asks, HandleShare, Meta};
use crate::thread::{self, Role};
use crate::{clock, panic};

/// Closures that were handed to a blocking pool and have not begun. Counted apart from the records, so that whoever
/// asks again and again whether one waits need not look at every task.
static QUEUED: AtomicU64 = AtomicU64::new(0);

/// How many closures of all runtimes have not begun, about: most are about to.
pub fn queued() -> u64 {
    QUEUED.load(Ordering::Relaxed)
}

/// Puts a closure for the blocking pool under our eyes.
pub fn instrument_blocking<F, R, D: Describe<R>>(
    work: F,
    describe: D,
    meta: &Meta<'_>,
) -> (impl FnOnce() -> Observed<R> + use<F, R, D>, HandleShare)
where
    F: FnOnce() -> R,
{
    let record = task::born::<F>(meta);
    let share = HandleShare::new(record.filter(|_| meta.asks == Asks::Handle));
    let closure = record.map(Closure::queued);
    let run = move || match closure {
        Some(closure) => {
            closure.begin();
            let value = work();
            Observed::new(value, closure.end(), describe)
        }
        None => Observed::unrecorded(work()),
    };
    (run, share)
}

/// The record of a closure until it returns. Dropped before that, it was never run, or unwound.
struct Closure(&'static Record);

impl Closure {
    fn queued(record: &'static Record) -> Self {
        QUEUED.fetch_add(1, Ordering::Relaxed);
        Self(record)
    }

    fn begin(&self) {
        QUEUED.fetch_sub(1, Ordering::Relaxed);
        if let Some(thread) = thread::current() {
            thread.set_role(Role::Blocking, thread.runtime());
        }
        self.0.edge.set(clock::ticks());
        self.0.seq.bump(1);
    }

    fn end(self) -> &'static Record {
        let record = self.0;
        std::mem::forget(self);
        record.seq.bump(1);
        let end = clock::ticks();
        let ns = clock::ticks_to_ns(end.saturating_sub(record.edge.get()));
        record.edge.set(end);
        record.busy_ns.bump(ns);
        record.max_ns.set(ns);
        record
    }
}

impl Drop for Closure {
    fn drop(&mut self) {
        let record = self.0;
        let begun = record.seq.get() != 0;
        if begun {
            record.seq.bump(1);
            task::panicked(record, panic::unwound_closure(record.edge.get()));
        }
        let outcome = if begun {
            Outcome::Panic
        } else {
            QUEUED.fetch_sub(1, Ordering::Relaxed);
            Outcome::Aborted
        };
        task::dropped(record, outcome, None);
        task::ended(record, outcome);
        task::task_gone(record, false);
    }
}

//! A poll as others see it, from its start to its end, be that a return or a panic.

use crate::panic;
use crate::record::{Outcome, Record};
use crate::task;
use crate::thread::{Outer, Thread};

/// A poll that others see.
#[derive(Debug)]
pub(super) struct Seen {
    record: &'static Record,
    thread: &'static Thread,
    outer: Outer,
}

impl Seen {
    /// The poll begins, at `start` in ticks; 0: it is not timed.
    #[inline]
    pub(super) fn new(record: &'static Record, thread: &'static Thread, start: u64) -> Self {
        // Before `enter`, which shows it: see `post`.
        record.edge.set(start);
        record.seq.bump(1);
        Self {
            record,
            thread,
            outer: thread.enter(record),
        }
    }

    /// The poll returned.
    #[inline]
    pub(super) fn end(self) {
        self.thread.leave(self.outer);
        self.record.seq.bump(1);
        std::mem::forget(self);
    }
}

impl Drop for Seen {
    /// The poll unwound. By value, so that the fields can stay in registers while the poll runs.
    #[inline]
    fn drop(&mut self) {
        unwound(self.record, self.thread, self.outer);
    }
}

#[cold]
#[inline(never)]
fn unwound(record: &'static Record, thread: &'static Thread, outer: Outer) {
    let text = panic::unwound(Some(record), outer.record());
    thread.leave(outer);
    record.seq.bump(1);
    // Counted by the drop of the future, which sees this.
    record.set_outcome(Outcome::Panic);
    task::panicked(record, text);
}

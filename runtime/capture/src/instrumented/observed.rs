//! The output of a task, until somebody takes it.
//!
//! It carries its record and nothing else: for an output of no size it is two registers, and a poll that is pending
//! returns no memory. How an error's text is read waits in the record.

#![expect(unsafe_code, reason = "a function behind a word of the record")]

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{Describe, Read, shown};
use crate::event::{Detail, ErrorText, Family};
use crate::level::{self, Level};
use crate::protocol::sides::EXPECTED;
use crate::record::{Outcome, Record};
use crate::task::{self, HandleShare};
use crate::thread::Thread;
use crate::{backtrace, is_err, thread};

/// The output of a task, until somebody takes it. Dropped while full, nobody saw it.
pub struct Observed<T> {
    /// `None` once it was taken.
    value: Option<T>,
    record: Option<&'static Record>,
}

impl<T> std::fmt::Debug for Observed<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Observed")
            .field("full", &self.value.is_some())
            .finish_non_exhaustive()
    }
}

impl<T> Observed<T> {
    /// The output of a task without a record: a plain value.
    #[inline]
    pub(super) fn unrecorded(value: T) -> Self {
        Self {
            value: Some(value),
            record: None,
        }
    }

    /// The task has ended with this output, which takes over its side of the record.
    #[inline]
    pub(super) fn new(value: T, record: &'static Record, describe: impl Describe<T>) -> Self {
        let is_err = is_err::is_err(&value);
        task::returned(record, if is_err { Outcome::Error } else { Outcome::Ok });
        if is_err && let Some(read) = describe.reader() {
            record.set_error_reader(read as *const ());
        }
        Self {
            value: Some(value),
            record: Some(record),
        }
    }

    /// The output; from here on it was seen.
    #[inline]
    pub fn into_inner(mut self) -> T {
        if let Some(record) = self.record.take() {
            task::task_gone(record, true);
        }
        self.take()
    }

    /// The output, taken by the task's own join handle: cheaper than [`into_inner`](Self::into_inner), because
    /// the handle's side of the record ends with it.
    #[inline]
    pub fn join(mut self, handle: &mut HandleShare) -> T {
        if let Some(record) = self.record.take() {
            handle.join(record);
        }
        self.take()
    }

    #[inline]
    fn take(&mut self) -> T {
        let value = self.value.take();
        value.expect("the output is there until it is taken, and taking it takes `self`")
    }
}

impl<T> Drop for Observed<T> {
    #[inline]
    fn drop(&mut self) {
        if let Some(record) = self.record {
            self.unseen(record);
        }
    }
}

impl<T> Observed<T> {
    /// Nobody saw it. The value's own drop may take long, and may panic: the record is settled all the same.
    #[cold]
    fn unseen(&mut self, record: &'static Record) {
        if let Some(value) = &self.value
            && record.outcome() == Outcome::Error
            && record.sides.bits() & EXPECTED == 0
        {
            leaked(record, value);
        }
        let _gone = ValueGone::new(record);
        self.value = None;
    }
}

/// Settles the record after the value's drop, also when that panics.
struct ValueGone {
    record: &'static Record,
    thread: Option<&'static Thread>,
    /// When the task ended: ticks.
    ended: u64,
}

impl ValueGone {
    fn new(record: &'static Record) -> Self {
        let (thread, ended) = (thread::current(), record.edge.get());
        if let Some(thread) = thread {
            shown::begin(record, thread);
        }
        Self {
            record,
            thread,
            ended,
        }
    }
}

impl Drop for ValueGone {
    fn drop(&mut self) {
        if let Some(thread) = self.thread {
            shown::end(self.record, thread);
            self.record.edge.set(self.ended);
        }
        task::task_gone(self.record, false);
    }
}

#[cold]
fn leaked<T>(record: &'static Record, value: &T) {
    let Some(thread) = thread::current().filter(|_| level::level() != Level::Off) else {
        return;
    };
    let tally = thread.tally_of(record.site());
    let Some(observed) = backtrace::of_finding(tally, Family::LeakedError) else {
        return;
    };
    // The error's own Display and Debug run here, in a drop: they may panic as they like, we do not.
    let described = reader(record)
        .and_then(|read: Read<T>| catch_unwind(AssertUnwindSafe(|| read(value))).ok());
    let text = described.unwrap_or_else(|| ErrorText {
        type_name: std::any::type_name::<T>(),
        ..ErrorText::default()
    });
    thread.tell(task::finding(
        record,
        observed,
        Detail::Error(Box::new(text)),
    ));
}

/// How to read the text of the output that holds `record`, as `Observed::<T>::new` noted it.
fn reader<T>(record: &Record) -> Option<Read<T>> {
    let reader = record.error_reader()?;
    // SAFETY: set by `new` for the output that has this side of the record, which is an `Observed<T>`: the record is
    // its own until it is dropped, and a new life starts without a reader. So this is the `Read<T>` it was then.
    Some(unsafe { std::mem::transmute::<*const (), Read<T>>(reader) })
}

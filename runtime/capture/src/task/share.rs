//! The join handle's side of a record.

use std::panic::Location;

use crate::protocol::sides::{ABORTED, EXPECTED, HANDLE_GONE, LISTED, READ, TASK_GONE};
use crate::record::Record;

/// The join handle's side of a record: one word, empty where the task has none.
#[derive(Debug)]
pub struct HandleShare(Option<&'static Record>);

impl HandleShare {
    pub(crate) fn new(record: Option<&'static Record>) -> Self {
        Self(record)
    }

    /// Our id of the task; 0 where it has no record, or was joined.
    pub fn id(&self) -> u64 {
        self.0.map_or(0, |record| record.id.get())
    }

    /// Tells the record Tokio's id. The spawner, right after the spawn.
    #[inline]
    pub fn set_tokio_id(&self, id: u64) {
        if let Some(record) = self.0 {
            record.tokio_id.set(id);
        }
    }

    /// The user got to know how the task ended: a result, a panic or an abort.
    #[inline]
    pub fn mark_read(&self) {
        if let Some(record) = self.0 {
            record.sides.mark(READ);
        }
    }

    /// The task is about to be aborted by its handle, at this place if it is known. Whenever it goes, nobody forgot it.
    #[inline]
    pub fn mark_aborted(&self, at: Option<&'static Location<'static>>) {
        if let Some(record) = self.0 {
            // Before the bit is set: whoever sees the bit finds the entry, and takes it out.
            super::aborts::keep(record, at);
            record.sides.mark(ABORTED);
        }
    }

    /// An error of the task is a value like others: nobody is told where it is dropped. The spawner, before it gives
    /// the handle away.
    pub fn expect_errors(&self) {
        if let Some(record) = self.0 {
            record.sides.mark(EXPECTED);
        }
    }

    /// Somebody keeps a way to abort the task: what `registry::set_unlist` named is called when the record goes.
    #[inline]
    pub fn mark_listed(&self) {
        if let Some(record) = self.0 {
            record.sides.mark(LISTED);
        }
    }

    /// Settles the record where the handle has taken the output, and with it the task's side: with both sides in
    /// one hand nobody is left to race with.
    #[inline]
    pub(crate) fn join(&mut self, record: &'static Record) {
        match self.0.take() {
            Some(own) if std::ptr::eq(own, record) => {
                super::last(record, record.sides.bits() | TASK_GONE | HANDLE_GONE | READ);
            }
            other => {
                self.0 = other;
                super::task_gone(record, true);
            }
        }
    }
}

impl Drop for HandleShare {
    #[inline]
    fn drop(&mut self) {
        if let Some(record) = self.0
            && let Some(bits) = record.sides.leave_handle()
        {
            super::last(record, bits);
        }
    }
}

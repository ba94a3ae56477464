//! The two sides that hold a record, the task and its join handle: who is gone, and who was last.
//!
//! Each side leaves once, by one read-modify-write. The second to leave sees the first one's bit, and owns the
//! record from there on. `AcqRel`: what either side wrote before it left, the last one sees. Who holds both sides
//! at once (a handle that takes the output) needs no read-modify-write: nobody else is left to race with.
//!
//! The word also carries the record's number, written once at its start, so that its last holder can give it
//! back.

use crate::sync::{AtomicU32, Ordering};

/// The task's side is gone: its future and its output.
pub(crate) const TASK_GONE: u32 = 1;
/// The handle's side is gone: dropped, or there never was one.
pub(crate) const HANDLE_GONE: u32 = 1 << 1;
/// Somebody took the result, or the error in its place.
pub(crate) const READ: u32 = 1 << 2;
/// More is known of the task than its record has: labels, a span.
pub(crate) const EXTRAS: u32 = 1 << 3;
/// Somebody keeps a way to abort the task, and wants to know when the record goes.
pub(crate) const LISTED: u32 = 1 << 4;
/// Somebody aborted the task by its handle: its end is wanted.
pub(crate) const ABORTED: u32 = 1 << 5;
/// Its errors are values like others: none is told of.
pub(crate) const EXPECTED: u32 = 1 << 6;

/// Where the number starts.
const NUMBER_SHIFT: u32 = 8;

/// Who holds a record, and its number.
#[derive(Debug, Default)]
pub(crate) struct Sides(AtomicU32);

impl Sides {
    /// Starts anew. Who begins the record's life.
    #[inline]
    pub(crate) fn start(&self, number: u32, bits: u32) {
        self.0
            .store(number << NUMBER_SHIFT | bits, Ordering::Relaxed);
    }

    /// The bits now. Any thread.
    #[inline]
    pub(crate) fn bits(&self) -> u32 {
        self.0.load(Ordering::Relaxed) & ((1 << NUMBER_SHIFT) - 1)
    }

    /// The record's number.
    #[inline]
    pub(crate) fn number(&self) -> u32 {
        self.0.load(Ordering::Relaxed) >> NUMBER_SHIFT
    }

    /// Adds bits. Either side, before it leaves.
    #[inline]
    pub(crate) fn mark(&self, bits: u32) {
        self.0.fetch_or(bits, Ordering::Relaxed);
    }

    /// The task's side leaves, `bits` with it. All bits if it was the last.
    #[inline]
    pub(crate) fn leave_task(&self, bits: u32) -> Option<u32> {
        let before = self.0.fetch_or(TASK_GONE | bits, Ordering::AcqRel);
        (before & HANDLE_GONE != 0).then_some(before | bits)
    }

    /// The handle's side leaves. All bits if it was the last.
    #[inline]
    pub(crate) fn leave_handle(&self) -> Option<u32> {
        let before = self.0.fetch_or(HANDLE_GONE, Ordering::AcqRel);
        (before & TASK_GONE != 0).then_some(before)
    }
}

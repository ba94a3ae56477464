//! The one word by which a future holds its record: what makes a watched future 8 bytes larger than the user's.
//!
//! Null: no record. A record's address: it was never polled in debug. An odd address: that of the task's waker, which
//! knows the record. Both are aligned to more than one byte, so the lowest bit is free to tell them apart.

#![expect(unsafe_code, reason = "a record or a waker behind one word")]

use std::ptr::NonNull;
use std::task::Waker;

use crate::record::Record;
use crate::waker::Node;

/// Set where the word leads to a waker.
const WAKER: usize = 1;

const _: () = assert!(align_of::<Node>() > WAKER && align_of::<Record>() > WAKER);

/// A record, or a waker that knows it, or nothing.
pub(super) struct Held(Option<Word>);

/// What is not nothing.
#[derive(Clone, Copy)]
pub(super) struct Word(NonNull<()>);

// SAFETY: records and nodes are shared through atomics and wakers, which are Send and Sync.
unsafe impl Send for Held {}
// SAFETY: as above.
unsafe impl Sync for Held {}

impl Held {
    #[inline]
    pub(super) fn new(record: Option<&'static Record>) -> Self {
        Self(record.map(|record| Word(NonNull::from(record).cast())))
    }

    /// The record.
    #[inline]
    pub(super) fn record(&self) -> Option<&'static Record> {
        let word = self.0?;
        let record = match word.node() {
            // SAFETY: we hold a share of the node until the word is replaced or dropped.
            Some(node) => unsafe { node.as_ref() }.record(),
            // SAFETY: without the bit the word came from a `&'static Record`.
            None => unsafe { word.0.cast().as_ref() },
        };
        Some(record)
    }

    /// The waker to poll with: the task's own, made at its first poll in debug, for as long as the runtime's stays the
    /// same. `record` is what `self` holds.
    #[inline]
    pub(super) fn waker(&mut self, inner: &Waker, record: &'static Record) -> &Waker {
        let node = match self.0.and_then(Word::node) {
            // SAFETY: we hold a share of the node.
            Some(node) if unsafe { node.as_ref() }.wakes(inner) => node,
            _ => self.renew(inner, record),
        };
        // SAFETY: the word holds a share of the node and stays borrowed.
        unsafe { node.as_ref() }.waker()
    }

    #[cold]
    #[inline(never)]
    fn renew(&mut self, inner: &Waker, record: &'static Record) -> NonNull<Node> {
        let node = Node::new(inner, record);
        *self = Self(Some(Word(node.cast().map_addr(|at| at | WAKER))));
        node
    }
}

impl Word {
    #[inline]
    fn node(self) -> Option<NonNull<Node>> {
        let odd = self.0.addr().get() & WAKER != 0;
        // SAFETY: the address of a node, which is not null, with one bit more.
        odd.then(|| unsafe { self.0.cast::<Node>().byte_sub(WAKER) })
    }
}

impl Drop for Held {
    #[inline]
    fn drop(&mut self) {
        if let Some(node) = self.0.and_then(Word::node) {
            // SAFETY: the word's share is given up, and the word is gone.
            unsafe { Node::release(node.as_ptr()) };
        }
    }
}

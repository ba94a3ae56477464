//! The ring of rare events: one thread writes, the collector reads, nobody waits.
//!
//! Protocol: `head` is written by the producer only, `tail` by the consumer only; both only grow. A slot in
//! `tail..head` is initialised and belongs to the consumer, every other belongs to the producer. The producer
//! publishes a slot by a Release store of `head`, which the consumer's Acquire load pairs with; the consumer
//! gives it back by a Release store of `tail`, which the producer's Acquire load pairs with. When the ring is
//! full the newest is dropped and counted: the program that is watched never waits.

#![expect(unsafe_code, reason = "slots change hands by head and tail")]

use std::mem::MaybeUninit;

use crate::protocol::counter::Counter;
use crate::sync::{AtomicU32, AtomicUsize, Ordering, UnsafeCell};

/// Keeps what the two sides write off each other's cache line.
#[derive(Debug)]
#[repr(align(64))]
struct Line<T>(T);

/// A bounded queue with one producer and one consumer.
pub(crate) struct Ring<T> {
    head: Line<AtomicUsize>,
    tail: Line<AtomicUsize>,
    /// Events that found the ring full. Written by the producer.
    dropped: Counter,
    slots: Box<[UnsafeCell<MaybeUninit<T>>]>,
    /// 1 while somebody drains: makes it the one consumer.
    consuming: AtomicU32,
}

impl<T> std::fmt::Debug for Ring<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ring")
            .field("capacity", &self.slots.len())
            .finish_non_exhaustive()
    }
}

// SAFETY: a value moves from the producer's thread to the consumer's, so T must be Send; the slots are shared
// only by the protocol above.
unsafe impl<T: Send> Send for Ring<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Ring<T> {}

impl<T> Ring<T> {
    /// A ring of `capacity` slots, a power of two.
    pub(crate) fn new(capacity: usize) -> Self {
        assert!(
            capacity.is_power_of_two(),
            "the capacity of a ring is a power of two"
        );
        Self {
            head: Line(AtomicUsize::new(0)),
            tail: Line(AtomicUsize::new(0)),
            dropped: Counter::default(),
            slots: (0..capacity)
                .map(|_| UnsafeCell::new(MaybeUninit::uninit()))
                .collect(),
            consuming: AtomicU32::new(0),
        }
    }

    /// Puts an event in; false, and counted, when the ring is full.
    ///
    /// # Safety
    /// Only one thread at a time may be in this function: the producer.
    pub(crate) unsafe fn push(&self, value: T) -> bool {
        let head = self.head.0.load(Ordering::Relaxed);
        let tail = self.tail.0.load(Ordering::Acquire);
        if head.wrapping_sub(tail) == self.slots.len() {
            self.dropped.bump(1);
            return false;
        }
        let slot = &self.slots[head & (self.slots.len() - 1)];
        // SAFETY: the slot at `head` is outside `tail..head`, so it is the producer's, which we are.
        slot.with_mut(|at| unsafe { (*at).write(value) });
        self.head.0.store(head.wrapping_add(1), Ordering::Release);
        true
    }

    /// Takes out what is in, oldest first. Does nothing while another thread drains.
    pub(crate) fn drain(&self, mut each: impl FnMut(T)) {
        let Some(_turn) = Turn::take(&self.consuming) else {
            return;
        };
        let head = self.head.0.load(Ordering::Acquire);
        let mut tail = self.tail.0.load(Ordering::Relaxed);
        while tail != head {
            let slot = &self.slots[tail & (self.slots.len() - 1)];
            // SAFETY: the slot is within `tail..head`: initialised and the consumer's, which `consuming` makes us.
            let value = slot.with(|at| unsafe { (*at).assume_init_read() });
            tail = tail.wrapping_add(1);
            self.tail.0.store(tail, Ordering::Release);
            each(value);
        }
    }

    /// Events that found the ring full.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.get()
    }
}

impl<T> Drop for Ring<T> {
    fn drop(&mut self) {
        self.drain(drop);
    }
}

/// One consumer's turn, over at its end whatever the end.
struct Turn<'a>(&'a AtomicU32);

impl<'a> Turn<'a> {
    fn take(consuming: &'a AtomicU32) -> Option<Self> {
        // Acquire: what the last consumer did comes before.
        let taken = consuming.compare_exchange(0, 1, Ordering::Acquire, Ordering::Relaxed);
        taken.is_ok().then(|| Self(consuming))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.store(0, Ordering::Release);
    }
}

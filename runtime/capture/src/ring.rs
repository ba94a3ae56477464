//! The ring of rare events: one thread writes, the collector reads, nobody waits.
//!
//! Protocol: `head` is written by the producer only, `tail` by the consumer only; both only grow. A slot in
//! `tail..head` is initialised and belongs to the consumer, every other belongs to the producer. The producer
//! publishes a slot by a Release store of `head`, which the consumer's Acquire load pairs with; the consumer
//! gives it back by a Release store of `tail`, which the producer's Acquire load pairs with. When the ring is
//! full the newest is dropped and counted: the program that is watched never waits.

#![expect(unsafe_code, reason = "slots change hands by head and tail")]

use std::mem::MaybeUninit;

use crate::sync::{AtomicU64, AtomicUsize, Counter, Ordering};

#[cfg(not(loom))]
use std::cell::UnsafeCell;

#[cfg(loom)]
use loom::cell::UnsafeCell;

/// Keeps what the two sides write off each other's cache line.
#[derive(Debug)]
#[repr(align(64))]
struct Line<T>(T);

/// A bounded queue with one producer and one consumer.
pub struct Ring<T> {
    head: Line<AtomicUsize>,
    tail: Line<AtomicUsize>,
    /// Events that found the ring full. Written by the producer.
    dropped: Counter,
    slots: Box<[UnsafeCell<MaybeUninit<T>>]>,
    /// Holders of a side; the API below hands out one of each at a time.
    consuming: AtomicU64,
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
    pub fn new(capacity: usize) -> Self {
        assert!(
            capacity.is_power_of_two(),
            "the capacity of a ring is a power of two"
        );
        Self {
            head: Line(AtomicUsize::new(0)),
            tail: Line(AtomicUsize::new(0)),
            dropped: Counter::new(),
            slots: (0..capacity)
                .map(|_| UnsafeCell::new(MaybeUninit::uninit()))
                .collect(),
            consuming: AtomicU64::new(0),
        }
    }

    /// Puts an event in; false, and counted, when the ring is full.
    ///
    /// # Safety
    /// Only one thread at a time may be in this function: the producer.
    pub unsafe fn push(&self, value: T) -> bool {
        let head = self.head.0.load(Ordering::Relaxed);
        let tail = self.tail.0.load(Ordering::Acquire);
        if head.wrapping_sub(tail) == self.slots.len() {
            self.dropped.bump(1);
            return false;
        }
        let slot = &self.slots[head & (self.slots.len() - 1)];
        // SAFETY: the slot at `head` is outside `tail..head`, so it is the producer's, which we are.
        unsafe { write(slot, value) };
        self.head.0.store(head.wrapping_add(1), Ordering::Release);
        true
    }

    /// Takes out what is in, oldest first. Does nothing while another thread drains.
    pub fn drain(&self, mut each: impl FnMut(T)) {
        if self.consuming.swap(1, Ordering::Acquire) == 1 {
            return;
        }
        let _turn = Turn(&self.consuming);
        let head = self.head.0.load(Ordering::Acquire);
        let mut tail = self.tail.0.load(Ordering::Relaxed);
        while tail != head {
            let slot = &self.slots[tail & (self.slots.len() - 1)];
            // SAFETY: the slot is within `tail..head`: initialised and the consumer's, which `consuming` makes us.
            let value = unsafe { read(slot) };
            tail = tail.wrapping_add(1);
            self.tail.0.store(tail, Ordering::Release);
            each(value);
        }
    }

    /// Events that found the ring full.
    pub fn dropped(&self) -> u64 {
        self.dropped.get()
    }
}

impl<T> Drop for Ring<T> {
    fn drop(&mut self) {
        self.drain(drop);
    }
}

struct Turn<'a>(&'a AtomicU64);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.store(0, Ordering::Release);
    }
}

#[cfg(not(loom))]
unsafe fn write<T>(slot: &UnsafeCell<MaybeUninit<T>>, value: T) {
    // SAFETY: the caller owns the slot.
    unsafe { (*slot.get()).write(value) };
}

#[cfg(not(loom))]
unsafe fn read<T>(slot: &UnsafeCell<MaybeUninit<T>>) -> T {
    // SAFETY: the caller owns the slot, and it is initialised.
    unsafe { (*slot.get()).assume_init_read() }
}

#[cfg(loom)]
unsafe fn write<T>(slot: &UnsafeCell<MaybeUninit<T>>, value: T) {
    // SAFETY: the caller owns the slot.
    slot.with_mut(|at| unsafe { (*at).write(value) });
}

#[cfg(loom)]
unsafe fn read<T>(slot: &UnsafeCell<MaybeUninit<T>>) -> T {
    // SAFETY: the caller owns the slot, and it is initialised.
    slot.with(|at| unsafe { (*at).assume_init_read() })
}

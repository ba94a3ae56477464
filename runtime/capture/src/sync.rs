//! The only door to atomics: std's, or loom's when the protocols are model-checked.

#[cfg(not(loom))]
pub(crate) use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering, fence};

#[cfg(loom)]
pub(crate) use loom::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering, fence};

/// A counter that one thread writes and any thread reads.
///
/// `bump` is a load and a store, not a read-modify-write: 2 ns a poll instead of 17 (measured), and right only
/// because there is one writer.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// A counter at zero.
    #[cfg(not(loom))]
    pub const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// A counter at zero.
    #[cfg(loom)]
    pub fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// The value now. Any thread.
    #[inline]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Adds to the value. The one writer only.
    #[inline]
    pub(crate) fn bump(&self, by: u64) {
        self.0.store(self.get().wrapping_add(by), Ordering::Relaxed);
    }

    /// Replaces the value. The one writer only.
    #[inline]
    pub(crate) fn set(&self, to: u64) {
        self.0.store(to, Ordering::Relaxed);
    }

    /// Adds, and orders what was stored before: pairs with `read`. The one writer only.
    #[inline]
    pub(crate) fn publish(&self, by: u64) {
        self.0.store(self.get().wrapping_add(by), Ordering::Release);
    }

    /// The value, and what was stored before it was published. Any thread.
    #[inline]
    pub(crate) fn read(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    /// The word itself, for a signal handler.
    #[cfg(not(loom))]
    pub(crate) fn word(&self) -> &AtomicU64 {
        &self.0
    }
}

//! A stack of batches of free things, known by their numbers. Nobody waits: a push or pop that loses a race
//! tries again, and each lost race is another's success.
//!
//! A batch is known by its first number. `head` holds the first number of the topmost batch and a tag that
//! grows at every change. The link from a batch to the one below is kept by the caller (in the free thing
//! itself), found by a closure.
//!
//! Pushing is a Release exchange, popping an Acquire one: who pops a batch sees all that its pusher wrote, the
//! chain through the batch included. The stack below stays covered, because every change of `head` is a
//! read-modify-write and so carries the earlier pushes along. Popping reads a link that may be out of date:
//! another thread may have popped that batch, used it and pushed it again (ABA). Then the tag has changed, the
//! exchange fails, and what was read is not used. 32 bits of tag would have to wrap within one such pop.

use crate::sync::{AtomicU32, AtomicU64, Ordering};

/// "None" in a link.
pub(crate) const NIL: u32 = u32::MAX;

/// The stack.
#[derive(Debug)]
pub(crate) struct Batches(pub(crate) AtomicU64);

impl Batches {
    /// What `head` starts with: no batch.
    pub(crate) const EMPTY: u64 = NIL as u64;

    /// Puts the batch that starts with `first` on top; `link` is where it keeps what is below it.
    pub(crate) fn push(&self, first: u32, link: &AtomicU32) {
        let mut old = self.0.load(Ordering::Relaxed);
        loop {
            link.store(old as u32, Ordering::Relaxed);
            match self.0.compare_exchange_weak(
                old,
                retag(old, first),
                Ordering::Release,
                Ordering::Relaxed,
            ) {
                Ok(_) => return,
                Err(now) => old = now,
            }
        }
    }

    /// Takes the topmost batch, if there is one; `link` finds where a batch keeps what is below it.
    pub(crate) fn pop<'a>(&self, link: impl Fn(u32) -> Option<&'a AtomicU32>) -> Option<u32> {
        let mut old = self.0.load(Ordering::Acquire);
        loop {
            let first = old as u32;
            let below = link(first)?.load(Ordering::Relaxed);
            match self.0.compare_exchange_weak(
                old,
                retag(old, below),
                Ordering::Acquire,
                Ordering::Acquire,
            ) {
                Ok(_) => return Some(first),
                Err(now) => old = now,
            }
        }
    }
}

fn retag(old: u64, first: u32) -> u64 {
    (old >> 32).wrapping_add(1) << 32 | u64::from(first)
}

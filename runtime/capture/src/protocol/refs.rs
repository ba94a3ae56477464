//! A count of holders that frees at the last, as `Arc` does; but where `Arc` aborts on overflow this one pins.
//!
//! A holder gives up its share with Release; whoever takes the last one down fences with Acquire, so that all
//! that any holder did comes before the freeing. Taking a share needs no order: who takes one already has one,
//! or borrows from who has.

use crate::sync::{AtomicUsize, Ordering, fence};

/// From here on the thing stays for ever: so many shares alive mean that somebody forgets them. A tool that
/// watches may leak a few bytes; it must not abort the program, nor free what is in use.
const PINNED: usize = usize::MAX / 2;

/// How many hold it.
#[derive(Debug)]
pub(crate) struct Refs(AtomicUsize);

impl Refs {
    /// One holder.
    pub(crate) fn one() -> Self {
        Self(AtomicUsize::new(1))
    }

    /// One holder more.
    #[inline]
    pub(crate) fn hold(&self) {
        if self.0.fetch_add(1, Ordering::Relaxed) >= PINNED {
            self.0.store(PINNED, Ordering::Relaxed);
        }
    }

    /// One holder less. True for the last one, who must free.
    #[inline]
    #[must_use]
    pub(crate) fn release(&self) -> bool {
        // The only holder has nobody to race with: who would take a share must have one, or borrow this one.
        if self.0.load(Ordering::Acquire) == 1 {
            return true;
        }
        match self.0.fetch_sub(1, Ordering::Release) {
            1 => {
                fence(Ordering::Acquire);
                true
            }
            PINNED.. => {
                self.0.store(PINNED, Ordering::Relaxed);
                false
            }
            _ => false,
        }
    }
}

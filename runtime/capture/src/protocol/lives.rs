//! The lives of a thing that is used again and again, numbered so that a reader knows one life from the next.
//!
//! The number is odd while the thing belongs to somebody and even while it is free. Its holder ends a life
//! (even), the next holder fills the fields and begins one (odd). A reader takes the number, copies the fields,
//! and takes the number again: equal and odd means that everything it copied belonged to that one life.
//!
//! Why that holds: a reader that sees any store of the next life, or of the free list between, sees it behind
//! a Release fence (in `end` for the thread that freed it, in `begin` for the thread that reuses it) and loads
//! the number again behind an Acquire fence; so it sees at least the even number, and throws its copy away. A
//! reader that begins with the new odd number sees the new fields, by the Release store that published it.
//! On x86 none of this costs an instruction.
//!
//! Within one life a copy may be torn across a change: this tells lives apart, nothing finer.

use crate::sync::{AtomicU32, Ordering, fence};

/// The number of the current life.
#[derive(Debug, Default)]
pub(crate) struct Lives(AtomicU32);

impl Lives {
    /// The number as its holder sees it.
    #[inline]
    pub(crate) fn current(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }

    /// Begins a life: fills the fields, then shows them. Only who just took the free thing.
    #[inline]
    pub(crate) fn begin(&self, fill: impl FnOnce()) {
        fence(Ordering::Release);
        fill();
        self.0
            .store(self.current().wrapping_add(1), Ordering::Release);
    }

    /// Ends the life. Its last holder, before it gives the thing away.
    #[inline]
    pub(crate) fn end(&self) {
        self.0
            .store(self.current().wrapping_add(1), Ordering::Relaxed);
        fence(Ordering::Release);
    }

    /// Copies the fields, all of one life; `None` where there is none, or another has begun meanwhile.
    #[inline]
    pub(crate) fn read<T>(&self, copy: impl FnOnce(u32) -> T) -> Option<T> {
        let life = self.0.load(Ordering::Acquire);
        if life.is_multiple_of(2) {
            return None;
        }
        let copied = copy(life);
        fence(Ordering::Acquire);
        (self.0.load(Ordering::Relaxed) == life).then_some(copied)
    }
}

//! `EnterGuard`: Tokio's, and word that spawns on this thread go to the runtime that was entered.

use std::cell::Cell;

thread_local! {
    /// How many guards are held on this thread.
    static HELD: Cell<u32> = const { Cell::new(0) };
}

/// While it is held the thread is in the context of a runtime, as with [`tokio::runtime::EnterGuard`].
#[derive(Debug)]
#[must_use = "Creating and dropping a guard does nothing"]
pub struct EnterGuard<'a> {
    _inner: tokio::runtime::EnterGuard<'a>,
    // After Tokio's, and also where that panics because guards are dropped out of order.
    _entered: Entered,
}

impl<'a> EnterGuard<'a> {
    pub(super) fn of(inner: tokio::runtime::EnterGuard<'a>) -> Self {
        let _ = HELD.try_with(|held| held.set(held.get() + 1));
        Self {
            _inner: inner,
            _entered: Entered,
        }
    }
}

#[derive(Debug)]
struct Entered;

impl Drop for Entered {
    fn drop(&mut self) {
        let _ = HELD.try_with(|held| held.set(held.get().saturating_sub(1)));
    }
}

/// Whether this thread may be in another runtime than the one that it works for: Tokio is to be asked.
#[inline]
pub(super) fn is_any_held() -> bool {
    HELD.try_with(Cell::get) != Ok(0)
}

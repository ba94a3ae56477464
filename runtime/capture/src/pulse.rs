//! A clock that costs a load to read: the watchdog's rounds in debug, some ten milliseconds from one to the next.
//!
//! Who notes the number of the round at two moments knows for nothing that no time to speak of has gone by between
//! them, as long as the numbers are the same. Where they are not, the time of the first round after the earlier moment
//! is kept, and so the least that can have gone by. A watchdog that gets no CPU makes that less, never more.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::clock;

/// Rounds whose time is kept: ten seconds of them.
const KEPT: u64 = 1024;

/// The number of the last round.
static LAST: AtomicU64 = AtomicU64::new(0);
/// Ticks of each, by its number.
static AT: [AtomicU64; KEPT as usize] = [const { AtomicU64::new(0) }; KEPT as usize];

/// The number of the last round. It stands still in quiet.
#[inline]
pub(crate) fn last() -> u64 {
    LAST.load(Ordering::Acquire)
}

/// A round begins. One thread calls this.
pub fn beat() {
    let next = LAST.load(Ordering::Relaxed) + 1;
    AT[(next % KEPT) as usize].store(clock::ticks(), Ordering::Relaxed);
    LAST.store(next, Ordering::Release);
}

/// Ticks of the first round after that of this number, which is not the last one; of the oldest that is kept, where
/// that is later.
pub(crate) fn after(number: u64) -> u64 {
    // One more than needed: the next may be written just now.
    let oldest = (last() + 2).saturating_sub(KEPT);
    AT[((number + 1).max(oldest) % KEPT) as usize].load(Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_round_after_a_moment_is_known_for_ten_seconds_and_then_a_later_one() {
        clock::init();
        let begun = last();
        let before = clock::ticks();
        beat();
        let first = after(begun);
        assert!(first >= before && first <= clock::ticks());
        for _ in 0..KEPT - 3 {
            beat();
        }
        assert_eq!(after(begun), first);
        for _ in 0..10 {
            beat();
        }
        assert!(after(begun) > first);
        assert!(after(begun) <= after(last() - 1));
    }
}

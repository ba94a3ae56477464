//! Interning: the same 32 addresses become the same four bytes, once per process.
#![expect(
    unsafe_code,
    reason = "entries are published by pointer so that a hit takes no lock"
)]
//!
//! A fixed table of pointers, open addressing, linear probing. Protocol:
//!
//! * a slot goes from null to an entry once, by a compare-exchange (Release), and never changes again;
//! * entries are leaked boxes: whoever loads a non-null slot (Acquire) may read the entry for ever;
//! * the id of a stack is its slot's number plus one, so that reading one back is an index.
//!
//! A hit is a hash, one or two loads and a comparison of the addresses: no lock, no store. A miss allocates; two
//! threads that miss on the same stack race for the slot, the loser frees its box and takes the winner's id.
//! Bounded: [`CAPACITY`] stacks of at most 32 frames, 4.5 MB if all are used. After that new stacks are refused
//! and counted.

use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering};

/// How many different stacks are kept.
pub(super) const CAPACITY: u32 = 16_384;
/// Twice the capacity: half of the slots stay empty, so that probes stay short and always end.
const SLOTS: usize = CAPACITY as usize * 2;

/// A stack that was interned. Four bytes; zero is no stack.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StackId(pub u32);

impl StackId {
    /// No stack: none was taken, or the table was full.
    pub const NONE: Self = Self(0);

    /// Whether this is no stack.
    pub fn is_none(self) -> bool {
        self == Self::NONE
    }

    /// The frames, innermost first; empty for [`Self::NONE`] and for a number that is no id.
    pub fn frames(self) -> &'static [usize] {
        TABLE.get(self)
    }
}

/// How full the table is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InternStats {
    /// Stacks held.
    pub held: u32,
    /// Stacks that can be held.
    pub capacity: u32,
    /// Calls that got [`StackId::NONE`] because the table was full.
    pub refused: u64,
}

/// Returns the id of these frames, the same for the same frames for as long as the process lives.
///
/// Costs some 25 ns when they were seen before, an allocation when not. Takes no lock. Returns
/// [`StackId::NONE`] for no frames and when the table is full.
pub fn intern(frames: &[usize]) -> StackId {
    TABLE.intern(frames)
}

/// How full the table is. For screens: a full table must be seen.
pub fn intern_stats() -> InternStats {
    InternStats {
        held: TABLE.held.load(Ordering::Relaxed).min(CAPACITY),
        capacity: CAPACITY,
        refused: TABLE.refused.load(Ordering::Relaxed),
    }
}

static TABLE: Table = Table::new();

struct Entry {
    hash: u64,
    frames: Box<[usize]>,
}

struct Table {
    slots: [AtomicPtr<Entry>; SLOTS],
    held: AtomicU32,
    refused: AtomicU64,
}

impl Table {
    #[expect(clippy::large_stack_arrays, reason = "it is the value of a static")]
    const fn new() -> Self {
        Self {
            slots: [const { AtomicPtr::new(ptr::null_mut()) }; SLOTS],
            held: AtomicU32::new(0),
            refused: AtomicU64::new(0),
        }
    }

    fn get(&self, id: StackId) -> &'static [usize] {
        let Some(slot) = (id.0 as usize)
            .checked_sub(1)
            .and_then(|i| self.slots.get(i))
        else {
            return &[];
        };
        entry(slot).map_or(&[], |entry| &entry.frames)
    }

    fn intern(&self, frames: &[usize]) -> StackId {
        if frames.is_empty() {
            return StackId::NONE;
        }
        let hash = hash(frames);
        let mut at = hash as usize % SLOTS;
        let mut ours: *mut Entry = ptr::null_mut();
        let found = loop {
            let slot = &self.slots[at];
            let Some(held) = entry(slot) else {
                if ours.is_null() {
                    if !self.admit() {
                        return StackId::NONE;
                    }
                    ours = Box::into_raw(Box::new(Entry {
                        hash,
                        frames: frames.into(),
                    }));
                }
                // Release pairs with the Acquire in `entry`: who sees the pointer sees the frames.
                let published = slot.compare_exchange(
                    ptr::null_mut(),
                    ours,
                    Ordering::Release,
                    Ordering::Relaxed,
                );
                if published.is_ok() {
                    return id_of(at);
                }
                continue;
            };
            if held.hash == hash && *held.frames == *frames {
                break id_of(at);
            }
            at = (at + 1) % SLOTS;
        };
        if !ours.is_null() {
            // SAFETY: `ours` came from `Box::into_raw` above and lost every race: no slot holds it.
            drop(unsafe { Box::from_raw(ours) });
            self.held.fetch_sub(1, Ordering::Relaxed);
        }
        found
    }

    /// Takes one of the places, or counts the refusal.
    fn admit(&self) -> bool {
        if self.held.fetch_add(1, Ordering::Relaxed) < CAPACITY {
            return true;
        }
        self.held.fetch_sub(1, Ordering::Relaxed);
        self.refused.fetch_add(1, Ordering::Relaxed);
        false
    }
}

fn entry(slot: &AtomicPtr<Entry>) -> Option<&'static Entry> {
    let held = slot.load(Ordering::Acquire);
    // SAFETY: a non-null slot holds a leaked box that nobody writes to again; Acquire made it visible.
    unsafe { held.as_ref() }
}

fn id_of(slot: usize) -> StackId {
    StackId(slot as u32 + 1)
}

/// A multiply-and-fold hash in two lanes: 32 addresses in some 10 ns. Nothing hostile reaches this table, so it
/// need not resist anyone.
fn hash(frames: &[usize]) -> u64 {
    const A: u64 = 0x9e37_79b9_7f4a_7c15;
    const B: u64 = 0xe703_7ed1_a0b4_28db;
    let mut pairs = frames.chunks_exact(2);
    let (mut left, mut right) = (frames.len() as u64 ^ A, B);
    for pair in &mut pairs {
        left = (left ^ pair[0] as u64).wrapping_mul(A).rotate_left(29);
        right = (right ^ pair[1] as u64).wrapping_mul(B).rotate_left(31);
    }
    if let [last] = pairs.remainder() {
        left = (left ^ *last as u64).wrapping_mul(A).rotate_left(29);
    }
    let folded = u128::from(left ^ B).wrapping_mul(u128::from(right ^ A));
    (folded as u64) ^ ((folded >> 64) as u64)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_same_frames_get_the_same_id_and_come_back_whole() {
        let frames = [0x11, 0x22, 0x33];
        let id = intern(&frames);
        assert!(!id.is_none());
        assert_eq!(intern(&frames), id);
        assert_ne!(intern(&frames[..2]), id);
        assert_eq!(id.frames(), frames);
    }

    #[test]
    fn no_frames_is_no_stack() {
        assert_eq!(intern(&[]), StackId::NONE);
        assert!(StackId::NONE.frames().is_empty());
        assert!(StackId(u32::MAX).frames().is_empty());
    }

    #[test]
    fn a_full_table_refuses_and_counts_but_still_finds_what_it_holds() {
        let table = Box::leak(Box::new(Table::new()));
        let count = if cfg!(miri) { 300 } else { CAPACITY };
        if cfg!(miri) {
            table.held.store(CAPACITY - count, Ordering::Relaxed);
        }
        let ids: HashSet<_> = (1..=count as usize)
            .map(|n| table.intern(&[n, n]))
            .collect();
        assert_eq!(ids.len(), count as usize);
        assert_eq!(table.intern(&[usize::MAX]), StackId::NONE);
        assert_eq!(table.refused.load(Ordering::Relaxed), 1);
        assert_eq!(table.get(table.intern(&[7, 7])), [7, 7]);
    }

    #[test]
    fn threads_that_race_agree_on_every_id() {
        let table: &Table = Box::leak(Box::new(Table::new()));
        let count = if cfg!(miri) { 40 } else { 4000 };
        let run = move || -> Vec<StackId> {
            (1..=count)
                .map(|n| table.intern(&[n, n + 1, n + 2]))
                .collect()
        };
        let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(run)).collect();
        let all: Vec<_> = threads.into_iter().map(|t| t.join().unwrap()).collect();
        assert!(all.windows(2).all(|pair| pair[0] == pair[1]));
        assert_eq!(table.held.load(Ordering::Relaxed), count as u32);
        for (n, id) in (1..=count).zip(&all[0]) {
            assert_eq!(table.get(*id), [n, n + 1, n + 2]);
        }
    }
}

//! Where records live: pages that are never freed, and free lists that give and take in batches.
//!
//! A record is found by its number; pages are published once and stay, so a pointer to a record is good for the
//! life of the process. Each thread keeps a short list of free records of its own; when that runs dry or over it
//! takes or returns a batch: a chain through the free records themselves, on one global stack
//! (`protocol::batches`).
//!
//! The number of records is capped: past it a task has no record, and that is counted.

#![expect(
    unsafe_code,
    reason = "records are leaked and read through their page table"
)]

use std::cell::Cell;
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering};

use crate::protocol::batches::{Batches, NIL};
use crate::record::Record;

/// Records of one page: 32 KiB.
const PAGE: usize = 256;
/// How many pages there can be: 4 million live tasks, half a gigabyte of records.
const PAGES: usize = 16 * 1024;
/// How many records move at a time between a thread and the rest.
const BATCH: usize = 32;

static TABLE: [AtomicPtr<Record>; PAGES] = [const { AtomicPtr::new(std::ptr::null_mut()) }; PAGES];
/// Records handed out at least once; the numbers below it exist.
static FRESH: AtomicU32 = AtomicU32::new(0);
/// Batches that no thread has.
static FREE: Batches = Batches(AtomicU64::new(Batches::EMPTY));
/// Tasks that found no record.
static REFUSED: AtomicU64 = AtomicU64::new(0);

/// How many numbers are in use: records are numbered below this.
pub fn len() -> u32 {
    FRESH.load(Ordering::Acquire)
}

/// Bytes of all pages.
pub fn bytes() -> u64 {
    (len() as usize).div_ceil(PAGE) as u64 * (PAGE * size_of::<Record>()) as u64
}

/// Tasks that found no record.
pub fn refused() -> u64 {
    REFUSED.load(Ordering::Relaxed)
}

/// The record of this number; `None` where its page is not there (yet).
#[inline]
pub fn get(number: u32) -> Option<&'static Record> {
    let page = TABLE.get(number as usize / PAGE)?.load(Ordering::Acquire);
    if page.is_null() {
        return None;
    }
    // SAFETY: a published page is `PAGE` records, leaked, and only ever shared; the index is below `PAGE`.
    Some(unsafe { &*page.add(number as usize % PAGE) })
}

/// The free records of one thread: numbers, so that nothing needs an address until it is used.
#[derive(Debug)]
pub(crate) struct FreeList {
    len: Cell<usize>,
    numbers: [Cell<u32>; 2 * BATCH],
}

impl FreeList {
    pub(crate) const fn new() -> Self {
        Self {
            len: Cell::new(0),
            numbers: [const { Cell::new(NIL) }; 2 * BATCH],
        }
    }

    /// A free record and its number.
    #[inline]
    pub(crate) fn take(&self) -> Option<(u32, &'static Record)> {
        if self.len.get() == 0 {
            self.refill();
        }
        let len = self.len.get().checked_sub(1)?;
        self.len.set(len);
        let number = self.numbers.get(len)?.get();
        get(number).map(|record| (number, record))
    }

    /// Takes a record back.
    #[inline]
    pub(crate) fn give(&self, number: u32) {
        if self.len.get() == 2 * BATCH {
            self.spill();
        }
        let len = self.len.get();
        if let Some(place) = self.numbers.get(len) {
            place.set(number);
            self.len.set(len + 1);
        }
    }

    /// Gets one batch from the others, or a new one.
    #[cold]
    #[inline(never)]
    fn refill(&self) {
        let Some(first) = FREE
            .pop(|first| get(first).map(Record::below))
            .or_else(grow)
        else {
            REFUSED.fetch_add(1, Ordering::Relaxed);
            return;
        };
        let batch =
            std::iter::successors(get(first).map(|record| (first, record)), |(_, record)| {
                let next = record.next().load(Ordering::Relaxed);
                get(next).map(|record| (next, record))
            });
        let mut len = 0;
        for ((number, _), place) in batch.zip(&self.numbers) {
            place.set(number);
            len += 1;
        }
        self.len.set(len);
    }

    /// Gives one batch back to the others.
    #[cold]
    #[inline(never)]
    fn spill(&self) {
        self.len.set(BATCH);
        push(&self.numbers[BATCH..]);
    }

    /// Gives all back: the thread ends.
    pub(crate) fn empty(&self) {
        let len = self.len.replace(0);
        self.numbers[..len].chunks(BATCH).for_each(push);
    }
}

/// Chains the records and pushes them as one batch.
fn push(batch: &[Cell<u32>]) {
    for (at, number) in batch.iter().enumerate() {
        let next = batch.get(at + 1).map_or(NIL, Cell::get);
        if let Some(record) = get(number.get()) {
            record.next().store(next, Ordering::Relaxed);
        }
    }
    if let Some(first) = batch.first().map(Cell::get)
        && let Some(record) = get(first)
    {
        FREE.push(first, record.below());
    }
}

/// Makes a batch of new records; `None` when there is no more room.
fn grow() -> Option<u32> {
    let first = FRESH
        .fetch_update(Ordering::AcqRel, Ordering::Acquire, |fresh| {
            let next = fresh + BATCH as u32;
            (next as usize <= PAGE * PAGES).then_some(next)
        })
        .ok()?;
    let entry = TABLE.get(first as usize / PAGE)?;
    if entry.load(Ordering::Acquire).is_null() {
        let page: Box<[Record]> = (0..PAGE).map(|_| Record::default()).collect();
        let page = Box::into_raw(page).cast::<Record>();
        // Two threads may have made the same page: the second gives its own back.
        if entry
            .compare_exchange(
                std::ptr::null_mut(),
                page,
                Ordering::AcqRel,
                Ordering::Acquire,
            )
            .is_err()
        {
            // SAFETY: `page` came from `into_raw` of a boxed slice of this length and was never shared.
            drop(unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(page, PAGE)) });
        }
    }
    let last = first + BATCH as u32 - 1;
    for number in first..=last {
        let next = if number == last { NIL } else { number + 1 };
        get(number)?.next().store(next, Ordering::Relaxed);
    }
    Some(first)
}

const _: () = assert!(
    PAGE.is_multiple_of(BATCH),
    "a batch of new records lies within one page"
);

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn records_are_handed_out_once_and_come_back() {
        let taken: Vec<u32> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        let list = FreeList::new();
                        let mut held = Vec::new();
                        for round in 0..2_000 {
                            held.push(list.take().expect("room").0);
                            if round % 3 == 0 {
                                list.give(held.swap_remove(held.len() / 2));
                            }
                        }
                        list.empty();
                        held
                    })
                })
                .collect();
            threads
                .into_iter()
                .flat_map(|thread| thread.join().expect("no panic"))
                .collect()
        });
        let distinct: HashSet<u32> = taken.iter().copied().collect();
        assert_eq!(distinct.len(), taken.len(), "a record was handed out twice");
        assert!(taken.iter().all(|number| get(*number).is_some()));
        let list = FreeList::new();
        for number in taken {
            list.give(number);
        }
        list.empty();
    }
}

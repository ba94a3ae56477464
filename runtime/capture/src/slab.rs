//! Where records live: pages that are never freed, and free lists that give and take in batches.
//!
//! A record is found by its number; pages are published once and stay, so a pointer to a record is good for the
//! life of the process. Each thread keeps a short list of free records of its own; when that runs dry or over it
//! takes or returns a batch. Batches are chains through the records' `name` field, pushed and popped on one
//! global head that carries a tag against reuse (ABA). Nobody waits for a lock.
//!
//! The number of records is capped: past it a task has no record, and that is counted.

#![expect(
    unsafe_code,
    reason = "records are leaked and read through their page table"
)]

use std::cell::{Cell, UnsafeCell};
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering};

use crate::record::Record;

/// Records of one page: 128 KiB.
const PAGE: usize = 1024;
/// How many pages there can be: 4 million live tasks, half a gigabyte of records.
const PAGES: usize = 4096;
/// How many records move at a time between a thread and the rest.
const BATCH: usize = 32;
/// "No record" in a chain.
const NIL: u32 = u32::MAX;

static TABLE: [AtomicPtr<Record>; PAGES] = [const { AtomicPtr::new(std::ptr::null_mut()) }; PAGES];
/// Records handed out at least once; the numbers below it exist.
static FRESH: AtomicU32 = AtomicU32::new(0);
/// The stack of free batches: first record of the first batch, and a tag that grows at every change.
static FREE: AtomicU64 = AtomicU64::new(NIL as u64);
/// Tasks that found no record.
static REFUSED: AtomicU64 = AtomicU64::new(0);

/// How many numbers are in use: records are numbered below this.
pub fn len() -> u32 {
    FRESH.load(Ordering::Acquire).min((PAGE * PAGES) as u32)
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
pub(crate) struct FreeList {
    len: Cell<usize>,
    numbers: UnsafeCell<[u32; 2 * BATCH]>,
}

impl std::fmt::Debug for FreeList {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FreeList")
            .field("len", &self.len.get())
            .finish_non_exhaustive()
    }
}

impl FreeList {
    pub(crate) const fn new() -> Self {
        Self {
            len: Cell::new(0),
            numbers: UnsafeCell::new([NIL; 2 * BATCH]),
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
        // SAFETY: the list is its thread's own (it is not Sync), and no reference into it outlives this line.
        let number = unsafe { (*self.numbers.get())[len] };
        get(number).map(|record| (number, record))
    }

    /// Takes a record back.
    #[inline]
    pub(crate) fn give(&self, number: u32) {
        if self.len.get() == 2 * BATCH {
            self.spill();
        }
        let len = self.len.get();
        // SAFETY: as in `take`.
        unsafe { (*self.numbers.get())[len] = number };
        self.len.set(len + 1);
    }

    #[cold]
    #[inline(never)]
    fn refill(&self) {
        let mut next = pop();
        if next == NIL {
            let first = FRESH.load(Ordering::Relaxed);
            if first as usize >= PAGE * PAGES || !grow(&mut next) {
                REFUSED.fetch_add(1, Ordering::Relaxed);
                return;
            }
        }
        let mut len = 0;
        while next != NIL && len < BATCH {
            // SAFETY: as in `take`.
            unsafe { (*self.numbers.get())[len] = next };
            len += 1;
            next = get(next).map_or(NIL, |record| record.name.load(Ordering::Relaxed));
        }
        self.len.set(len);
    }

    /// Gives one batch back to the others.
    #[cold]
    #[inline(never)]
    fn spill(&self) {
        let len = self.len.get() - BATCH;
        // SAFETY: as in `take`; the copy ends the borrow.
        let batch: [u32; 2 * BATCH] = unsafe { *self.numbers.get() };
        self.len.set(len);
        push(&batch[len..len + BATCH]);
    }

    /// Gives all back: the thread ends.
    pub(crate) fn empty(&self) {
        let len = self.len.replace(0);
        // SAFETY: as in `take`; the copy ends the borrow.
        let all: [u32; 2 * BATCH] = unsafe { *self.numbers.get() };
        for batch in all[..len].chunks(BATCH) {
            push(batch);
        }
    }
}

/// Takes one record back from a thread that has no list any more.
pub(crate) fn give_back(number: u32) {
    push(&[number]);
}

/// Chains the numbers and pushes them as one batch.
///
/// The chain runs through `name`; the link from a batch to the next batch through `stack` of its first record.
fn push(batch: &[u32]) {
    let Some((&first, _)) = batch.split_first() else {
        return;
    };
    for (at, &number) in batch.iter().enumerate() {
        let next = batch.get(at + 1).copied().unwrap_or(NIL);
        if let Some(record) = get(number) {
            record.name.store(next, Ordering::Relaxed);
        }
    }
    let Some(head) = get(first) else { return };
    let mut old = FREE.load(Ordering::Relaxed);
    loop {
        head.stack.store(old as u32, Ordering::Relaxed);
        let new = retag(old, first);
        // Release: whoever pops this batch must see its links.
        match FREE.compare_exchange_weak(old, new, Ordering::Release, Ordering::Relaxed) {
            Ok(_) => return,
            Err(now) => old = now,
        }
    }
}

/// The first record of a batch; `NIL` when there is none.
fn pop() -> u32 {
    let mut old = FREE.load(Ordering::Acquire);
    loop {
        let first = old as u32;
        let Some(head) = (if first == NIL { None } else { get(first) }) else {
            return NIL;
        };
        // Another thread may have popped and reused the record meanwhile: then the tag has changed, the
        // exchange fails, and what was read here is not used.
        let next = head.stack.load(Ordering::Relaxed);
        match FREE.compare_exchange_weak(
            old,
            retag(old, next),
            Ordering::Acquire,
            Ordering::Acquire,
        ) {
            Ok(_) => return first,
            Err(now) => old = now,
        }
    }
}

fn retag(old: u64, first: u32) -> u64 {
    (old >> 32).wrapping_add(1) << 32 | u64::from(first)
}

/// Makes `BATCH` new records, chained from `first`; false when there is no more room.
fn grow(first: &mut u32) -> bool {
    let start = FRESH.fetch_add(BATCH as u32, Ordering::AcqRel);
    if start as usize + BATCH > PAGE * PAGES {
        FRESH.store((PAGE * PAGES) as u32, Ordering::Release);
        return false;
    }
    let entry = &TABLE[start as usize / PAGE];
    if entry.load(Ordering::Acquire).is_null() {
        let page: Box<[Record]> = (0..PAGE).map(|_| Record::new()).collect();
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
    for number in start..start + BATCH as u32 {
        let next = if number + 1 < start + BATCH as u32 {
            number + 1
        } else {
            NIL
        };
        if let Some(record) = get(number) {
            record.name.store(next, Ordering::Relaxed);
        }
    }
    *first = start;
    true
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

//! Bytes of a live task over the same future without us. One test: it counts what the process allocates.

#[path = "executor/by_hand.rs"]
#[expect(dead_code, reason = "another test needs the rest")]
mod executor;

use std::alloc::{GlobalAlloc, Layout, System};
use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use executor::{poll, spawn};
use pollscope_capture::level::{Source, set_level};
use pollscope_capture::record::Record;
use pollscope_capture::{Level, slab};

struct Counting;

static BYTES: AtomicUsize = AtomicUsize::new(0);

// SAFETY: hands everything on to the system's allocator.
#[expect(unsafe_code, reason = "an allocator that counts")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        BYTES.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        BYTES.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(at, layout) };
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Tokio puts a task's header, future and trailer into one cell, sized in steps of this.
const CELL: usize = 128;
/// What Tokio's own part of the cell takes (1.54, multi-thread): header, core without the future, trailer.
const TOKIO: usize = 96;

fn cell(future: usize) -> usize {
    (TOKIO + future).next_multiple_of(CELL)
}

const TASKS: usize = 4096;

/// Bytes a live, polled task takes more than its plain future does, the cell's rounding included.
fn growth<const WORDS: usize>() -> usize {
    let make = || {
        let mut held = [1_u64; WORDS];
        spawn(poll_fn(move |_| {
            held[0] += 1;
            std::hint::black_box(&mut held);
            Poll::<()>::Pending
        }))
    };
    // The first makes the site, its tally and the thread's part.
    let mut first = make();
    assert!(poll(&mut first.0).is_pending());
    let future = 8 * WORDS;
    let wrapped = size_of_val(&*first.0);
    let mut tasks = Vec::with_capacity(TASKS);
    let (before, pages) = (BYTES.load(Ordering::Relaxed), slab::bytes());
    tasks.extend((0..TASKS).map(|_| make()));
    for (task, _) in &mut tasks {
        assert!(poll(task).is_pending());
    }
    // Without the boxes that stand for Tokio's cells. Records are counted as such: pages stay from size to size.
    let new_pages = (slab::bytes() - pages) as usize;
    let ours = BYTES.load(Ordering::Relaxed) - before - TASKS * wrapped - new_pages;
    let handle = size_of_val(&tasks[0].1);
    ours.div_ceil(TASKS) + size_of::<Record>() + handle + cell(wrapped) - cell(future)
}

macro_rules! growths {
    ($($words:literal)*) => { [$((8 * $words, growth::<$words>())),*] };
}

#[test]
fn a_live_task_costs_what_the_budget_allows() {
    assert!(set_level(Level::Debug, Source::Explicit));
    let growths = growths!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32);
    let mean = growths.iter().map(|(_, bytes)| bytes).sum::<usize>() / growths.len();
    println!("bytes over plain, mean over futures of 8 to 256 bytes: {mean}");
    for (future, bytes) in growths {
        println!("{future:4} B future: +{bytes} B");
    }
    println!("{} bytes of records", slab::bytes());
    assert!(mean <= 260, "{mean} bytes");
}

//! What a poll, a forgotten future, a wake and a spawn cost in instructions: run by `.ci/instructions` under callgrind.
//!
//! ```text
//! POLLSCOPE=debug poll_cost SCENARIO plain|watched ROUNDS
//! ```
//!
//! Only what runs inside `measured` is counted. All of it runs on one thread, so counts repeat exactly. The clock
//! is the one of production: valgrind emulates the counter and the CPU's word that it can be trusted. The allocator is
//! not: what the system's takes for one task swings by some 300 instructions with all that was allocated before.

#![expect(clippy::print_stderr, reason = "says how it is called")]
#![expect(
    clippy::cast_ptr_alignment,
    reason = "blocks are at least 16 bytes, and as aligned"
)]
#![expect(unsafe_code, reason = "an allocator that costs the same every time")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::future::Future;
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::process::ExitCode;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};

#[path = "../benches/shared/scenarios.rs"]
mod scenarios;

use pollscope_capture::tracked::track;
use scenarios::{Never, polls, spawns, wakes, yields};

/// Hands out powers of two and takes them back to a list for each: some 30 instructions, whatever went before.
struct Steady {
    taken: AtomicBool,
    free: UnsafeCell<[*mut u8; 32]>,
}

// SAFETY: the lists are touched under `taken` only.
unsafe impl Sync for Steady {}

#[global_allocator]
static STEADY: Steady = Steady {
    taken: AtomicBool::new(false),
    free: UnsafeCell::new([ptr::null_mut(); 32]),
};

impl Steady {
    /// The list of a size, alone with it.
    fn with<R>(&self, class: usize, f: impl FnOnce(&mut *mut u8) -> R) -> R {
        while self.taken.swap(true, Ordering::Acquire) {
            std::hint::spin_loop();
        }
        // SAFETY: `taken` is ours.
        let done = f(&mut unsafe { &mut *self.free.get() }[class]);
        self.taken.store(false, Ordering::Release);
        done
    }
}

fn class_of(layout: Layout) -> usize {
    let size = layout.size().max(layout.align()).max(16);
    size.next_power_of_two().trailing_zeros() as usize
}

// SAFETY: a block is a power of two of bytes at least as large and as aligned as asked for, and on no list while it is
// handed out.
unsafe impl GlobalAlloc for Steady {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let class = class_of(layout);
        let known = self.with(class, |first| {
            let block = *first;
            if !block.is_null() {
                // SAFETY: a block on the list holds the address of the next.
                *first = unsafe { block.cast::<*mut u8>().read() };
            }
            block
        });
        if !known.is_null() {
            return known;
        }
        let whole = Layout::from_size_align(1 << class, 1 << class);
        // SAFETY: the size is not zero.
        whole.map_or(ptr::null_mut(), |whole| unsafe { System.alloc(whole) })
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        self.with(class_of(layout), |first| {
            // SAFETY: the block is at least 16 bytes, and nobody's any more.
            unsafe { block.cast::<*mut u8>().write(*first) };
            *first = block;
        });
    }
}

/// What callgrind collects in: everything else is warming up.
#[inline(never)]
fn measured(work: impl FnOnce()) {
    work();
    // Keeps the call above from being the last thing done, and so a jump.
    black_box(());
}

fn by_hand(mut future: Pin<&mut impl Future>, rounds: u64) {
    polls(future.as_mut(), 100);
    measured(|| polls(future, rounds));
}

/// Futures that are made and forgotten, all at one place: a storm of findings.
fn forgets(watched: bool, rounds: u64) {
    for _ in 0..rounds {
        if watched {
            drop(black_box(track(Never)));
        } else {
            black_box(Never);
        }
    }
}

/// Runs `warm` and then, counted, `work` on a current-thread runtime.
fn on_runtime(
    watched: bool,
    warm: impl Future<Output = ()>,
    work: impl Future<Output = ()>,
) -> std::io::Result<()> {
    if watched {
        let runtime = pollscope_tokio::runtime::Builder::new_current_thread().build()?;
        runtime.block_on(warm);
        measured(|| runtime.block_on(work));
    } else {
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        runtime.block_on(warm);
        measured(|| runtime.block_on(work));
    }
    Ok(())
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [scenario, kind, rounds] = args.as_slice() else {
        eprintln!("usage: poll_cost poll|forget|self_wake|wake|spawn plain|watched ROUNDS");
        return ExitCode::from(2);
    };
    let (watched, Ok(rounds)) = (kind == "watched", rounds.parse()) else {
        eprintln!("ROUNDS is a number");
        return ExitCode::from(2);
    };
    let done = match scenario.as_str() {
        "poll" if watched => {
            by_hand(pin!(Never::watched()), rounds);
            Ok(())
        }
        "poll" => {
            by_hand(pin!(Never), rounds);
            Ok(())
        }
        "forget" => {
            forgets(watched, 1000);
            measured(|| forgets(watched, rounds));
            Ok(())
        }
        "self_wake" => on_runtime(watched, yields(watched, 100), yields(watched, rounds)),
        "wake" => on_runtime(watched, wakes(watched, 100), wakes(watched, rounds)),
        "spawn" => on_runtime(watched, spawns(watched, 1000), spawns(watched, rounds)),
        _ => {
            eprintln!("no scenario {scenario}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("no runtime: {error}");
            ExitCode::FAILURE
        }
    }
}

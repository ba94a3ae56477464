//! What a poll, a wake and a spawn cost in instructions: run by `.ci/instructions` under callgrind.
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
use std::task::{Context, Poll, Waker};

use pollscope_capture::TaskKind;
use pollscope_capture::instrumented::{Untold, instrument};
use pollscope_capture::task::{Asks, Meta};
use tokio::sync::mpsc;

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

/// A leaf that is never ready, and does nothing but look so.
struct Never;

impl Future for Never {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        black_box(cx);
        Poll::Pending
    }
}

/// Wakes itself so many times.
struct Yields(u64);

impl Future for Yields {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.0 == 0 {
            return Poll::Ready(());
        }
        self.0 -= 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// One of two tasks that wake each other.
async fn plays(mut from: mpsc::Receiver<()>, to: mpsc::Sender<()>, rounds: u64) {
    for _ in 0..rounds {
        if from.recv().await.is_none() || to.send(()).await.is_err() {
            return;
        }
    }
}

/// What callgrind collects in: everything else is warming up.
#[inline(never)]
fn measured(work: impl FnOnce()) {
    work();
    // Keeps the call above from being the last thing done, and so a jump.
    black_box(());
}

/// Polls a future by hand, with no runtime and no wake.
fn poll(mut future: Pin<&mut impl Future>, rounds: u64) {
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..rounds {
        assert!(black_box(future.as_mut()).poll(&mut cx).is_pending());
    }
}

fn polls(watched: bool, rounds: u64) {
    if watched {
        let meta = Meta {
            location: std::panic::Location::caller(),
            kind: TaskKind::Task,
            name: None,
            runtime: 0,
            asks: Asks::Caller,
        };
        let (future, _share) = instrument(Never, Untold, &meta);
        let mut future = pin!(future);
        poll(future.as_mut(), 100);
        measured(|| poll(future.as_mut(), rounds));
    } else {
        let mut future = pin!(Never);
        poll(future.as_mut(), 100);
        measured(|| poll(future.as_mut(), rounds));
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

async fn spawn_one(watched: bool, future: impl Future<Output = ()> + Send + 'static) {
    let joined = if watched {
        pollscope_tokio::task::spawn(future).await
    } else {
        tokio::spawn(future).await
    };
    joined.expect("the task does not panic");
}

async fn self_wakes(watched: bool, rounds: u64) {
    spawn_one(watched, Yields(rounds)).await;
}

async fn wakes(watched: bool, rounds: u64) {
    let (ping, pinged) = mpsc::channel(1);
    let (pong, ponged) = mpsc::channel(1);
    ping.send(()).await.expect("there is room");
    let (a, b) = (plays(pinged, pong, rounds), plays(ponged, ping, rounds));
    if watched {
        let _ = tokio::join!(
            pollscope_tokio::task::spawn(a),
            pollscope_tokio::task::spawn(b)
        );
    } else {
        let _ = tokio::join!(tokio::spawn(a), tokio::spawn(b));
    }
}

/// Tasks that are spawned and joined one after the other, each a future of 64 bytes.
async fn spawns(watched: bool, rounds: u64) {
    for _ in 0..rounds {
        let held = [0_u64; 8];
        let task = std::future::poll_fn(move |_| {
            black_box(&held);
            Poll::Ready(())
        });
        spawn_one(watched, task).await;
    }
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [scenario, kind, rounds] = args.as_slice() else {
        eprintln!("usage: poll_cost poll|self_wake|wake|spawn plain|watched ROUNDS");
        return ExitCode::from(2);
    };
    let (watched, Ok(rounds)) = (kind == "watched", rounds.parse()) else {
        eprintln!("ROUNDS is a number");
        return ExitCode::from(2);
    };
    let done = match scenario.as_str() {
        "poll" => {
            polls(watched, rounds);
            Ok(())
        }
        "self_wake" => on_runtime(
            watched,
            self_wakes(watched, 100),
            self_wakes(watched, rounds),
        ),
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

//! A global allocator that forgets a future at every allocation: pollscope's own, under its own locks, included. It must
//! neither hang nor recurse.

#![cfg(feature = "capture")]
#![expect(unsafe_code, reason = "a global allocator")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

static ARMED: AtomicBool = AtomicBool::new(false);
static FORGOTTEN: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// An allocator that allocates by itself must see to it that it ends.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

#[pollscope::tracked]
async fn work() {}

struct Forgets;

// SAFETY: hands everything to the system's.
unsafe impl GlobalAlloc for Forgets {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if ARMED.load(Ordering::Relaxed) && !INSIDE.replace(true) {
            FORGOTTEN.fetch_add(1, Ordering::Relaxed);
            drop(work());
            INSIDE.set(false);
        }
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract.
        unsafe { System.dealloc(at, layout) };
    }
}

#[global_allocator]
static ALLOCATOR: Forgets = Forgets;

/// Spawns from a new site each time: names, sites, backtraces, rings and tables grow.
fn exercise() {
    let runtime = pollscope::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        for turn in 0..200 {
            let name = format!("task {turn}");
            let task = pollscope::task::Builder::new().name(&name).spawn(async {
                drop(pollscope::spawn(async { Err::<(), _>("nobody") }));
                tokio::task::yield_now().await;
            });
            task.expect("a task").await.expect("no panic");
        }
    });
}

/// Edge case 52: what is found inside the allocator.
#[test]
fn a_finding_made_by_the_allocator_neither_hangs_nor_recurses() {
    if std::env::var_os("REENTRANCY_TEST_CHILD").is_some() {
        pollscope::set_debug(true);
        if std::env::var_os("REENTRANCY_TEST_ALL").is_some() {
            pollscope_capture::level::set_dedupe(false);
        }
        exercise();
        ARMED.store(true, Ordering::Relaxed);
        exercise();
        pollscope::flush();
        ARMED.store(false, Ordering::Relaxed);
        assert!(FORGOTTEN.load(Ordering::Relaxed) > 1000);
        return;
    }
    // Told as samples, and each in full.
    for all in [false, true] {
        child_ends(all);
    }
}

fn child_ends(all: bool) {
    let mut child = std::process::Command::new(std::env::current_exe().expect("a program"))
        .env("REENTRANCY_TEST_CHILD", "1")
        .envs(all.then_some(("REENTRANCY_TEST_ALL", "1")))
        .args(["--nocapture", "--test-threads=1"])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("it starts");
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(60) {
        if let Some(status) = child.try_wait().expect("our own child") {
            assert!(status.success(), "{status}");
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let _ = child.kill();
    let _ = child.wait();
    panic!("it hangs; each in full: {all}");
}

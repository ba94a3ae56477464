//! A storm of findings: futures forgotten at ten sites, a million times a second in all where the machine is fast
//! enough. At a line on its standard input it stops, and says how many were made at each line and what one cost; it ends
//! when its standard input is closed.

#![expect(clippy::print_stdout, reason = "the test reads what it prints")]

use std::io::{Read, stdin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const THREADS: u64 = 2;
/// Findings a second, of all threads.
const RATE: u64 = 1_000_000;
/// Findings at each site between two looks at the clock.
const BATCH: u64 = 100;

#[pollscope::tracked]
async fn settle() {}

/// Each on a line of its own, which is its site.
const SITES: [(u32, fn()); 10] = [
    (line!(), || drop(settle())),
    (line!(), || drop(settle())),
    (line!(), || drop(settle())),
    (line!(), || drop(settle())),
    (line!(), || drop(settle())),
    (line!(), || drop(settle())),
    (line!(), || drop(settle())),
    (line!(), || drop(settle())),
    (line!(), || drop(settle())),
    (line!(), || drop(settle())),
];

static STOP: AtomicBool = AtomicBool::new(false);

fn main() {
    let _guard = pollscope::init();
    pollscope::flush();
    println!("ready");
    let threads: Vec<_> = (0..THREADS).map(|_| thread::spawn(storm)).collect();
    let _ = stdin().read_line(&mut String::new());
    STOP.store(true, Ordering::Relaxed);
    let (mut batches, mut cpu_ns) = (0, 0);
    for thread in threads {
        let made = thread.join().expect("it goes on to its end");
        batches += made.0;
        cpu_ns += made.1;
    }
    pollscope::flush();
    let each = batches * BATCH;
    for (line, _) in SITES {
        println!("made {line} {each}");
    }
    println!(
        "done, each cost {} ns",
        cpu_ns / (each * SITES.len() as u64)
    );
    let _ = stdin().read(&mut [0]);
}

/// Batches made until it stops, and the CPU time of this thread.
fn storm() -> (u64, u64) {
    let before = cpu_ns();
    let pause = Duration::from_nanos(BATCH * SITES.len() as u64 * THREADS * 1_000_000_000 / RATE);
    let mut due = Instant::now();
    let mut batches = 0;
    while !STOP.load(Ordering::Relaxed) {
        for _ in 0..BATCH {
            for (_, forget) in SITES {
                forget();
            }
        }
        batches += 1;
        // Where it fell behind it does not catch up.
        due = (due + pause).max(Instant::now());
        thread::sleep(due.saturating_duration_since(Instant::now()));
    }
    (batches, cpu_ns() - before)
}

/// CPU time of this thread, from the kernel's file: 0 where there is none.
fn cpu_ns() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let first = text.split(' ').next().and_then(|ns| ns.parse().ok());
    first.unwrap_or(0)
}

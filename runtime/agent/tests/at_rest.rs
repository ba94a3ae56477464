//! At rest in quiet, with nobody attached, our threads wake up at most twice a second in all.

use std::fs;
use std::time::{Duration, Instant};

use pollscope_capture::level::{self, Level, Source};

#[path = "support/executor.rs"]
mod executor;

/// Voluntary context switches of all threads of ours, and how many threads that are.
fn switches() -> (u64, usize) {
    let mut sum = (0, 0);
    for task in fs::read_dir("/proc/self/task").expect("proc").flatten() {
        let read = |name: &str| fs::read_to_string(task.path().join(name)).unwrap_or_default();
        if read("comm").starts_with("pollscope") {
            let status = read("status");
            let count = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
            sum.0 += count.and_then(|count| count.trim().parse::<u64>().ok()).unwrap_or(0);
            sum.1 += 1;
        }
    }
    sum
}

#[test]
#[cfg(target_os = "linux")]
fn our_threads_hardly_wake_up() {
    level::set_level(Level::Quiet, Source::Explicit);
    executor::begin();
    executor::run("once", async {}).join().expect("it ends");
    // Until the start is over: self-test, sockets, first looks.
    executor::until("our three threads", || {
        let before = switches();
        std::thread::sleep(Duration::from_millis(700));
        (switches().0 <= before.0 + 2 && before.1 == 3).then_some(())
    });
    let (before, begun) = (switches().0, Instant::now());
    std::thread::sleep(Duration::from_secs(6));
    let rate = (switches().0 - before) as f64 / begun.elapsed().as_secs_f64();
    println!("{rate:.2} wake-ups a second");
    assert!(rate <= 2.0, "{rate} wake-ups a second");
}

//! At rest, with nobody attached: how often our threads wake up in quiet, and what they use of a core in debug.

use std::fs;
use std::time::{Duration, Instant};

use pollscope_agent::Kind;
use pollscope_capture::clock;
use pollscope_capture::level::{self, Level, Source};

#[path = "support/executor.rs"]
mod executor;

/// The threads of ours, by their ids in the system.
fn ours() -> Vec<u32> {
    let tasks = fs::read_dir("/proc/self/task").expect("proc").flatten();
    tasks
        .filter(|task| {
            fs::read_to_string(task.path().join("comm"))
                .is_ok_and(|name| name.starts_with("pollscope"))
        })
        .filter_map(|task| task.file_name().to_str()?.parse().ok())
        .collect()
}

/// Voluntary context switches of all threads of ours.
fn switches() -> u64 {
    ours()
        .iter()
        .filter_map(|tid| fs::read_to_string(format!("/proc/self/task/{tid}/status")).ok())
        .filter_map(|status| {
            let count = status
                .lines()
                .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?;
            count.trim().parse::<u64>().ok()
        })
        .sum()
}

fn cpu_ns() -> u64 {
    ours()
        .iter()
        .filter_map(|tid| clock::thread_cpu_ns(*tid))
        .sum()
}

fn least(bound: f64, measure: impl Fn() -> f64) -> f64 {
    let mut least = f64::INFINITY;
    for _ in 0..3 {
        least = least.min(measure());
        if least <= bound {
            break;
        }
    }
    least
}

#[test]
#[cfg(target_os = "linux")]
fn our_threads_cost_next_to_nothing() {
    level::set_level(Level::Quiet, Source::Explicit);
    executor::begin();
    executor::run("once", async {}).join().expect("it ends");
    // Until the start is over: self-test, sockets, first looks.
    executor::until("our three threads at rest", || {
        let before = switches();
        std::thread::sleep(Duration::from_millis(700));
        (switches() <= before + 2 && ours().len() == 3).then_some(())
    });
    // The least of up to three spans: others on the machine, and what comes once, can only add to it.
    let rate = least(2.0, || {
        let (before, begun) = (switches(), Instant::now());
        std::thread::sleep(Duration::from_secs(6));
        (switches() - before) as f64 / begun.elapsed().as_secs_f64()
    });
    println!("quiet: {rate:.2} wake-ups a second");
    assert!(rate <= 2.0, "{rate} wake-ups a second");

    level::set_level(Level::Debug, Source::Explicit);
    std::thread::sleep(Duration::from_millis(1500));
    // The budget is 1 % of a core; unoptimised code gets more.
    let budget = if cfg!(debug_assertions) { 0.03 } else { 0.01 };
    let share = least(budget, || {
        let (before, begun) = (cpu_ns(), Instant::now());
        std::thread::sleep(Duration::from_secs(3));
        (cpu_ns() - before) as f64 / begun.elapsed().as_nanos() as f64
    });
    println!("debug: {:.2} % of a core", share * 100.0);
    assert!(share <= budget, "{:.2} % of a core", share * 100.0);
    assert!(executor::finding(Kind::SlowPoll, "once").is_none());
}

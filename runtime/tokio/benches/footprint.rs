//! What pollscope takes while nothing happens: bytes of a live task, the time to start, and threads at rest.
//!
//! ```text
//! cargo bench -p pollscope-tokio --features serve --bench footprint
//! RUSTFLAGS="--cfg tokio_unstable --cfg pollscope_peer" cargo bench -p pollscope-tokio --features serve --bench footprint
//! ```
//!
//! The second measures console-subscriber (retention 1 s) beside us; see `overhead.rs`.
//!
//! Bytes: resident memory that so many tasks add which wait for ever, over their number, as the mean over futures of
//! 8 to 256 bytes; ours with the agent running, and after it has seen them. Allocators round up to size classes, so
//! one size alone would tell of the allocator. Every figure comes from a process of its own.

#![expect(clippy::print_stdout, reason = "prints tables")]
#![expect(unexpected_cfgs, reason = "pollscope_peer is for this bench alone")]

use std::future::Future;
use std::task::Poll;
use std::time::{Duration, Instant};

#[path = "shared/variants.rs"]
mod variants;

use variants::VARIANTS;

/// Starts measured of each variant.
const STARTS: usize = 21;

fn main() {
    // `cargo bench` says so; `cargo test --all-targets` only wants to see it run.
    let real = std::env::args().any(|arg| arg == "--bench");
    if let Some(child) = variants::told() {
        let mut words = child.split(' ');
        let mut next = || words.next().expect("it is told what to measure");
        let (variant, what) = (next(), next());
        let figure = match what {
            "bytes" => bytes(
                variant,
                next().parse().expect("a size"),
                next().parse().expect("a number"),
            ),
            "start" => start(variant),
            "wakes" => at_rest(variant, real, switches),
            _ => at_rest(variant, real, cpu_ns) / 1e9,
        };
        println!("{figure}");
        return;
    }

    let sizes = if real { 8..=256 } else { 8..=8 };
    let sizes: Vec<usize> = sizes.step_by(8).collect();
    let mut plain = 0.0;
    println!("bytes of resident memory a live task adds, mean over futures of 8 to 256 bytes");
    for variant in VARIANTS {
        let tasks = tasks(variant, real);
        let bytes: Vec<f64> = sizes
            .iter()
            .map(|size| run(variant, &format!("bytes {size} {tasks}"), real))
            .collect();
        let mean = bytes.iter().sum::<f64>() / bytes.len() as f64;
        if *variant == "plain" {
            plain = mean;
        }
        println!(
            "  {variant:<8}{mean:>10.0}   over plain {:>+8.0}   ({tasks} tasks)",
            mean - plain
        );
    }

    println!("start, ms on the wall: median and worst of {STARTS}");
    for variant in &VARIANTS[1..] {
        let starts = if real { STARTS } else { 1 };
        let mut times: Vec<f64> = (0..starts).map(|_| run(variant, "start", real)).collect();
        times.sort_by(f64::total_cmp);
        println!(
            "  {variant:<8}{:>10.2}{:>10.2}",
            times[times.len() / 2],
            times[times.len() - 1]
        );
    }

    println!("at rest, nobody attached: wake-ups a second, and percent of a core");
    for variant in VARIANTS {
        println!(
            "  {variant:<8}{:>10.2}{:>10.3}",
            run(variant, "wakes", real),
            run(variant, "cpu", real) * 100.0
        );
    }
}

/// How many tasks live at once. console-subscriber takes some 50 KB of each, so it gets fewer.
fn tasks(variant: &str, real: bool) -> u32 {
    match (real, variant) {
        (false, _) => 100,
        (true, "console") => 10_000,
        (true, _) => 100_000,
    }
}

fn run(variant: &str, what: &str, real: bool) -> f64 {
    let text = variants::run(variant, &format!("{variant} {what}"), real);
    text.trim().parse().expect("a number")
}

/// Starts what is measured, as its user does; to be kept.
fn begin(variant: &str) -> Option<pollscope_tokio::setup::Guard> {
    variants::start_peer(variant);
    variants::is_watched(variant).then(pollscope_tokio::setup::init)
}

/// Bytes a task of a future of `size` bytes adds.
fn bytes(variant: &str, size: usize, tasks: u32) -> f64 {
    macro_rules! by_size {
        ($($words:literal)*) => {
            match size / 8 {
                $($words => live::<$words>(variant, tasks),)*
                _ => panic!("no future has {size} bytes"),
            }
        };
    }
    by_size!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32)
}

fn live<const WORDS: usize>(variant: &str, tasks: u32) -> f64 {
    let _guard = begin(variant);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime can be built");
    runtime.block_on(async {
        // What is made once, at the first spawn, is not a task's.
        spawn(variant, waits([0_u64; WORDS]));
        settle().await;
        let before = resident();
        for _ in 0..tasks {
            spawn(variant, waits([0_u64; WORDS]));
        }
        settle().await;
        (resident() as f64 - before as f64) / f64::from(tasks)
    })
}

/// Lets all tasks be polled, and who watches take notice.
async fn settle() {
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    std::thread::sleep(Duration::from_millis(300));
}

/// A future of so many words that is never ready.
fn waits<const WORDS: usize>(held: [u64; WORDS]) -> impl Future<Output = ()> + Send {
    std::future::poll_fn(move |_| {
        std::hint::black_box(&held);
        Poll::Pending
    })
}

fn spawn(variant: &str, future: impl Future<Output = ()> + Send + 'static) {
    if variants::is_watched(variant) {
        drop(pollscope_tokio::task::spawn(future));
    } else {
        drop(tokio::spawn(future));
    }
}

/// Resident bytes of this process.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("proc is mounted");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    1024 * kib
        .and_then(|kib| kib.parse::<u64>().ok())
        .expect("the kernel's format")
}

/// Milliseconds until `begin` is back.
fn start(variant: &str) -> f64 {
    let begun = Instant::now();
    let guard = begin(variant);
    let took = begun.elapsed();
    drop(guard);
    took.as_secs_f64() * 1e3
}

/// What `count` grows by in a second in which the program does nothing.
fn at_rest(variant: &str, real: bool, count: impl Fn() -> u64) -> f64 {
    let _guard = begin(variant);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime can be built");
    runtime.block_on(async { spawn(variant, waits([0; 8])) });
    let seconds = if real { 6.0 } else { 0.1 };
    // Until the start is over: self-test, sockets, first looks.
    std::thread::sleep(Duration::from_secs_f64(seconds / 2.0));
    let before = count();
    std::thread::sleep(Duration::from_secs_f64(seconds));
    (count() - before) as f64 / seconds
}

/// Voluntary context switches of all threads.
fn switches() -> u64 {
    of_threads("status", |text| {
        let count = text
            .lines()
            .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        count?.trim().parse().ok()
    })
}

fn cpu_ns() -> u64 {
    of_threads("schedstat", |text| {
        text.split_whitespace().next()?.parse().ok()
    })
}

fn of_threads(file: &str, figure: impl Fn(&str) -> Option<u64>) -> u64 {
    let threads = std::fs::read_dir("/proc/self/task").expect("proc is mounted");
    threads
        .flatten()
        .filter_map(|thread| std::fs::read_to_string(thread.path().join(file)).ok())
        .filter_map(|text| figure(&text))
        .sum()
}

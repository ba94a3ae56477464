//! What pollscope adds to a poll, a wake and a spawn, in nanoseconds of CPU time over plain Tokio of the same round.
//!
//! ```text
//! cargo bench -p pollscope-tokio --features serve --bench overhead
//! RUSTFLAGS="--cfg tokio_unstable --cfg pollscope_peer" cargo bench -p pollscope-tokio --features serve --bench overhead
//! ```
//!
//! With `serve` the agent runs as it does in production, and what its threads take is counted with the rest.
//!
//! The second also measures console-subscriber (retention 1 s) beside us; it needs Tokio's unstable hooks and its
//! `tracing` feature, which every variant of that run, the plain one too, is then built with.
//!
//! Not criterion: what is measured is a difference of a few nanoseconds, less than how far two runs of one program
//! lie apart on a shared machine. So the bench runs itself, one process for each variant (the level is latched at
//! first use), variants taking turns, and compares within a round: printed is the median over rounds of the
//! difference to the plain variant of the same round, with the quartiles of the difference.

#![expect(clippy::print_stdout, reason = "prints a table")]
#![expect(unexpected_cfgs, reason = "pollscope_peer is for this bench alone")]

use std::future::Future;
use std::pin::{Pin, pin};

#[path = "shared/scenarios.rs"]
mod scenarios;
#[path = "shared/variants.rs"]
mod variants;

use scenarios::{Never, polls, spawns, wakes, yields};
use variants::VARIANTS;

const SCENARIOS: [&str; 7] = [
    "poll, no wake",
    "yield, ct",
    "yield, mt",
    "wake another, ct",
    "wake another, mt",
    "spawn + join, ct",
    "spawn + join, mt",
];

fn main() {
    // `cargo bench` says so; `cargo test --all-targets` only wants to see it run.
    let real = std::env::args().any(|arg| arg == "--bench");
    match variants::told() {
        Some(variant) => child(&variant, if real { 100_000 } else { 100 }),
        None => table(real, if real { 21 } else { 1 }),
    }
}

/// Runs all variants in turns and prints the table.
fn table(real: bool, rounds: usize) {
    // By variant, then scenario, then round.
    let mut times = vec![vec![Vec::new(); SCENARIOS.len()]; VARIANTS.len()];
    for _ in 0..rounds {
        for (variant, times) in VARIANTS.iter().zip(&mut times) {
            for (time, times) in run(variant, real).into_iter().zip(times) {
                times.push(time);
            }
        }
    }
    print!("{:<18}{:>10}", "ns, median of", "plain");
    for variant in &VARIANTS[1..] {
        print!("{variant:>24}");
    }
    println!(
        "\n{rounds:<28}{}",
        "     over plain  (quartiles)"
            .repeat(VARIANTS.len() - 1)
            .replace("     over", "   over")
    );
    for (at, scenario) in SCENARIOS.iter().enumerate() {
        let plain = &times[0][at];
        print!("{scenario:<18}{:>10.1}", quartiles(plain.clone())[1]);
        for times in &times[1..] {
            let over = times[at]
                .iter()
                .zip(plain)
                .map(|(ours, plain)| ours - plain);
            let [low, median, high] = quartiles(over.collect());
            print!("{median:>+10.1} ({low:>+5.1}{high:>+6.1})");
        }
        println!();
    }
}

fn quartiles(mut times: Vec<f64>) -> [f64; 3] {
    times.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| times[(times.len() - 1) * quarter / 4])
}

/// One process, one variant, all scenarios: nanoseconds of each.
fn run(variant: &str, real: bool) -> Vec<f64> {
    let text = variants::run(variant, variant, real);
    text.lines()
        .map(|line| line.parse().expect("a number"))
        .collect()
}

fn child(variant: &str, rounds: u64) {
    variants::start_peer(variant);
    let watched = variants::is_watched(variant);
    let by_hand = if watched {
        by_hand(pin!(Never::watched()), 10 * rounds)
    } else {
        by_hand(pin!(Never), 10 * rounds)
    };
    println!("{by_hand}");
    let runtimes = [runtime(watched, true), runtime(watched, false)];
    for runtime in &runtimes {
        println!(
            "{}",
            timed(runtime, rounds, |rounds| yields(watched, rounds))
        );
    }
    for runtime in &runtimes {
        println!(
            "{}",
            timed(runtime, rounds, |rounds| wakes(watched, rounds))
        );
    }
    for runtime in &runtimes {
        println!(
            "{}",
            timed(runtime, rounds / 5, |rounds| spawns(watched, rounds))
        );
    }
}

/// CPU time of this process, all threads: what others on the machine take of the clock on the wall is not ours.
#[expect(unsafe_code, reason = "asks the kernel")]
fn cpu_ns() -> u64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is there to be filled.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

enum Runtime {
    Plain(tokio::runtime::Runtime),
    Watched(pollscope_tokio::runtime::Runtime),
}

fn runtime(watched: bool, current_thread: bool) -> Runtime {
    macro_rules! build {
        ($builder:path) => {{
            use $builder as Builder;
            let mut builder = if current_thread {
                Builder::new_current_thread()
            } else {
                Builder::new_multi_thread()
            };
            builder
                .worker_threads(2)
                .build()
                .expect("a runtime can be built")
        }};
    }
    if watched {
        Runtime::Watched(build!(pollscope_tokio::runtime::Builder))
    } else {
        Runtime::Plain(build!(tokio::runtime::Builder))
    }
}

/// Nanoseconds of one round; a tenth is run first to warm up.
fn timed<F>(runtime: &Runtime, rounds: u64, work: impl Fn(u64) -> F) -> f64
where
    F: Future<Output = ()>,
{
    let run = |rounds| match runtime {
        Runtime::Plain(runtime) => runtime.block_on(work(rounds)),
        Runtime::Watched(runtime) => runtime.block_on(work(rounds)),
    };
    run(rounds / 10 + 1);
    let start = cpu_ns();
    run(rounds);
    (cpu_ns() - start) as f64 / rounds.max(1) as f64
}

/// Nanoseconds of a poll without runtime and wake.
fn by_hand(future: Pin<&mut impl Future>, rounds: u64) -> f64 {
    let start = cpu_ns();
    polls(future, rounds);
    (cpu_ns() - start) as f64 / rounds as f64
}

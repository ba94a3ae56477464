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
use std::hint::black_box;
use std::panic::Location;
use std::pin::{Pin, pin};
use std::process::Command;
use std::task::{Context, Poll, Waker};

use pollscope_capture::TaskKind;
use pollscope_capture::instrumented::{Untold, instrument};
use pollscope_capture::task::{Asks, Meta};
use tokio::sync::mpsc;

/// What is compared; the first is what the others are compared with.
const VARIANTS: &[&str] = &[
    "plain",
    "off",
    "quiet",
    "debug",
    #[cfg(all(tokio_unstable, pollscope_peer))]
    "console",
];
const SCENARIOS: [&str; 7] = [
    "poll, no wake",
    "yield, ct",
    "yield, mt",
    "wake another, ct",
    "wake another, mt",
    "spawn + join, ct",
    "spawn + join, mt",
];
/// Names the variant to a child of this bench.
const CHILD: &str = "POLLSCOPE_BENCH_VARIANT";

fn main() {
    // `cargo bench` says so; `cargo test --all-targets` only wants to see it run.
    let real = std::env::args().any(|arg| arg == "--bench");
    match std::env::var(CHILD) {
        Ok(variant) => child(&variant, if real { 100_000 } else { 100 }),
        Err(_) => table(real, if real { 21 } else { 1 }),
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
    let level = if matches!(variant, "quiet" | "debug") {
        variant
    } else {
        "off"
    };
    let output = Command::new(std::env::current_exe().expect("this program has a path"))
        .args(real.then_some("--bench"))
        .env(CHILD, variant)
        .env("POLLSCOPE", level)
        .output()
        .expect("it can be run again");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).expect("it prints numbers");
    text.lines()
        .map(|line| line.parse().expect("a number"))
        .collect()
}

fn child(variant: &str, rounds: u32) {
    #[cfg(all(tokio_unstable, pollscope_peer))]
    if variant == "console" {
        console_subscriber::ConsoleLayer::builder()
            .retention(std::time::Duration::from_secs(1))
            .server_addr(([127, 0, 0, 1], 0))
            .init();
    }
    let watched = !matches!(variant, "plain" | "console");
    println!("{}", by_hand(watched, 10 * rounds));
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
fn timed<F>(runtime: &Runtime, rounds: u32, work: impl Fn(u32) -> F) -> f64
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
    (cpu_ns() - start) as f64 / f64::from(rounds.max(1))
}

async fn spawn(watched: bool, future: impl Future<Output = ()> + Send + 'static) {
    let joined = if watched {
        pollscope_tokio::task::spawn(future).await
    } else {
        tokio::spawn(future).await
    };
    joined.expect("the task does not panic");
}

/// A leaf that is never ready.
struct Never;

impl Future for Never {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        black_box(cx);
        Poll::Pending
    }
}

/// Polls without runtime and wake.
fn by_hand(watched: bool, rounds: u32) -> f64 {
    fn polls(mut future: Pin<&mut impl Future>, rounds: u32) -> f64 {
        let mut cx = Context::from_waker(Waker::noop());
        let start = cpu_ns();
        for _ in 0..rounds {
            assert!(black_box(future.as_mut()).poll(&mut cx).is_pending());
        }
        (cpu_ns() - start) as f64 / f64::from(rounds)
    }
    if watched {
        let meta = Meta {
            location: Location::caller(),
            kind: TaskKind::Task,
            name: None,
            runtime: 0,
            asks: Asks::Caller,
        };
        let (future, _share) = instrument(Never, Untold, &meta);
        polls(pin!(future), rounds)
    } else {
        polls(pin!(Never), rounds)
    }
}

/// One task that wakes itself so many times: one poll and one wake a round.
async fn yields(watched: bool, rounds: u32) {
    let mut left = rounds;
    let task = std::future::poll_fn(move |cx| {
        if left == 0 {
            return Poll::Ready(());
        }
        left -= 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    });
    spawn(watched, task).await;
}

/// Two tasks that wake each other: two polls and two wakes a round.
async fn wakes(watched: bool, rounds: u32) {
    async fn plays(mut from: mpsc::Receiver<()>, to: mpsc::Sender<()>, rounds: u32) {
        for _ in 0..rounds {
            if from.recv().await.is_none() || to.send(()).await.is_err() {
                return;
            }
        }
    }
    let (ping, pinged) = mpsc::channel(1);
    let (pong, ponged) = mpsc::channel(1);
    ping.send(()).await.expect("there is room");
    tokio::join!(
        spawn(watched, plays(pinged, pong, rounds)),
        spawn(watched, plays(ponged, ping, rounds)),
    );
}

/// A future of 64 bytes, so that ours and Tokio's own task cell fall into one size of the allocator: what a spawn
/// costs more where they do not is the allocator's.
async fn spawns(watched: bool, rounds: u32) {
    for _ in 0..rounds {
        let held = [0_u64; 8];
        let task = std::future::poll_fn(move |_| {
            black_box(&held);
            Poll::Ready(())
        });
        spawn(watched, task).await;
    }
}

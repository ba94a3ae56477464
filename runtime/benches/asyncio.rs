//! What debug costs over off, on the six workloads by which asyncio's debug mode was measured.
//!
//! Python's ratios (`CPython` 3.13, workloads of the same shape) are printed beside ours. A level is latched at its first
//! use, so each variant is this program once more. Variants are run by turns, and the best of each counts: others on the
//! machine can only add.
//!
//! `cargo bench -p pollscope --bench asyncio`; under `cargo test` each workload runs once, small.

#![expect(clippy::print_stdout, reason = "it prints a table")]

use std::hint::black_box;
use std::process::Command;
use std::time::{Duration, Instant};

use pollscope::event_loop::{self, EventLoop};
use pollscope::runtime::Builder;
use tokio::sync::mpsc;

struct Workload {
    name: &'static str,
    run: fn(u32),
    operations: u32,
    /// Of how many tasks one has a backtrace of its own; all of them have in asyncio.
    backtrace_every: u32,
    /// How many times as slow Python's debug mode makes it.
    python: f64,
}

const DEFAULT: u32 = 256;
const WORKLOADS: &[Workload] = &[
    Workload {
        name: "spawn and await, each",
        run: |rounds| on_runtime(spawn_and_await(rounds)),
        operations: 100_000,
        backtrace_every: DEFAULT,
        python: 21.1,
    },
    Workload {
        name: "the same, with a backtrace each",
        run: |rounds| on_runtime(spawn_and_await(rounds)),
        operations: 100_000,
        backtrace_every: 1,
        python: 21.1,
    },
    Workload {
        name: "spawn all, then await",
        run: |rounds| on_runtime(spawn_all(rounds)),
        operations: 100_000,
        backtrace_every: DEFAULT,
        python: 21.7,
    },
    Workload {
        name: "yield_now",
        run: |rounds| on_runtime(yields(rounds)),
        operations: 1_000_000,
        backtrace_every: DEFAULT,
        python: 11.5,
    },
    Workload {
        name: "call_soon",
        run: call_soon,
        operations: 300_000,
        backtrace_every: DEFAULT,
        python: 24.6,
    },
    Workload {
        name: "channel ping-pong",
        run: |rounds| on_runtime(ping_pong(rounds)),
        operations: 50_000,
        backtrace_every: DEFAULT,
        python: 20.9,
    },
    Workload {
        name: "await of a tracked future",
        run: |rounds| on_runtime(tracked(rounds)),
        operations: 1_000_000,
        backtrace_every: DEFAULT,
        python: 21.0,
    },
];
const LEVELS: [&str; 3] = ["off", "quiet", "debug"];
/// Each variant is run so often.
const TURNS: u32 = 7;
/// Tells a child of the bench what it is.
const CHILD: &str = "POLLSCOPE_BENCH_CHILD";

#[pollscope::tracked]
async fn noop(n: u32) -> u32 {
    std::future::ready(n).await
}

async fn spawn_and_await(rounds: u32) {
    for n in 0..rounds {
        let task = pollscope::spawn(std::future::ready(n));
        black_box(task.await.expect("it ends"));
    }
}

async fn spawn_all(rounds: u32) {
    let tasks: Vec<_> = (0..rounds)
        .map(|n| pollscope::spawn(std::future::ready(n)))
        .collect();
    for task in tasks {
        black_box(task.await.expect("it ends"));
    }
}

async fn yields(rounds: u32) {
    let task = pollscope::spawn(async move {
        for _ in 0..rounds {
            tokio::task::yield_now().await;
        }
    });
    task.await.expect("it ends");
}

async fn ping_pong(rounds: u32) {
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
    let a = pollscope::spawn(plays(pinged, pong, rounds));
    let b = pollscope::spawn(plays(ponged, ping, rounds));
    a.await.expect("it ends");
    b.await.expect("it ends");
}

async fn tracked(rounds: u32) {
    for n in 0..rounds {
        black_box(noop(n).await);
    }
}

fn on_runtime(work: impl Future<Output = ()>) {
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(work);
}

fn call_soon(rounds: u32) {
    let ran = event_loop::run(async {
        let event_loop = EventLoop::current();
        for n in 0..rounds {
            let called = event_loop.call_soon(move || _ = black_box(n));
            drop(called.expect("it is the loop's own thread"));
            if n % 1000 == 0 {
                tokio::task::yield_now().await;
            }
        }
    });
    ran.expect("a loop");
}

/// What a child is told: which workload, how often. It prints nanoseconds an operation.
fn child(told: &str) {
    let (workload, rounds) = told.split_once(' ').expect("two numbers");
    let workload: usize = workload.parse().expect("a number");
    let rounds: u32 = rounds.parse().expect("a number");
    let run = WORKLOADS[workload].run;
    // Sites, rings and tables are made once, and are no part of an operation.
    run(rounds.min(1000));
    let begun = Instant::now();
    run(rounds);
    let took: Duration = begun.elapsed();
    println!("{}", took.as_nanos() as f64 / f64::from(rounds));
}

fn measure(level: &str, workload: usize, rounds: u32) -> f64 {
    let every = WORKLOADS[workload].backtrace_every.to_string();
    let output = Command::new(std::env::current_exe().expect("this program has a path"))
        .env(CHILD, format!("{workload} {rounds}"))
        .env("POLLSCOPE", level)
        .env("POLLSCOPE_BACKTRACE_EVERY", every)
        .output()
        .expect("it can be run again");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    text.trim().parse().expect("it prints a number")
}

fn main() {
    if let Ok(told) = std::env::var(CHILD) {
        return child(&told);
    }
    let real = std::env::args().any(|arg| arg == "--bench");
    println!("| workload | off, ns | quiet, ns | debug, ns | debug over off | in asyncio |");
    println!("|---|---|---|---|---|---|");
    for (number, workload) in WORKLOADS.iter().enumerate() {
        let (rounds, turns) = if real {
            (workload.operations, TURNS)
        } else {
            (100, 1)
        };
        let mut best = [f64::INFINITY; LEVELS.len()];
        for _ in 0..turns {
            for (best, level) in best.iter_mut().zip(LEVELS) {
                *best = best.min(measure(level, number, rounds));
            }
        }
        let [off, quiet, debug] = best;
        println!(
            "| {} | {off:.0} | {quiet:.0} | {debug:.0} | {:.2} | {:.1} |",
            workload.name,
            debug / off,
            workload.python
        );
    }
}

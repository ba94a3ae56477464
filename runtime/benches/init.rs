//! How long pollscope takes to start: `init()`, in a process of its own each time.
//!
//! `cargo bench -p pollscope --bench init`; under `cargo test` each variant is started once.

#![expect(clippy::print_stdout, reason = "it prints a table")]

use std::process::Command;
use std::time::Instant;

const RUNS: usize = 200;
/// Tells a child of the bench what it is.
const CHILD: &str = "POLLSCOPE_BENCH_CHILD";

const VARIANTS: &[(&str, &[(&str, &str)])] = &[
    ("off", &[("POLLSCOPE", "off")]),
    ("quiet", &[("POLLSCOPE", "quiet")]),
    ("debug", &[("POLLSCOPE", "debug")]),
    (
        "quiet, one test of cargo-nextest",
        &[("NEXTEST_EXECUTION_MODE", "process-per-test")],
    ),
    (
        "the same, POLLSCOPE_DENY=any",
        &[
            ("NEXTEST_EXECUTION_MODE", "process-per-test"),
            ("POLLSCOPE_DENY", "any"),
        ],
    ),
];

/// Nanoseconds of one start.
fn start(env: &[(&str, &str)]) -> u64 {
    let output = Command::new(std::env::current_exe().expect("this program has a path"))
        .env(CHILD, "1")
        .env_remove("NEXTEST_EXECUTION_MODE")
        .envs(env.iter().copied())
        .output()
        .expect("it can be run again");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    text.trim().parse().expect("it prints a number")
}

fn main() {
    if std::env::var(CHILD).is_ok() {
        let begun = Instant::now();
        let guard = pollscope::init();
        let took = begun.elapsed();
        println!("{}", took.as_nanos());
        drop(guard);
        return;
    }
    let runs = if std::env::args().any(|arg| arg == "--bench") {
        RUNS
    } else {
        1
    };
    println!("| level | median, ms | 99 of 100 below, ms | of {runs} starts the slowest, ms |");
    println!("|---|---|---|---|");
    for (name, env) in VARIANTS {
        let mut all: Vec<u64> = (0..runs).map(|_| start(env)).collect();
        all.sort_unstable();
        let ms = |share: f64| all[((runs - 1) as f64 * share) as usize] as f64 / 1e6;
        println!(
            "| {name} | {:.2} | {:.2} | {:.2} |",
            ms(0.5),
            ms(0.99),
            ms(1.0)
        );
    }
}

//! A storm of findings: up to a million a second from ten sites. Counts stay exact, memory flat, the log short, and the
//! target answers. `POLLSCOPE_STORM_SECS=10 cargo test --release -p pollscope-tests --test storm -- --nocapture` is what
//! a release is checked with; the figures are printed.
#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::{Duration, Instant};

use pollscope_tests::{Program, Room, wait_until};
use serde_json::Value;

/// What the tables may still take once all sites are known: the allocator's doing, mostly.
const GROWTH_KIB: u64 = 8 << 10;
/// The first of a site and then tenfold: lines of a record that was found ten million times.
const LINES_A_SITE: usize = 8;
const LIMIT: Duration = Duration::from_secs(20);

fn span() -> Duration {
    let secs = std::env::var("POLLSCOPE_STORM_SECS").ok();
    Duration::from_secs(secs.and_then(|secs| secs.parse().ok()).unwrap_or(1))
}

fn rss_kib(program: &Program) -> u64 {
    let path = format!("/proc/{}/status", program.pid());
    let status = std::fs::read_to_string(path).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let size = line.and_then(|line| line.split_whitespace().next());
    size.and_then(|kib| kib.parse().ok()).expect("a size")
}

/// Counts of the forgotten futures by line of their site.
fn counts(report: &Value) -> BTreeMap<u64, u64> {
    let warnings = report["warnings"].as_array().expect("an array");
    let found = warnings
        .iter()
        .filter(|warning| warning["kind"] == "never_awaited" && warning["severity"] == "warn");
    let by_line = found.map(|warning| {
        let line = warning["site"]["line"].as_u64().expect("a line");
        (line, warning["count"].as_u64().expect("a count"))
    });
    by_line.collect()
}

/// What the program says it made, by line.
fn made(program: &mut Program) -> BTreeMap<u64, u64> {
    let printed = program.printed().iter();
    let made = printed.filter_map(|line| line.strip_prefix("made ")?.split_once(' '));
    let number = |text: &str| text.parse().expect("a number");
    made.map(|(line, count)| (number(line), number(count)))
        .collect()
}

/// Edge case 53.
#[test]
fn a_storm_of_findings_is_counted_and_costs_nobody_memory() {
    let room = Room::new();
    let mut command = room.command(env!("CARGO_BIN_EXE_storm"));
    command.env("POLLSCOPE", "debug").stdin(Stdio::piped());
    let mut program = room.start(command, "ready");
    let begun = Instant::now();
    let target = program.target();

    // It answers in the middle of it, again and again.
    let mut before = BTreeMap::new();
    let mut sizes = Vec::new();
    while sizes.len() < 3 || begun.elapsed() < span() {
        let report = room.json(&["report", &target, "--json"]);
        let now = counts(&report);
        for (line, count) in &before {
            assert!(now.get(line) >= Some(count), "line {line} went down");
        }
        before = now;
        // From where all sites are known on.
        if before.len() == 10 {
            sizes.push(rss_kib(&program));
        }
        assert!(begun.elapsed() < span() + 4 * LIMIT, "{before:?}");
    }
    let took = begun.elapsed();
    program.tell("stop");
    let done = program.line("done", LIMIT);
    let most = sizes.iter().max().expect("three of them");
    let grown = most - sizes[0];
    assert!(grown <= GROWTH_KIB, "{sizes:?} KiB");

    let made = made(&mut program);
    assert_eq!(made.len(), 10);
    let report = room.json(&["report", &target, "--json"]);
    assert_eq!(counts(&report), made);

    let logged = wait_until("lines that say what they left out", LIMIT, || {
        let lines = program.printed().iter();
        let lines: Vec<String> = lines
            .filter(|line| line.contains("was never awaited"))
            .cloned()
            .collect();
        let left_out = lines
            .iter()
            .any(|line| line.contains("more since the last line)"));
        left_out.then_some(lines)
    });
    assert!(logged.len() <= 10 * LINES_A_SITE, "{logged:#?}");
    println!(
        "{} findings in {took:.1?}, {done}; {} reports meanwhile; VmRSS {} KiB, at most {grown} KiB more; {} lines \
         logged; {} examples dropped",
        made.values().sum::<u64>(),
        sizes.len(),
        sizes[0],
        logged.len(),
        report["dropped"]["events"],
    );
}

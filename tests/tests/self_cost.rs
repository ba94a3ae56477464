//! What pollscope itself costs a program: wake-ups and CPU time of its threads, counted from outside.
//!
//! The figures are printed. `POLLSCOPE_COST_SECS=20 cargo test --release -p pollscope-tests --test self_cost --
//! --nocapture` is what a release is checked with; without, each is measured for a few seconds and the bounds of CPU
//! time leave room for a machine that is busy. Wake-ups are counts: they need no such room.
#![cfg(target_os = "linux")]

use std::process::Stdio;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use pollscope_tests::{Program, Room, Screen, Use, inspector, wait_until};

/// One at a time: a neighbour takes the CPU, and with it caches.
static ONE: Mutex<()> = Mutex::new(());

fn span() -> Duration {
    let secs = std::env::var("POLLSCOPE_COST_SECS").ok();
    Duration::from_secs(secs.and_then(|secs| secs.parse().ok()).unwrap_or(4))
}

/// A part of a core that must not be passed in release; a debug build, and a machine full of tests, get more.
fn bound(cores: f64) -> f64 {
    let busy = std::env::var_os("POLLSCOPE_COST_SECS").is_none();
    let slow = if cfg!(debug_assertions) { 5.0 } else { 1.0 };
    cores * slow * if busy { 2.0 } else { 1.0 }
}

/// Starts the program at rest, and waits until pollscope's own start is over: self-test, sockets, first looks.
fn idle(room: &Room, level: &str, tasks: u32) -> Program {
    let mut command = room.command(env!("CARGO_BIN_EXE_idle"));
    command
        .arg(tasks.to_string())
        .env("POLLSCOPE", level)
        .stdin(Stdio::piped());
    let program = room.start(command, "ready");
    wait_until("three threads of ours", Duration::from_secs(10), || {
        let seen = Use::of_pollscope(program.pid(), Duration::from_millis(500));
        (seen.threads == 3).then_some(())
    });
    program
}

/// The least that it used in up to three spans, all printed; ends at the first within the bounds. What others do on the
/// machine, and what comes once, can only add: what pollscope costs at rest is in every span.
#[expect(
    clippy::print_stdout,
    reason = "the figures are what a release is checked with"
)]
fn least(what: &str, pid: u32, span: Duration, within: impl Fn(&Use) -> bool) -> Use {
    let mut least: Option<Use> = None;
    for _ in 0..3 {
        let used = Use::of_pollscope(pid, span);
        println!("{what}: {used}");
        if within(&used) {
            return used;
        }
        if least.as_ref().is_none_or(|least| used.cores < least.cores) {
            least = Some(used);
        }
    }
    least.expect("three spans")
}

#[test]
fn in_quiet_nobody_wakes_the_machine() {
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let room = Room::new();
    let program = idle(&room, "quiet", 100);
    let span = span().max(Duration::from_secs(6));
    let used = least("quiet at rest", program.pid(), span, |used| {
        used.wakeups <= 2.0 && used.cores <= bound(0.001)
    });
    assert!(used.wakeups <= 2.0, "{used}");
    assert!(used.cores <= bound(0.001), "{used}");
}

#[test]
fn in_debug_a_program_at_rest_costs_less_than_a_hundredth_of_a_core() {
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let room = Room::new();
    for tasks in [100, 10_000] {
        let program = idle(&room, "debug", tasks);
        let what = format!("debug at rest, {tasks} tasks");
        let used = least(&what, program.pid(), span(), |used| {
            used.cores <= bound(0.01)
        });
        assert!(used.cores <= bound(0.01), "{tasks} tasks: {used}");
    }
}

/// Waits until what comes once is over: every defect met, its names found, the first screen drawn.
fn settled(program: &Program, cores: f64) {
    wait_until("it is at rest", Duration::from_secs(20), || {
        let used = Use::of_pollscope(program.pid(), Duration::from_millis(500));
        (used.cores <= cores).then_some(())
    });
}

#[test]
fn the_demo_costs_little_and_little_more_while_somebody_looks() {
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let room = Room::new();
    for args in [&["demo", "--serve", "--healthy"][..], &["demo", "--serve"]] {
        let mut command = room.command(inspector());
        command.args(args);
        let demo = room.start(command, "ready");
        let name = args.join(" ");
        settled(&demo, bound(0.05));
        let what = format!("{name}, nobody attached");
        let alone = least(&what, demo.pid(), span(), |used| used.cores <= bound(0.05));
        assert!(alone.cores <= bound(0.05), "{name}: {alone}");
        let screen = Screen::open(&room, &["attach", &demo.target()], 120, 35);
        screen.wait_for("LIVE");
        settled(&demo, bound(0.10));
        let what = format!("{name}, on a screen");
        let watched = least(&what, demo.pid(), span(), |used| used.cores <= bound(0.10));
        assert!(watched.cores <= bound(0.10), "{name}: {watched}");
    }
}

/// What a process has, or once had, in kibibytes: `VmRSS`, `VmHWM`.
fn memory(pid: u32, key: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix(key));
    let size = line.and_then(|line| line.strip_prefix(':'));
    let words = size.and_then(|size| size.split_whitespace().next());
    words.and_then(|kib| kib.parse().ok()).expect("a size")
}

#[test]
fn whoever_looks_at_many_tasks_makes_the_program_keep_little() {
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let room = Room::new();
    let program = idle(&room, "debug", 30_000);
    let before = memory(program.pid(), "VmRSS");
    let report = room.json(&["report", &program.target(), "--json", "--limit", "30000"]);
    assert_eq!(report["tasks_total"], 30_000);
    let rows = report["tasks"].as_array().map_or(0, Vec::len);
    let grown = memory(program.pid(), "VmHWM").saturating_sub(before);
    println!("30000 tasks, {rows} rows reported: {grown} KiB more at most");
    // The sort keys of all rows, one part on its way, and what the allocator makes of it.
    assert!(grown <= 16 << 10, "{grown} KiB");
}

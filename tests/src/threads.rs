//! What the threads of a program use, as the system counts it: from outside, so that counting costs them nothing.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// What threads have used so far.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Used {
    threads: usize,
    wakeups: u64,
    preempted: u64,
    cpu_ns: u64,
}

/// What threads used of a span of time.
#[derive(Clone, Copy, Debug)]
pub struct Use {
    /// How many there were at its end.
    pub threads: usize,
    /// How often one of them had slept and got a CPU again, a second.
    pub wakeups: f64,
    /// How often one of them lost its CPU to another, a second.
    pub preempted: f64,
    /// The part of one core.
    pub cores: f64,
}

impl Use {
    /// Follows the threads of a process that have such a name, its main thread apart, for so long.
    ///
    /// # Panics
    /// The process ended.
    pub fn of(pid: u32, span: Duration, names: impl Fn(&str) -> bool) -> Self {
        let (before, begun) = (used(pid, &names), Instant::now());
        std::thread::sleep(span);
        let (after, seconds) = (used(pid, &names), begun.elapsed().as_secs_f64());
        // A thread that ended meanwhile takes its counts with it.
        let rate = |after: u64, before: u64| after.saturating_sub(before) as f64 / seconds;
        Self {
            threads: after.threads,
            wakeups: rate(after.wakeups, before.wakeups),
            preempted: rate(after.preempted, before.preempted),
            cores: rate(after.cpu_ns, before.cpu_ns) / 1e9,
        }
    }

    /// Follows the threads of pollscope in a process.
    pub fn of_pollscope(pid: u32, span: Duration) -> Self {
        Self::of(pid, span, |name| name.starts_with("pollscope"))
    }
}

impl std::fmt::Display for Use {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} threads, {:.2} wake-ups/s, {:.2} preemptions/s, {:.3} % of a core",
            self.threads,
            self.wakeups,
            self.preempted,
            self.cores * 100.0
        )
    }
}

fn used(pid: u32, names: &impl Fn(&str) -> bool) -> Used {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).expect("the program runs");
    let mut sum = Used::default();
    let main = pid.to_string();
    for task in tasks.flatten() {
        // It is called like the executable, which is the inspector's own for the demo.
        if task.file_name() == *main {
            continue;
        }
        // One that ends under our eyes is not counted.
        let Some(one) = used_by(&task.path(), names) else {
            continue;
        };
        sum.threads += 1;
        sum.wakeups += one.wakeups;
        sum.preempted += one.preempted;
        sum.cpu_ns += one.cpu_ns;
    }
    sum
}

fn used_by(task: &Path, names: &impl Fn(&str) -> bool) -> Option<Used> {
    let name = fs::read_to_string(task.join("comm")).ok()?;
    if !names(name.trim_end()) {
        return None;
    }
    let status = fs::read_to_string(task.join("status")).ok()?;
    let schedstat = fs::read_to_string(task.join("schedstat")).ok()?;
    let count = |key: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(key))?;
        line.trim().parse().ok()
    };
    Some(Used {
        threads: 1,
        wakeups: count("voluntary_ctxt_switches:")?,
        preempted: count("nonvoluntary_ctxt_switches:")?,
        cpu_ns: schedstat.split_whitespace().next()?.parse().ok()?,
    })
}

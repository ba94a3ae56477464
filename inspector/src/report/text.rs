//! `report` as text: who, totals, the worst warnings with both stacks, then requests, sites, threads and tasks.

use std::io::{self, Write};

use super::table::Table;
use super::warnings::{self, worst_first};
use super::{Paint, frames, level};
use crate::format::{age, bytes, count, duration, percent};
use crate::model::{
    Outcome, Severity, SiteRow, Snapshot, Target, Task, TaskKind, TaskState, Thread,
};

/// Warnings printed whole; the others are counted.
const WARNINGS: usize = 20;
/// Sites printed, the busiest first.
const SITES: usize = 10;
/// Names of requests printed, the busiest first.
const REQUESTS: usize = 20;
/// What was not measured.
const UNKNOWN: &str = "-";

/// Prints a snapshot.
pub fn text(out: &mut dyn Write, snapshot: &Snapshot, paint: Paint) -> io::Result<()> {
    header(out, snapshot, paint)?;
    warned(out, snapshot, paint)?;
    requests(out, snapshot, paint)?;
    sites(out, snapshot, paint)?;
    threads(out, snapshot, paint)?;
    tasks(out, snapshot, paint)
}

fn header(out: &mut dyn Write, snapshot: &Snapshot, paint: Paint) -> io::Result<()> {
    let (target, totals) = (&snapshot.target, &snapshot.totals);
    writeln!(
        out,
        "{}  pid {}  up {}  tokio {}  pollscope {}  level {} ({})  symbols {}",
        paint.heading(&target.name),
        target.pid,
        age((target.uptime_s * 1e9) as u64),
        target.tokio,
        target.pollscope,
        level(target.level),
        target.level_source,
        symbols(target),
    )?;
    writeln!(
        out,
        "tasks {}: {} running, {} scheduled, {} idle, {} unpolled; {} spawned, {} ended, {} polls",
        count(snapshot.tasks_total),
        count(totals.running),
        count(totals.scheduled),
        count(totals.idle),
        count(totals.unpolled),
        count(totals.spawned),
        count(totals.ended),
        count(totals.polls),
    )?;
    let runtimes = snapshot.runtimes.iter().map(|runtime| {
        let name = if runtime.name.is_empty() {
            runtime.id.to_string()
        } else {
            runtime.name.clone()
        };
        format!("{name} ({}, {} workers)", runtime.flavor, runtime.workers)
    });
    let runtimes: Vec<_> = runtimes.collect();
    if !runtimes.is_empty() {
        writeln!(out, "runtimes {}", runtimes.join(", "))?;
    }
    writeln!(
        out,
        "pollscope itself: {} of a core, {}",
        percent(snapshot.self_cost.cpu_ratio),
        bytes(snapshot.self_cost.rss_bytes),
    )?;
    let lost = snapshot.dropped;
    if lost.events + lost.warnings + lost.tasks > 0 {
        writeln!(
            out,
            "lost: {} events, {} examples of warnings, {} tasks (counts stay exact)",
            count(lost.events),
            count(lost.warnings),
            count(lost.tasks),
        )?;
    }
    if snapshot.uninstrumented_tasks > 0 {
        let tasks = count(snapshot.uninstrumented_tasks);
        writeln!(
            out,
            "not seen: {tasks} tasks that libraries spawned past pollscope; pollscope::tower::layer() shows requests in them, RUSTFLAGS=\"--cfg tokio_unstable\" the tasks"
        )?;
    }
    Ok(())
}

fn warned(out: &mut dyn Write, snapshot: &Snapshot, paint: Paint) -> io::Result<()> {
    let of = |severity| {
        let warnings = snapshot.warnings.iter();
        warnings
            .filter(|warning| warning.severity == severity)
            .count()
    };
    let (errors, warns, notes) = (of(Severity::Error), of(Severity::Warn), of(Severity::Info));
    let title = format!(
        "WARNINGS  {}, {}, {}",
        counted(errors, "error"),
        counted(warns, "warning"),
        counted(notes, "note")
    );
    writeln!(out, "\n{}", paint.heading(title))?;
    let sorted = worst_first(&snapshot.warnings);
    let depth = snapshot
        .target
        .depth
        .map_or(frames::SHOWN, |depth| depth as usize);
    for warning in sorted.iter().take(WARNINGS) {
        warnings::warning(out, warning, depth, paint)?;
    }
    let more = sorted.len().saturating_sub(WARNINGS);
    if more > 0 {
        writeln!(out, "… {more} more: --json has all")?;
    }
    Ok(())
}

/// The rows of requests, or the others; the busiest first.
fn busiest(snapshot: &Snapshot, requests: bool) -> Vec<&SiteRow> {
    let rows = snapshot.sites.iter();
    let mut rows: Vec<_> = rows
        .filter(|row| (row.kind == TaskKind::Request) == requests)
        .collect();
    rows.sort_by_key(|row| std::cmp::Reverse((row.busy_ns.unwrap_or(0), row.live)));
    rows
}

fn requests(out: &mut dyn Write, snapshot: &Snapshot, paint: Paint) -> io::Result<()> {
    let rows = busiest(snapshot, true);
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}", paint.heading("REQUESTS"))?;
    let mut table = Table::new(&[
        ">LIVE",
        ">ENDED",
        ">ERRORS",
        ">ABORTED",
        ">BUSY",
        ">P50 POLL",
        ">P99 POLL",
        ">MAX POLL",
        ">SLOW",
        "NAME",
        "SITE",
    ]);
    for row in rows.iter().take(REQUESTS) {
        let (poll, ended) = (row.poll_ns.as_ref(), row.outcomes);
        let counted = |value: Option<u64>| value.map_or_else(|| UNKNOWN.to_owned(), count);
        table.row([
            count(row.live),
            count(row.ended),
            counted(ended.map(|ended| ended.error.saturating_add(ended.panic))),
            counted(ended.map(|ended| ended.aborted)),
            time(row.busy_ns),
            time(poll.map(|poll| poll.p50)),
            time(poll.map(|poll| poll.p99)),
            time(poll.map(|poll| poll.max)),
            counted(row.slow_polls),
            first_of([row.name.clone(), row.type_name.clone()]),
            row.site.short(),
        ]);
    }
    table.print(out, paint)?;
    more(
        out,
        rows.len(),
        REQUESTS,
        "names of requests: --json has all",
    )
}

fn sites(out: &mut dyn Write, snapshot: &Snapshot, paint: Paint) -> io::Result<()> {
    let sites = busiest(snapshot, false);
    if sites.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}", paint.heading("SPAWN SITES"))?;
    let mut table = Table::new(&[
        ">LIVE",
        ">PER MIN",
        ">SPAWNED",
        ">POLLS",
        ">BUSY",
        ">P99 POLL",
        ">MAX POLL",
        ">SIZE",
        "SITE",
    ]);
    for row in sites.iter().take(SITES) {
        let poll = row.poll_ns.as_ref();
        table.row([
            count(row.live),
            format!("{:+.1}", row.live_per_min),
            count(row.spawned),
            count(row.polls),
            time(row.busy_ns),
            time(poll.map(|poll| poll.p99)),
            time(poll.map(|poll| poll.max)),
            bytes(row.future_bytes),
            first_of([row.site.short(), row.site.type_name.clone()]),
        ]);
    }
    table.print(out, paint)?;
    more(out, sites.len(), SITES, "sites")
}

fn threads(out: &mut dyn Write, snapshot: &Snapshot, paint: Paint) -> io::Result<()> {
    if snapshot.threads.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}", paint.heading("THREADS"))?;
    let mut table = Table::new(&[">TID", "ROLE", ">BUSY", "NOW", "NAME"]);
    for thread in &snapshot.threads {
        table.row([
            thread.tid.to_string(),
            thread.role.clone(),
            thread
                .busy_ratio
                .map_or_else(|| UNKNOWN.to_owned(), percent),
            now(thread),
            thread.name.clone(),
        ]);
    }
    table.print(out, paint)
}

fn now(thread: &Thread) -> String {
    match thread.current_task {
        Some(task) if thread.current_poll_ns > 0 => {
            format!("task {task} for {}", duration(thread.current_poll_ns))
        }
        Some(task) => format!("task {task}"),
        None => thread.now.clone(),
    }
}

fn tasks(out: &mut dyn Write, snapshot: &Snapshot, paint: Paint) -> io::Result<()> {
    if snapshot.tasks.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}", paint.heading("TASKS, THE BUSIEST FIRST"))?;
    let mut table = Table::new(&[
        ">ID",
        "STATE",
        ">AGE",
        ">POLLS",
        ">WAKES",
        ">BUSY",
        ">MAX POLL",
        "NAME",
        "SITE",
    ]);
    for task in &snapshot.tasks {
        table.row([
            task.id.to_string(),
            state(task).to_owned(),
            age(task.age_ns),
            count(task.polls),
            task.wakes.map_or_else(|| UNKNOWN.to_owned(), count),
            time(task.busy_ns),
            time(task.max_poll_ns),
            first_of([task.name.clone(), task.type_name.clone()]),
            task.site.short(),
        ]);
    }
    table.print(out, paint)?;
    for task in &snapshot.tasks {
        if let Some(what) = task.unread() {
            writeln!(
                out,
                "task {} {what}; spawned at {}",
                task.id,
                task.site.short()
            )?;
        }
    }
    let total = usize::try_from(snapshot.matched).unwrap_or(usize::MAX);
    more(
        out,
        total,
        snapshot.tasks.len(),
        "tasks: --limit shows more",
    )
}

fn more(out: &mut dyn Write, total: usize, shown: usize, what: &str) -> io::Result<()> {
    match total.saturating_sub(shown) {
        0 => Ok(()),
        more => writeln!(out, "  … {more} more {what}"),
    }
}

fn counted(n: usize, what: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{n} {what}{plural}")
}

/// What frames tell, and what would make them tell more.
fn symbols(target: &Target) -> String {
    match target.symbols_lack() {
        Some(lack) => format!("{} ({lack})", target.symbols),
        None => target.symbols.clone(),
    }
}

fn state(task: &Task) -> &'static str {
    match (task.state, task.outcome) {
        (_, Some(Outcome::Ok)) => "ended ok",
        (_, Some(Outcome::Error)) => "ended error",
        (_, Some(Outcome::Panic)) => "panicked",
        (_, Some(Outcome::Aborted)) => "aborted",
        (TaskState::Running, None) => "running",
        (TaskState::Scheduled, None) => "scheduled",
        (TaskState::Idle, None) => "idle",
        (TaskState::Unpolled, None) => "unpolled",
        (TaskState::Done, None) => "done",
    }
}

fn time(ns: Option<u64>) -> String {
    ns.map_or_else(|| UNKNOWN.to_owned(), duration)
}

fn first_of<const N: usize>(texts: [String; N]) -> String {
    let mut texts = texts.into_iter().filter(|text| !text.is_empty());
    texts.next().unwrap_or_else(|| UNKNOWN.to_owned())
}

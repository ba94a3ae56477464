//! One line per finding, in asyncio's spirit: what happened, to whom, where it was made.
//!
//! What comes from the program (names, error texts) may hold anything: control characters are written as escapes
//! and long texts are cut, so that a line stays a line.

use std::fmt::Write;

use pollscope_capture::TaskKind;
use pollscope_capture::event::ErrorText;
use pollscope_capture::stack::{Activity, Verdict};

use crate::finding::{Delayed, Finding, ThreadName};

mod notes;

/// Longest text of the program's own in a line, in characters.
const LONGEST: usize = 200;

/// The line of a finding.
pub(crate) fn line(finding: &Finding) -> String {
    use crate::finding::Kind;
    match finding.kind {
        Kind::NeverAwaited => never_awaited(finding),
        Kind::SlowPoll => slow_poll(finding),
        Kind::WorkerBlocked => worker_blocked(finding),
        Kind::LeakedError => leaked_error(finding),
        Kind::LeakedPanic => leaked_panic(finding),
        Kind::WrongThread => wrong_thread(finding),
        Kind::PendingDestroyed
        | Kind::TimerLate
        | Kind::SchedDelay
        | Kind::NestedRuntime
        | Kind::NoRuntime
        | Kind::ResourceLeak
        | Kind::TaskLeak
        | Kind::SlowDrop
        | Kind::CallbackPanic
        | Kind::ShutdownPanic
        | Kind::BlockingPoolFull
        | Kind::LockAcrossAwait
        | Kind::BlockingSocket
        | Kind::SlowLookup => notes::line(finding),
    }
}

fn never_awaited(finding: &Finding) -> String {
    let within = match (finding.task, &finding.observed.thread) {
        (0, Some(thread)) => format!("on {}", thread_text(thread)),
        (0, None) => "outside of any task".to_owned(),
        _ => format!("in {}", task_text(finding, "task")),
    };
    let mut line = format!(
        "future {} was never awaited; created at {}, dropped {within}",
        type_text(&finding.site.type_name),
        finding.site
    );
    if finding.certainty == crate::finding::Certainty::Likely {
        line.push_str(" (it may have lost a race in a select)");
    }
    line
}

fn slow_poll(finding: &Finding) -> String {
    let Some(wall) = finding.wall_ns else {
        return counted_only(finding);
    };
    let threshold = finding
        .threshold_ns
        .filter(|threshold| wall >= *threshold)
        .map_or_else(String::new, |threshold| {
            format!(" (threshold {})", seconds(threshold))
        });
    let task = task_text(finding, word(finding.site.kind));
    let mut line = if finding.live {
        let thread = finding
            .observed
            .thread
            .as_ref()
            .map_or_else(|| "its thread".to_owned(), thread_text);
        format!(
            "{} has been blocking {thread} for at least {}{threshold}",
            capital(&task),
            seconds(wall)
        )
    } else {
        let at_least = if finding.at_least { "at least " } else { "" };
        format!("Polling {task} took {at_least}{}{threshold}", seconds(wall))
    };
    if let Some(verdict) = &finding.verdict {
        line.push_str(&verdict_text(*verdict));
    }
    if let Some(sub) = &finding.sub_future {
        let _ = write!(line, ", in {}", type_text(&sub.type_name));
        if !sub.file.is_empty() {
            let _ = write!(line, " at {}:{}", sub.file, sub.line);
        }
    }
    let _ = write!(line, ", created at {}", finding.site);
    line.push_str(&delayed_text(finding.delayed, finding.live));
    line
}

/// Slow polls that were counted, and no example of which came through.
fn counted_only(finding: &Finding) -> String {
    let task = task_text(finding, word(finding.site.kind));
    let long = finding.threshold_ns.map_or_else(
        || "long".to_owned(),
        |threshold| format!("longer than {}", seconds(threshold)),
    );
    let site = &finding.site;
    format!("Polling {task} took {long}: counted, the example was lost; created at {site}")
}

fn worker_blocked(finding: &Finding) -> String {
    let thread = finding
        .observed
        .thread
        .as_ref()
        .map_or_else(|| "a worker".to_owned(), thread_text);
    let wall = seconds(finding.wall_ns.unwrap_or(0));
    let has_been = if finding.live { "has been" } else { "was" };
    let mut line = format!(
        "{} {has_been} blocked for at least {wall}",
        capital(&thread)
    );
    if let Some(verdict) = &finding.verdict {
        line.push_str(&verdict_text(*verdict));
    }
    line.push_str(" by something that is no task of ours");
    if !finding.site.type_name.is_empty() {
        let _ = write!(line, ", in {}", type_text(&finding.site.type_name));
    }
    if !finding.site.file.is_empty() {
        let _ = write!(line, " at {}", finding.site);
    }
    line.push_str(&delayed_text(finding.delayed, finding.live));
    line
}

fn leaked_error(finding: &Finding) -> String {
    let text = finding
        .error
        .as_ref()
        .map_or_else(|| "Err(..)".to_owned(), error_text);
    let task = capital(&task_text(finding, word(finding.site.kind)));
    format!(
        "{task} returned an error that nobody read: {text}; spawned at {}",
        finding.site
    )
}

fn leaked_panic(finding: &Finding) -> String {
    let task = capital(&task_text(finding, word(finding.site.kind)));
    let mut line = format!("{task} panicked and nobody asked how it ended");
    if let Some(text) = &finding.panic {
        let _ = write!(line, ": {}", clean(text));
    }
    if let Some(at) = &finding.observed.source {
        let _ = write!(line, ", at {at}");
    }
    let _ = write!(line, "; spawned at {}", finding.site);
    line
}

fn wrong_thread(finding: &Finding) -> String {
    let what = finding
        .subject
        .as_deref()
        .map_or_else(|| type_text(&finding.site.type_name), type_text);
    let did = finding.did.unwrap_or("used");
    let owner = finding
        .created
        .thread
        .as_ref()
        .map_or_else(|| "another thread".to_owned(), thread_text);
    let here = finding
        .observed
        .thread
        .as_ref()
        .map_or_else(|| "a thread not its own".to_owned(), thread_text);
    let mut line = format!("{what} belongs to {owner} and was {did} on {here}");
    if let Some(at) = &finding.observed.source {
        let _ = write!(line, " at {at}");
    }
    let _ = write!(line, "; made at {}", finding.site);
    line
}

fn task_text(finding: &Finding, word: &str) -> String {
    match (finding.task, finding.task_name.as_deref()) {
        (0, _) if word.starts_with("the ") => word.to_owned(),
        (0, _) => format!("a {word}"),
        (id, None) => format!("{word} {id}"),
        (id, Some(name)) => format!("{word} {id} \"{}\"", clean(name)),
    }
}

fn word(kind: TaskKind) -> &'static str {
    match kind {
        TaskKind::Blocking => "blocking task",
        TaskKind::BlockOn => "the block_on future",
        TaskKind::Request => "request",
        TaskKind::Task | TaskKind::Local | TaskKind::Foreign => "task",
    }
}

fn thread_text(thread: &ThreadName) -> String {
    match (thread.name.is_empty(), thread.tid) {
        (true, 0) => "a thread".to_owned(),
        (true, tid) => format!("thread {tid}"),
        (false, 0) => format!("thread \"{}\"", clean(&thread.name)),
        (false, tid) => format!("thread \"{}\" ({tid})", clean(&thread.name)),
    }
}

fn verdict_text(verdict: Verdict) -> String {
    match (verdict.activity, verdict.syscall_name()) {
        (Activity::OnCpu, _) => " on the CPU".to_owned(),
        (Activity::Syscall, Some(name)) => format!(" in {name}"),
        (Activity::Syscall, None) => " in a system call".to_owned(),
        (Activity::Lock, _) => " waiting for a lock".to_owned(),
        (Activity::LockStarved, _) => {
            ", but it waited for a lock while a thread that may hold it got no CPU".to_owned()
        }
        (Activity::Stopped, _) => ", but it was stopped meanwhile".to_owned(),
        (Activity::Descheduled, _) => ", but its thread got no CPU".to_owned(),
        (Activity::Throttled, _) => ", but the CPU quota was used up".to_owned(),
    }
}

/// Whom it keeps waiting; once it is over, whom it was last seen to.
fn delayed_text(delayed: Option<Delayed>, live: bool) -> String {
    let Some(Delayed { tasks, max_ns }) = delayed.filter(|delayed| delayed.tasks > 0) else {
        return String::new();
    };
    let wait = seconds(max_ns);
    match (tasks, live) {
        (1, true) => format!("; 1 task waits behind it, for {wait}"),
        (1, false) => format!("; 1 task waited behind it, for {wait}"),
        (_, true) => format!("; {tasks} tasks wait behind it, the longest for {wait}"),
        (_, false) => format!("; {tasks} tasks waited behind it, the longest for {wait}"),
    }
}

fn error_text(error: &ErrorText) -> String {
    match (&error.display, &error.debug) {
        (Some(text), _) | (None, Some(text)) => clean(text),
        (None, None) => format!("an Err of {}", short_type(error.type_name)),
    }
}

/// Nanoseconds as asyncio writes them: seconds with three decimals. What rounds to nothing is written finer.
fn seconds(ns: u64) -> String {
    if ns < 500_000 {
        format!("{:.6} s", ns as f64 / 1e9)
    } else {
        format!("{:.3} s", ns as f64 / 1e9)
    }
}

/// A type's name without what the compiler adds to those of futures.
fn type_text(name: &str) -> String {
    let mut name = name;
    loop {
        let shorter = [
            "::{{closure}}",
            "::{closure#0}",
            "::{async_fn_env#0}",
            "::{async_block_env#0}",
        ]
        .iter()
        .find_map(|added| name.strip_suffix(added));
        match shorter {
            Some(shorter) => name = shorter,
            None => return clean(name),
        }
    }
}

/// A type's name with the last part of each path only.
fn short_type(name: &str) -> String {
    let mut short = String::new();
    let mut path = 0;
    for c in name.chars() {
        if c == ':' && short.ends_with(':') {
            short.truncate(path);
        } else {
            short.push(c);
            if !(c.is_alphanumeric() || c == '_' || c == ':') {
                path = short.len();
            }
        }
    }
    clean(&short)
}

/// As a sentence begins; the path of a type stays what it is.
fn capital(text: &str) -> String {
    if text
        .split(' ')
        .next()
        .is_some_and(|first| first.contains("::"))
    {
        return text.to_owned();
    }
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_ascii_uppercase().to_string() + chars.as_str()
    })
}

/// A text of the program's own, safe to print in a line: cut, and without characters that do more than show.
pub(crate) fn clean(text: &str) -> String {
    let mut cleaned = String::new();
    for (at, c) in text.chars().enumerate() {
        if at == LONGEST {
            cleaned.push('…');
            break;
        }
        // Marks that turn the direction of writing are no control characters, and hide as much.
        let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if c.is_control() || turns {
            cleaned.extend(c.escape_default());
        } else {
            cleaned.push(c);
        }
    }
    cleaned
}

#[cfg(test)]
mod tests;

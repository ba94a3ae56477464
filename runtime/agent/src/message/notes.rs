//! The lines of the rarer kinds.

use std::fmt::Write;

use super::{
    capital, clean, delayed_text, seconds, task_text, thread_text, type_text, verdict_text, word,
};
use crate::finding::{Certainty, Finding, Kind};

pub(super) fn line(finding: &Finding) -> String {
    match finding.kind {
        Kind::PendingDestroyed => pending_destroyed(finding),
        Kind::TimerLate => timer_late(finding),
        Kind::SchedDelay => sched_delay(finding),
        Kind::NestedRuntime | Kind::NoRuntime | Kind::BlockingSocket => misuse(finding),
        Kind::ResourceLeak => resource_leak(finding),
        Kind::TaskLeak => task_leak(finding),
        Kind::SlowDrop => slow_drop(finding),
        Kind::CallbackPanic => panic(finding, "panicked"),
        Kind::ShutdownPanic => panic(finding, "panicked while its runtime shut down"),
        Kind::BlockingPoolFull => blocking_pool_full(finding),
        Kind::LockAcrossAwait => lock_across_await(finding),
        Kind::SlowLookup => slow_lookup(finding),
        // The others have files of their own.
        kind => format!("{kind} at {}", finding.site),
    }
}

fn task(finding: &Finding) -> String {
    task_text(finding, word(finding.site.kind))
}

fn subject(finding: &Finding, unknown: &str) -> String {
    match finding.subject.as_deref() {
        Some(subject) => type_text(subject),
        None => unknown.to_owned(),
    }
}

/// As asyncio: "Task was destroyed but it is pending!"
fn pending_destroyed(finding: &Finding) -> String {
    let mut line = format!(
        "{} was destroyed but it is pending",
        capital(&task(finding))
    );
    line.push_str(match finding.number {
        Some(0) => ": it never ran",
        Some(1) => ": polled once",
        _ => "",
    });
    if let Some(polls @ 2..) = finding.number {
        let _ = write!(line, ": polled {polls} times");
    }
    if let Some(did) = finding.did {
        let _ = write!(line, ", {did}");
    }
    let _ = write!(line, "; spawned at {}", finding.site);
    line
}

fn timer_late(finding: &Finding) -> String {
    let what = finding.subject.as_deref().unwrap_or("timer");
    let mut line = format!(
        "A {} fired {} late",
        clean(what),
        seconds(finding.wall_ns.unwrap_or(0))
    );
    if let Some(threshold) = finding.threshold_ns {
        let _ = write!(line, " (threshold {})", seconds(threshold));
    }
    let _ = write!(line, ", in {}", task(finding));
    if let Some(thread) = &finding.observed.thread {
        let _ = write!(line, " on {}", thread_text(thread));
    }
    let _ = write!(
        line,
        ": something held its worker; made at {}",
        finding.site
    );
    line.push_str(&delayed_text(finding.delayed, false));
    line
}

/// Who waits, and for what: no poll is to blame, but all of them together.
fn sched_delay(finding: &Finding) -> String {
    let waits = if finding.live { "has waited" } else { "waited" };
    let mut line = format!(
        "{} {waits} at least {} for its turn",
        capital(&task(finding)),
        seconds(finding.wall_ns.unwrap_or(0))
    );
    if let Some(threshold) = finding.threshold_ns {
        let _ = write!(line, " (threshold {})", seconds(threshold));
    }
    line.push_str(" behind many short polls");
    let others = finding.number.unwrap_or(1).saturating_sub(1);
    let _ = match (others, finding.live) {
        (0, _) => Ok(()),
        (1, true) => write!(line, ", and 1 other task waits as well"),
        (1, false) => write!(line, ", and 1 other task did as well"),
        (_, true) => write!(line, ", and {others} other tasks wait as well"),
        (_, false) => write!(line, ", and {others} other tasks did as well"),
    };
    let _ = write!(line, "; spawned at {}", finding.site);
    line
}

/// A call that panicked in Tokio's words, which are kept.
fn misuse(finding: &Finding) -> String {
    let unknown = match finding.kind {
        Kind::BlockingSocket => "a blocking socket",
        _ => "a call",
    };
    let mut line = capital(&subject(finding, unknown));
    line.push_str(match finding.kind {
        Kind::NoRuntime => " needs a runtime, and there is none here",
        Kind::BlockingSocket => " was given to a runtime",
        _ => " inside a runtime",
    });
    if let Some(at) = &finding.observed.source {
        let _ = write!(line, ", at {at}");
    }
    if let Some(text) = &finding.panic {
        let _ = write!(line, ": {}", clean(text));
    }
    line
}

fn resource_leak(finding: &Finding) -> String {
    let did = finding.did.unwrap_or("dropped without being closed");
    let what = finding.subject.as_deref().unwrap_or("a resource");
    let mut line = format!("{} was {did}", capital(&type_text(what)));
    if let Some(items) = finding.number {
        let _ = write!(line, ", after {items} of its items");
    }
    let _ = write!(line, "; made at {}", finding.site);
    line
}

fn slow_drop(finding: &Finding) -> String {
    let Some(wall) = finding.wall_ns else {
        return format!(
            "Dropping {} took long: counted, the example was lost; created at {}",
            task(finding),
            finding.site
        );
    };
    let took = match (finding.live, finding.at_least) {
        (true, _) => "has taken at least",
        (false, true) => "took at least",
        (false, false) => "took",
    };
    let mut line = format!("Dropping {} {took} {}", task(finding), seconds(wall));
    if let Some(threshold) = finding.threshold_ns {
        let _ = write!(line, " (threshold {})", seconds(threshold));
    }
    if let Some(verdict) = &finding.verdict {
        line.push_str(&verdict_text(*verdict));
    }
    let _ = write!(line, ", created at {}", finding.site);
    line.push_str(&delayed_text(finding.delayed, finding.live));
    line
}

fn panic(finding: &Finding, did: &str) -> String {
    let who = match finding.kind {
        Kind::CallbackPanic => subject(finding, "a callback"),
        _ => task(finding),
    };
    let mut line = format!("{} {did}", capital(&who));
    if let Some(text) = &finding.panic {
        let _ = write!(line, ": {}", clean(text));
    }
    if let Some(at) = &finding.observed.source {
        let _ = write!(line, ", at {at}");
    }
    let _ = write!(line, "; created at {}", finding.site);
    line
}

fn blocking_pool_full(finding: &Finding) -> String {
    let number = finding.number.unwrap_or(1);
    let (is, wait, waits) = match (finding.live, finding.certainty) {
        (true, Certainty::Definite) => ("is", "wait", "waits"),
        (true, Certainty::Likely) => ("seems to be", "wait", "waits"),
        (false, Certainty::Definite) => ("was", "waited", "waited"),
        (false, Certainty::Likely) => ("seems to have been", "waited", "waited"),
    };
    let mut line = format!("The blocking pool {is} full: ");
    let _ = match number {
        1 => write!(line, "1 closure {waits}"),
        _ => write!(line, "{number} closures {wait}"),
    };
    if let Some(wall) = finding.wall_ns {
        let longest = if number == 1 { "" } else { " the longest" };
        let _ = write!(line, ",{longest} for {}", seconds(wall));
    }
    let _ = write!(line, ", spawned at {}", finding.site);
    line
}

fn task_leak(finding: &Finding) -> String {
    let mut line = format!(
        "{} of {} tasks spawned at {} have outlived ten times what is usual there",
        finding.number.unwrap_or(0),
        finding.of.unwrap_or(0),
        finding.site
    );
    if let Some(limit) = finding.threshold_ns {
        let _ = write!(line, " ({})", seconds(limit));
    }
    let (lives, grow) = if finding.live {
        ("lives", "become")
    } else {
        ("lived", "became")
    };
    if let Some(wall) = finding.wall_ns {
        let _ = write!(line, ", the oldest {lives} for {}", seconds(wall));
    }
    let _ = write!(line, "; they wait, and {grow} more");
    line
}

fn lock_across_await(finding: &Finding) -> String {
    let mut line = format!(
        "{} holds {} across an await",
        capital(&task(finding)),
        subject(finding, "a guard")
    );
    if let Some(at) = &finding.observed.source {
        let _ = write!(line, ", made at {at}");
    }
    let _ = write!(line, "; created at {}", finding.site);
    line
}

/// As asyncio: "Getting address info localhost:80 took 150.000 ms".
fn slow_lookup(finding: &Finding) -> String {
    let mut line = format!(
        "Getting address info {} took ",
        subject(finding, "of a host")
    );
    match finding.wall_ns {
        Some(ns) => _ = write!(line, "{:.1} ms", ns as f64 / 1e6),
        None => line.push_str("long"),
    }
    if let Some(threshold) = finding.threshold_ns {
        let _ = write!(line, " (threshold {})", seconds(threshold));
    }
    let _ = write!(line, ", asked at {}", finding.site);
    line
}

#[cfg(test)]
mod tests;

//! What is told at the very end of a program: errors that wait to be read by a handle that is still held, tasks that
//! never ran, and whether what was found is tolerated.
//!
//! Nothing of it is known before: a handle in a static, or in a task that `exit` cuts short, may be read until then.

use std::time::Instant;

use pollscope_capture::record::{Outcome, Snapshot};
use pollscope_capture::{TaskKind, clock, names, registry, scope};

use crate::config::LogLevel;
use crate::finding::{Certainty, Finding, Kind, Severity, Source};
use crate::state::Agent;
use crate::warnings::{Example, Key, Log};
use crate::{detect, emit, message, policy};

/// Tasks that are told one by one.
const MAX_TOLD: usize = 64;

/// Tells it. Whether the program, which ends with `status` (`None`: not known), is to fail for it.
pub(crate) fn tell(agent: &Agent, deadline: Instant, status: Option<i32>) -> bool {
    let now = clock::mono_ns();
    let mut unread = Vec::new();
    let (mut never_polled, mut unpolled) = (0_u64, None);
    registry::tasks(|_, task| {
        if task.is_unread() && unread.len() < MAX_TOLD {
            unread.push(task);
        } else if !task.is_done() && task.polls() == 0 && is_polled_kind(task.kind) {
            never_polled += 1;
            unpolled = unpolled.or(Some(task.site));
        }
    });
    let Some(mut state) = agent.state_by(deadline) else {
        return false;
    };
    for task in &unread {
        let _ = state.warnings.add(Example {
            key: Key::Site(task.site),
            finding: unread_error(task, now),
            beyond: true,
            excused: false,
            log: Log::Paced,
        });
    }
    let lines = state.warnings.take_lines();
    let deny = agent.settings.deny.clone().unwrap_or_default();
    // Tests were judged one by one.
    let denied = if deny.is_none() || scope::is_used() {
        0
    } else {
        policy::of_process(&state.warnings, &deny).len()
    };
    drop(state);
    emit::findings(lines);
    if let Some(first) = unpolled {
        let site = Source::of_site(first);
        emit::note(
            LogLevel::Info,
            format!(
                "at the end {never_polled} of the tasks had never been polled, one of them spawned at {site}"
            ),
        );
    }
    if denied == 0 {
        return false;
    }
    // One that ends with a code of its own, or by a signal, keeps to it.
    let fails = status.is_none_or(|status| status == 0);
    let so = if fails { ": the exit code is 1" } else { "" };
    let are = if denied == 1 {
        "finding is"
    } else {
        "findings are"
    };
    emit::note(
        LogLevel::Error,
        format!("{denied} {are} denied ({deny}){so}"),
    );
    fails
}

fn is_polled_kind(kind: TaskKind) -> bool {
    matches!(kind, TaskKind::Task | TaskKind::Local)
}

fn unread_error(task: &Snapshot, now: u64) -> Finding {
    let kind = match task.outcome {
        Outcome::Panic => Kind::LeakedPanic,
        _ => Kind::LeakedError,
    };
    let mut finding = Finding::new(kind, Source::of_site(task.site), now);
    finding.severity = Severity::Error;
    finding.certainty = Certainty::Definite;
    finding.task = task.id;
    finding.task_name = names::get(task.name);
    finding.created = detect::made(task.site, task.stack);
    finding.message = message::line(&finding);
    finding
        .message
        .push_str("; its handle was still held at the end");
    finding
}

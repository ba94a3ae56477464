//! Rows of the wire: a task, a site, a thread, with every text cut to its bound.

use std::collections::HashMap;

use pollscope_capture::record::Outcome;
use pollscope_capture::site::Site;
use pollscope_capture::task::{Extras, aborter};
use pollscope_capture::thread::Role;
use pollscope_capture::{Level, TaskKind, clock};
use pollscope_proto::limits::{self, MAX_LABELS, MAX_TEXT_BYTES};
use pollscope_proto::v1;

use super::fields::Task;
use crate::figures::{SiteFigures, Spread, TaskState, ThreadFigures};
use crate::finding::Severity;
use crate::history::SiteSecond;

/// A text as it may travel.
pub(super) fn text(text: &str) -> String {
    limits::cut(text, MAX_TEXT_BYTES).to_owned()
}

pub(super) fn task(task: &Task<'_>) -> v1::TaskRow {
    let known = task.seen;
    v1::TaskRow {
        id: known.id,
        tokio_id: if known.tokio_id == 0 {
            String::new()
        } else {
            known.tokio_id.to_string()
        },
        runtime: known.runtime.into(),
        name: task.name().map(|name| text(name)).unwrap_or_default(),
        site: known.site.0,
        kind: kind(known.kind).into(),
        state: state(task.state()).into(),
        outcome: outcome(known.outcome).into(),
        parent: known.parent,
        created_ns: clock::mono_of(known.created),
        future_bytes: task.site.future_bytes.into(),
        polls: known.polls(),
        wakes: task.wakes(),
        self_wakes: task.self_wakes(),
        busy_ns: task.busy_ns(),
        scheduled_ns: task.scheduled_ns(),
        idle_ns: task.idle_ns(),
        max_poll_ns: task.max_poll_ns(),
        current_poll_ns: task.current_ns(),
        tid: task.poll().map_or(0, |poll| poll.tid),
        span: task
            .extras()
            .map(|extras| text(&extras.span))
            .unwrap_or_default(),
        labels: task.extras().map(labels).unwrap_or_default(),
        warned: severity(task.warned()).into(),
        ended_ns: task.ended().map(clock::mono_of),
        aborted_by: known.is_aborted().then(|| aborted_by(known.id)).flatten(),
        unread: known.is_unread(),
        last_waker_task: known.last_waker,
        last_waker_tid: known.last_waker_tid,
    }
}

fn labels(extras: &Extras) -> HashMap<String, String> {
    let labels = extras.labels.iter().take(MAX_LABELS);
    labels
        .map(|(key, value)| (text(key), text(value)))
        .collect()
}

/// Who aborted the task; the lock is taken for aborted tasks only.
fn aborted_by(id: u64) -> Option<v1::Aborter> {
    let aborter = aborter(id)?;
    Some(v1::Aborter {
        site: aborter.at.map(|at| v1::Site {
            file: text(at.file()),
            line: at.line(),
            column: at.column(),
            ..v1::Site::default()
        }),
        task: aborter.task,
        thread: thread_of(aborter.tid),
    })
}

/// A thread that woke a task. One that has no other part here has the name that the system knows, while it runs.
pub(super) fn waking_thread(tid: u32) -> Option<v1::ThreadRef> {
    let stranger = || {
        let name = std::fs::read_to_string(format!("/proc/self/task/{tid}/comm"));
        v1::ThreadRef {
            tid,
            name: text(name.unwrap_or_default().trim_end()),
        }
    };
    (tid != 0).then(|| thread_of(tid).unwrap_or_else(stranger))
}

/// A thread that still runs, by its id in the system.
fn thread_of(tid: u32) -> Option<v1::ThreadRef> {
    let mut running = pollscope_capture::thread::all();
    let thread = running.find(|thread| tid != 0 && thread.tid() == tid)?;
    Some(v1::ThreadRef {
        tid,
        name: text(&thread.name()),
    })
}

pub(super) fn site(site: &Site) -> v1::Site {
    v1::Site {
        id: site.id.0,
        file: text(site.file),
        line: site.line,
        column: site.column,
        type_name: text(site.type_name),
        kind: kind(site.kind).into(),
        name: text(site.name),
    }
}

/// The row of a spawn site; its history where it is asked for.
pub(super) fn site_figures(
    site: &Site,
    figures: &SiteFigures,
    warned: Option<Severity>,
    history: &[SiteSecond],
) -> v1::SiteRow {
    let spreads = figures.spreads.as_deref();
    v1::SiteRow {
        site: site.id.0,
        live: figures.live,
        live_peak: figures.live_peak,
        live_per_min: figures.live_per_min,
        spawned: figures.spawned,
        ended: figures.all_ended(),
        polls: figures.polls,
        busy_ns: figures.busy_ns,
        future_bytes: site.future_bytes.into(),
        live_bytes: figures.live_bytes,
        poll_ns: spreads.and_then(|spreads| quantiles(&spreads.poll_ns)),
        scheduled_ns: spreads.and_then(|spreads| quantiles(&spreads.scheduled_ns)),
        age_ns: spreads.and_then(|spreads| quantiles(&spreads.age_ns)),
        lifetime_ns: spreads.and_then(|spreads| quantiles(&spreads.lifetime_ns)),
        history_live: history.iter().map(|second| second.live.into()).collect(),
        history_busy_ns: history
            .iter()
            .map(|second| u64::from(second.busy_us) * 1_000)
            .collect(),
        warned: severity(warned).into(),
        outcomes: Some(outcomes(figures)),
        slow_polls: figures.slow_polls,
    }
}

fn outcomes(figures: &SiteFigures) -> v1::Outcomes {
    let ended = |outcome: Outcome| figures.ended[outcome as usize];
    v1::Outcomes {
        ok: ended(Outcome::Ok),
        error: ended(Outcome::Error),
        panic: ended(Outcome::Panic),
        aborted: ended(Outcome::Aborted),
    }
}

/// What is known of a spread; nothing of one without values: quantiles of nothing are not zero.
pub(super) fn quantiles<const N: usize>(spread: &Spread<N>) -> Option<v1::Quantiles> {
    let count = spread.count();
    (count > 0).then(|| v1::Quantiles {
        p50: spread.quantile(0.5),
        p90: spread.quantile(0.9),
        p99: spread.quantile(0.99),
        max: spread.max,
        count,
        buckets: Vec::new(),
    })
}

/// As [`quantiles`], with the counts they are made of.
pub(super) fn histogram<const N: usize>(spread: &Spread<N>) -> Option<v1::Quantiles> {
    quantiles(spread).map(|quantiles| v1::Quantiles {
        buckets: spread.counts(),
        ..quantiles
    })
}

/// The row of a thread; its poll has run for `current_ns`, at least.
pub(super) fn thread(
    thread: &ThreadFigures,
    current_ns: Option<u64>,
    history: &[u16],
) -> v1::ThreadRow {
    v1::ThreadRow {
        tid: thread.tid,
        name: text(&thread.name),
        runtime: thread.runtime.into(),
        role: role(thread.role).to_owned(),
        busy_ratio: thread.busy_ratio,
        current_task: thread.current_task,
        current_poll_ns: current_ns.unwrap_or(0),
        polls: thread.polls,
        history_busy_permille: history
            .iter()
            .map(|permille| u32::from(*permille))
            .collect(),
        now: thread.doing.name().to_owned(),
    }
}

pub(super) const fn role(role: Role) -> &'static str {
    match role {
        Role::Worker => "worker",
        Role::Blocking => "blocking",
        Role::Local => "local",
        Role::Other => "other",
        Role::Ours => "ours",
    }
}

pub(super) const fn kind(kind: TaskKind) -> v1::TaskKind {
    match kind {
        TaskKind::Task => v1::TaskKind::Task,
        TaskKind::Local => v1::TaskKind::Local,
        TaskKind::Blocking => v1::TaskKind::Blocking,
        TaskKind::BlockOn => v1::TaskKind::BlockOn,
        TaskKind::Request => v1::TaskKind::Request,
        TaskKind::Foreign => v1::TaskKind::Foreign,
    }
}

const fn state(state: TaskState) -> v1::TaskState {
    match state {
        TaskState::Running => v1::TaskState::Running,
        TaskState::Scheduled => v1::TaskState::Scheduled,
        TaskState::Idle => v1::TaskState::Idle,
        TaskState::Unpolled => v1::TaskState::Unpolled,
        TaskState::Done => v1::TaskState::Done,
    }
}

const fn outcome(outcome: Outcome) -> v1::Outcome {
    match outcome {
        Outcome::None => v1::Outcome::Unspecified,
        Outcome::Ok => v1::Outcome::Ok,
        Outcome::Error => v1::Outcome::Error,
        Outcome::Panic => v1::Outcome::Panic,
        Outcome::Aborted => v1::Outcome::Aborted,
    }
}

pub(super) const fn severity(severity: Option<Severity>) -> v1::Severity {
    match severity {
        None => v1::Severity::Unspecified,
        Some(Severity::Info) => v1::Severity::Info,
        Some(Severity::Warn) => v1::Severity::Warn,
        Some(Severity::Error) => v1::Severity::Error,
    }
}

pub(super) const fn level(level: Level) -> v1::Level {
    match level {
        Level::Off => v1::Level::Off,
        Level::Quiet => v1::Level::Quiet,
        Level::Debug => v1::Level::Debug,
    }
}

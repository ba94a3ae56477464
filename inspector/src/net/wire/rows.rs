//! Rows of tasks, sites and threads, and the totals of an update.

use std::collections::HashMap;

use pollscope_proto::limits::{HISTORY_SECONDS, MAX_LABELS};
use pollscope_proto::v1;

use super::{distribution, finite, kind, level, outcome, severity, state, text};
use crate::model::{
    Aborter, Dropped, Outcomes, Runtime, SelfCost, Site, SiteRow, Target, Task, Thread, Totals,
};

/// The figures of one update that belong to the whole target.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::net) struct Numbers {
    pub(in crate::net) totals: Totals,
    pub(in crate::net) dropped: Dropped,
    pub(in crate::net) uninstrumented: u64,
    pub(in crate::net) self_cost: SelfCost,
}

pub(in crate::net) fn runtime(runtime: &v1::Runtime) -> Runtime {
    Runtime {
        id: runtime.id,
        name: text(&runtime.name),
        flavor: text(&runtime.flavor),
        workers: runtime.workers,
    }
}

/// Takes the totals of an update, and what they say of the target's settings into `target`.
pub(in crate::net) fn totals(from: &v1::Totals, target: &mut Target) -> Numbers {
    target.level = level(from.level());
    target.level_source = text(&from.level_source);
    target.slow_poll_ns = from.slow_poll_ns;
    target.log_level = text(&from.log_level);
    Numbers {
        totals: Totals {
            tasks: from.tasks,
            running: from.running,
            scheduled: from.scheduled,
            idle: from.idle,
            unpolled: from.unpolled,
            done: from.done,
            blocking: from.blocking,
            spawned: from.spawned,
            ended: from.ended,
            polls: from.polls,
            warnings_info: from.warnings_info,
            warnings_warn: from.warnings_warn,
            warnings_error: from.warnings_error,
        },
        dropped: Dropped {
            events: from.dropped_events,
            warnings: from.dropped_warnings,
            tasks: from.dropped_tasks,
        },
        uninstrumented: from.uninstrumented,
        self_cost: SelfCost {
            cpu_ratio: finite(from.self_cpu_ratio),
            rss_bytes: from.self_bytes,
        },
    }
}

/// A task's row. `now_ns` is the target's clock at the update.
pub(in crate::net) fn task(row: &v1::TaskRow, sites: &HashMap<u32, Site>, now_ns: u64) -> Task {
    let site = sites.get(&row.site).cloned().unwrap_or_default();
    let labels = row.labels.iter().take(MAX_LABELS);
    Task {
        id: row.id,
        tokio_id: text(&row.tokio_id),
        runtime: row.runtime,
        name: text(&row.name),
        type_name: site.type_name.clone(),
        crate_name: site.crate_name().replace('-', "_"),
        kind: kind(row.kind()),
        state: state(row.state()),
        outcome: outcome(row.outcome()),
        site,
        parent: Some(row.parent).filter(|id| *id != 0),
        age_ns: row
            .ended_ns
            .unwrap_or(now_ns)
            .saturating_sub(row.created_ns),
        future_bytes: row.future_bytes,
        polls: row.polls,
        wakes: row.wakes,
        self_wakes: row.self_wakes,
        busy_ns: row.busy_ns,
        scheduled_ns: row.scheduled_ns,
        idle_ns: row.idle_ns,
        max_poll_ns: row.max_poll_ns,
        labels: labels
            .map(|(key, value)| (text(key), text(value)))
            .collect(),
        aborted_by: row.aborted_by.as_ref().map(aborter),
        last_waker_task: Some(row.last_waker_task).filter(|id| *id != 0),
        last_waker_tid: Some(row.last_waker_tid).filter(|tid| *tid != 0),
        unread_ns: row
            .ended_ns
            .filter(|_| row.unread)
            .map(|ended_ns| now_ns.saturating_sub(ended_ns)),
        current_poll_ns: row.current_poll_ns,
        tid: row.tid,
        warned: severity(row.warned()),
        span: text(&row.span),
    }
}

fn aborter(from: &v1::Aborter) -> Aborter {
    Aborter {
        site: from.site.as_ref().map(super::site).unwrap_or_default(),
        task: Some(from.task).filter(|id| *id != 0),
        thread: from.thread.as_ref().map(super::thread_ref),
    }
}

pub(in crate::net) fn site_row(row: v1::SiteRow, sites: &HashMap<u32, Site>) -> SiteRow {
    let site = sites.get(&row.site).cloned();
    let site = site.unwrap_or_else(|| Site {
        id: row.site,
        ..Site::default()
    });
    SiteRow {
        live: row.live,
        live_peak: row.live_peak,
        live_per_min: finite(row.live_per_min),
        spawned: row.spawned,
        ended: row.ended,
        outcomes: row.outcomes.map(outcomes),
        polls: row.polls,
        slow_polls: row.slow_polls,
        busy_ns: row.busy_ns,
        future_bytes: row.future_bytes,
        live_bytes: row.live_bytes,
        warned: severity(row.warned()),
        poll_ns: row.poll_ns.map(distribution),
        scheduled_ns: row.scheduled_ns.map(distribution),
        age_ns: row.age_ns.map(distribution),
        lifetime_ns: row.lifetime_ns.map(distribution),
        history_live: bounded(row.history_live),
        history_busy_ns: bounded(row.history_busy_ns),
        ..SiteRow::of(site)
    }
}

fn outcomes(from: v1::Outcomes) -> Outcomes {
    Outcomes {
        ok: from.ok,
        error: from.error,
        panic: from.panic,
        aborted: from.aborted,
    }
}

pub(in crate::net) fn thread(row: v1::ThreadRow) -> Thread {
    Thread {
        tid: row.tid,
        name: text(&row.name),
        runtime: Some(row.runtime).filter(|id| *id != 0),
        role: text(&row.role),
        busy_ratio: row.busy_ratio.map(finite),
        current_task: Some(row.current_task).filter(|id| *id != 0),
        current_poll_ns: row.current_poll_ns,
        polls: row.polls,
        history_busy_permille: bounded(row.history_busy_permille),
        now: text(&row.now),
    }
}

fn bounded<T>(mut history: Vec<T>) -> Vec<T> {
    let too_many = history.len().saturating_sub(HISTORY_SECONDS);
    history.drain(..too_many);
    history
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_unread_since_its_end_and_only_while_the_target_says_so() {
        let row = v1::TaskRow {
            created_ns: 1_000,
            ended_ns: Some(3_000),
            unread: true,
            ..v1::TaskRow::default()
        };
        let unread_ns = |row: &v1::TaskRow, now| task(row, &HashMap::new(), now).unread_ns;
        assert_eq!(unread_ns(&row, 10_000), Some(7_000));
        assert_eq!(unread_ns(&row, 2_000), Some(0), "a clock read earlier");
        let read = v1::TaskRow {
            unread: false,
            ..row.clone()
        };
        assert_eq!(unread_ns(&read, 10_000), None);
        let without_end = v1::TaskRow {
            ended_ns: None,
            ..row
        };
        assert_eq!(unread_ns(&without_end, 10_000), None);
    }
}

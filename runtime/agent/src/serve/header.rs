//! What an update says beside its rows: totals, runtimes, modules that came since.

use pollscope_capture::runtimes::RuntimeInfo;
use pollscope_capture::{clock, level, stack};
use pollscope_proto::v1;

use super::scan::Counts;
use super::{rows, stacks};
use crate::state::State;

/// Modules named in one message: a program with more plug-ins than this names the rest in the next.
const MODULES_AT_ONCE: usize = 256;

/// What the collector counted, as of its last look.
pub(super) fn totals(update: &mut v1::Update, state: &State) {
    let [info, warn, error] = state.warnings.by_severity();
    let known = &state.totals;
    update.totals = Some(v1::Totals {
        spawned: known.spawned,
        ended: known.ended,
        polls: known.polls,
        level: rows::level(level::level()).into(),
        level_source: level::source().to_string(),
        slow_poll_ns: level::slow_poll_ns(),
        dropped_events: known.dropped_events,
        dropped_warnings: state.warnings.dropped(),
        uninstrumented: known.uninstrumented,
        self_cpu_ratio: state.self_cost.cpu_ratio,
        self_bytes: state.self_cost.bytes,
        warnings_info: info,
        warnings_warn: warn,
        warnings_error: error,
        log_level: crate::emit::level().name().to_owned(),
        dropped_tasks: known.dropped_tasks,
        ..v1::Totals::default()
    });
}

/// What this update's own scan counted.
pub(super) fn counts(update: &mut v1::Update, counts: &Counts) {
    let totals = update.totals.get_or_insert_default();
    totals.tasks = counts.live();
    totals.running = counts.running;
    totals.scheduled = counts.scheduled;
    totals.idle = counts.idle;
    totals.unpolled = counts.unpolled;
    totals.done = counts.done;
    totals.blocking = counts.blocking;
    update.matched = counts.matched;
    update.now_ns = clock::mono_ns();
}

pub(super) fn runtimes(runtimes: &[RuntimeInfo]) -> Vec<v1::Runtime> {
    runtimes
        .iter()
        .map(|runtime| v1::Runtime {
            id: runtime.number.into(),
            name: rows::text(&runtime.name),
            flavor: runtime.flavor.to_owned(),
            workers: runtime.workers,
        })
        .collect()
}

/// Modules after the first `known`, which grows by them.
pub(super) fn new_modules(known: &mut usize) -> Vec<v1::Module> {
    let modules = stack::modules();
    let new = modules.get(*known..).unwrap_or_default();
    let new: Vec<_> = new
        .iter()
        .take(MODULES_AT_ONCE)
        .map(stacks::module)
        .collect();
    *known += new.len();
    new
}

//! Whom a stuck thread keeps waiting: tasks of its runtime that were woken and not polled yet.
//!
//! One scan of all tasks serves a whole round: a hundred workers that hang at once must not cost a hundred scans.

use std::collections::HashMap;

use pollscope_capture::{clock, registry};

use crate::finding::Delayed;

/// A task that waits shorter is on its way, not delayed.
const DELAYED_NS: u64 = 10_000_000;

/// Who waits, by runtime, as of this round.
#[derive(Debug, Default)]
pub(super) struct Waiting(Option<HashMap<u16, Delayed>>);

impl Waiting {
    /// A new round begins.
    pub(super) fn forget(&mut self) {
        self.0 = None;
    }

    /// Who waits in this runtime. Wakes are only seen in debug. Runtimes without a number are many, and nothing is known of
    /// any.
    pub(super) fn of(&mut self, runtime: u16) -> Delayed {
        if runtime == 0 {
            return Delayed::default();
        }
        let by_runtime = self.0.get_or_insert_with(scan);
        by_runtime.get(&runtime).copied().unwrap_or_default()
    }
}

fn scan() -> HashMap<u16, Delayed> {
    let now = clock::ticks();
    let mut by_runtime: HashMap<u16, Delayed> = HashMap::new();
    registry::tasks(|_, task| {
        // 1 stands for a wake from within its own poll, which has no time yet.
        if task.woken <= 1 || task.is_done() || task.is_polled() {
            return;
        }
        let waited = clock::ticks_to_ns(now.saturating_sub(task.woken));
        if waited >= DELAYED_NS {
            let delayed = by_runtime.entry(task.runtime).or_default();
            delayed.tasks += 1;
            delayed.max_ns = delayed.max_ns.max(waited);
        }
    });
    by_runtime
}

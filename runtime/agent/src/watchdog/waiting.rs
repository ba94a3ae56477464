//! Whom a stuck thread keeps waiting: tasks of its runtime that were woken and not polled yet.
//!
//! One scan of all tasks serves a whole round, and the rounds after it where it took long: a hundred workers that hang
//! at once must not cost a hundred scans, nor a busy service with many tasks one in each round.

use std::collections::HashMap;

use pollscope_capture::{clock, registry};

use crate::finding::Delayed;

use super::budget::Budget;

/// A task that waits shorter is on its way, not delayed.
const DELAYED_NS: u64 = 10_000_000;

type ByRuntime = HashMap<u16, Delayed>;

/// Who waits, by runtime, as of the last scan.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    by_runtime: ByRuntime,
    /// It was scanned in this round.
    is_fresh: bool,
    budget: Budget,
}

impl Waiting {
    /// A new round begins.
    pub(super) fn forget(&mut self) {
        self.is_fresh = false;
    }

    /// Who waits in this runtime. Wakes are only seen in debug. Runtimes without a number are many, and nothing is known of
    /// any.
    pub(super) fn of(&mut self, runtime: u16) -> Delayed {
        if runtime == 0 {
            return Delayed::default();
        }
        let by_runtime = self.known(clock::mono_ns, scan);
        by_runtime.get(&runtime).copied().unwrap_or_default()
    }

    fn known(
        &mut self,
        now_ns: impl Fn() -> u64,
        scan: impl FnOnce(u64) -> ByRuntime,
    ) -> &ByRuntime {
        let begun_ns = now_ns();
        if !self.is_fresh && self.budget.is_due(begun_ns) {
            self.by_runtime = scan(begun_ns);
            self.budget.spend(begun_ns, now_ns());
            self.is_fresh = true;
        }
        &self.by_runtime
    }
}

fn scan(now_ns: u64) -> ByRuntime {
    let mut by_runtime = ByRuntime::new();
    registry::tasks(|_, task| {
        // 1 stands for a wake from within its own poll, which has no time yet.
        if task.woken <= 1 || task.is_done() || task.is_polled() {
            return;
        }
        // Not by ticks: those go on while the machine is suspended, and nobody waits for a worker then.
        let waited = now_ns.saturating_sub(clock::mono_of(task.woken));
        if waited >= DELAYED_NS {
            let delayed = by_runtime.entry(task.runtime).or_default();
            delayed.tasks += 1;
            delayed.max_ns = delayed.max_ns.max(waited);
        }
    });
    by_runtime
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    const MS: u64 = 1_000_000;

    /// How many scans there are in ten seconds of rounds of 10 ms, all of which want to know.
    fn scans(cost_ns: u64) -> u64 {
        let (clock, scans) = (Cell::new(MS), Cell::new(0));
        let mut waiting = Waiting::default();
        for round in 1..=1000 {
            clock.set(clock.get().max(round * 10 * MS));
            waiting.forget();
            for _ in 0..64 {
                waiting.known(
                    || clock.get(),
                    |_| {
                        scans.set(scans.get() + 1);
                        clock.set(clock.get() + cost_ns);
                        ByRuntime::new()
                    },
                );
            }
        }
        scans.get()
    }

    #[test]
    fn one_scan_serves_a_round_and_one_that_takes_long_serves_many() {
        assert_eq!(scans(MS / 10), 1000);
        assert_eq!(scans(2 * MS), 200, "of 10 s 0.4");
    }
}

//! Closures of the blocking pools that do not begin: looked for only while one waits.

use std::collections::HashMap;

use pollscope_capture::instrumented::queued;
use pollscope_capture::{TaskKind, clock, names, registry, runtimes, scope, thread};

use crate::detect::blocking_pool::{BlockingPools, Closure, Look};
use crate::state::{Agent, State};

/// So many looks fit into the threshold: what waits is found soon after it.
const LOOKS: u64 = 4;
/// A look reads every task: it may cost a twentieth of the time until the next.
const SHARE: u64 = 20;

/// The blocking pools of all runtimes.
#[derive(Debug, Default)]
pub(super) struct Pools {
    known: BlockingPools,
    looked_ns: u64,
    cost_ns: u64,
}

impl Pools {
    /// Looks, where it is time. Whether it did.
    pub(super) fn see(&mut self, agent: &Agent, now_ns: u64, threshold_ns: u64) -> bool {
        // Where nothing is slow nothing waits for too long: what was told is over.
        let waits = threshold_ns != u64::MAX && queued() > 0;
        if !waits && self.known.is_idle() {
            return false;
        }
        let pause_ns = match threshold_ns {
            u64::MAX => 0,
            _ => (threshold_ns / LOOKS).max(self.cost_ns * SHARE),
        };
        if now_ns.saturating_sub(self.looked_ns) < pause_ns {
            return false;
        }
        let look = Look {
            at_ns: now_ns,
            threshold_ns,
            closures: if waits { closures() } else { Vec::new() },
        };
        let limits: HashMap<u16, u32> = runtimes::all()
            .into_iter()
            .map(|runtime| (runtime.number, runtime.blocking_threads))
            .collect();
        self.looked_ns = now_ns;
        self.cost_ns = clock::mono_ns().saturating_sub(now_ns);
        let mut state = agent.state();
        let State {
            warnings,
            slow_polls,
            ..
        } = &mut *state;
        self.known.look(
            warnings,
            &look,
            |runtime| limits.get(&runtime).copied().unwrap_or(0),
            |from_ns, to_ns| {
                let lost = slow_polls.lost(from_ns, to_ns);
                lost.ns + lost.unwatched_ns
            },
        );
        true
    }
}

/// All closures that have not returned, of pools that are told apart: what waits in one of the runtimes without a number
/// waits for nothing that runs in another.
fn closures() -> Vec<Closure> {
    let here = thread::current();
    let mut closures = Vec::new();
    registry::tasks(|_, task| {
        let is_closure = task.kind == TaskKind::Blocking && task.runtime != 0;
        if !is_closure || task.is_done() || task.polls() > 1 {
            return;
        }
        closures.push(Closure {
            runtime: task.runtime,
            site: task.site,
            task: task.id,
            task_name: names::get(task.name),
            created: task.stack,
            spawned_ns: clock::mono_of(task.created),
            // Its edge may be written a moment later.
            begun_ns: task
                .is_polled()
                .then(|| clock::mono_of(task.edge.max(task.created))),
            belongs: here.map_or_else(Default::default, |here| scope::of(here, task.runtime)),
        });
    });
    closures
}

#[cfg(test)]
mod tests {
    use std::panic::Location;

    use pollscope_capture::instrumented::{Untold, instrument_blocking};
    use pollscope_capture::task::{Asks, Meta};

    use super::*;
    use crate::config::Settings;
    use crate::finding::Kind;

    fn queued_in(runtime: u16) -> (impl FnOnce(), impl Sized) {
        let meta = Meta {
            location: Location::caller(),
            kind: TaskKind::Blocking,
            name: None,
            runtime,
            asks: Asks::Handle,
        };
        let (work, share) = instrument_blocking(|| (), Untold, &meta);
        (move || drop(work()), share)
    }

    #[test]
    fn what_was_told_ends_where_nothing_is_slow_any_more() {
        const MS: u64 = 1_000_000;
        const RUNTIME: u16 = 61_301;
        registry::start();
        let waits = queued_in(RUNTIME);
        let agent = Agent::new(Settings::default());
        let live = || {
            let state = agent.state();
            let mut all = state.warnings.all();
            let found = all.find(|finding| finding.kind == Kind::BlockingPoolFull);
            found.map(|finding| finding.live)
        };
        let mut pools = Pools::default();
        let now_ns = clock::mono_ns();
        assert!(pools.see(&agent, now_ns, 100 * MS));
        assert_eq!(live(), None, "it waits, not for long");
        assert!(pools.see(&agent, now_ns + 5_000 * MS, 100 * MS));
        assert_eq!(live(), Some(true));
        assert!(pools.see(&agent, now_ns + 5_010 * MS, u64::MAX));
        assert_eq!(live(), Some(false));
        assert!(
            !pools.see(&agent, now_ns + 10_000 * MS, u64::MAX),
            "that was all"
        );
        drop(waits);
    }

    #[test]
    fn closures_of_runtimes_without_a_number_are_of_no_pool() {
        registry::start();
        let queued = [0, 61_300].map(queued_in);
        let runtimes: Vec<u16> = closures().iter().map(|closure| closure.runtime).collect();
        assert!(
            runtimes.contains(&61_300) && !runtimes.contains(&0),
            "{runtimes:?}"
        );
        drop(queued);
    }
}

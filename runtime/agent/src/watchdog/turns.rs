//! Tasks that wait for their turn while all workers of their runtime are busy with short polls: looked for only while
//! they are.
//!
//! Whether a worker is busy is seen in every round from two numbers it publishes anyway: parks, and edges of polls.

use std::collections::HashMap;

use pollscope_capture::record::Snapshot;
use pollscope_capture::runtimes::RuntimeInfo;
use pollscope_capture::stack::kept_ns;
use pollscope_capture::thread::{Role, Thread};
use pollscope_capture::{TaskKind, clock, names, registry, runtimes, scope, thread};

use crate::detect::sched_delay::{self, Busy, Look, Run, SchedDelays, Wait};
use crate::state::{Agent, State};

use super::Round;

/// So many looks fit into the time from which on a wait is told.
const LOOKS: u64 = 2;
/// Where nothing is slow any more, what was told is looked at so often, until it is over.
const OFF_NS: u64 = 1_000_000_000;
/// A look reads every task: it may cost a fiftieth of the time until the next.
const SHARE: u64 = 50;
/// A worker that stays where it is for such a part of that time is held by something.
const HELD: u64 = 2;
/// A worker that is busy for such a part of it is worth a sample.
const SAMPLED: u64 = 4;

/// The workers of all runtimes, and who waits for them.
#[derive(Debug, Default)]
pub(super) struct Turns {
    /// By slot of the thread.
    runs: Vec<Option<(&'static Thread, Run)>>,
    /// The longest run of this round.
    longest_ns: u64,
    known: SchedDelays,
    looked_ns: u64,
    cost_ns: u64,
}

impl Turns {
    /// Looks at one thread.
    pub(super) fn see(&mut self, round: &Round<'_>, thread: &'static Thread) {
        let slot = thread.number() as usize;
        // Wakes have no times in quiet.
        let parks = working(thread).filter(|_| !round.quiet && round.threshold_ns != u64::MAX);
        let Some(parks) = parks else {
            if let Some(run) = self.runs.get_mut(slot) {
                *run = None;
            }
            return;
        };
        if self.runs.len() <= slot {
            self.runs.resize_with(slot + 1, || None);
        }
        let limit_ns = sched_delay::limit(round.threshold_ns);
        let (now_ns, seq) = (clock::mono_ns(), thread.seq());
        let (_, run) =
            self.runs[slot].get_or_insert_with(|| (thread, Run::new(parks, seq, now_ns)));
        run.meet(parks, seq, now_ns, limit_ns / HELD);
        let lasts_ns = run.lasts_ns(now_ns);
        self.longest_ns = self.longest_ns.max(lasts_ns);
        if run.sample.is_none() && lasts_ns >= limit_ns / SAMPLED {
            run.sample = thread.handle().map(|handle| handle.sample());
        }
    }

    /// All threads were seen: looks at the tasks, where it is time. Whether it did.
    pub(super) fn look(&mut self, agent: &Agent, now_ns: u64, threshold_ns: u64) -> bool {
        let longest_ns = std::mem::take(&mut self.longest_ns);
        let limit_ns = sched_delay::limit(threshold_ns);
        let some_wait = longest_ns >= limit_ns;
        if !some_wait && self.known.is_idle() {
            return false;
        }
        let pause_ns = match threshold_ns {
            u64::MAX => OFF_NS,
            _ => (limit_ns / LOOKS).max(self.cost_ns * SHARE),
        };
        if now_ns.saturating_sub(self.looked_ns) < pause_ns {
            return false;
        }
        self.looked_ns = now_ns;
        let busy: HashMap<u16, (RuntimeInfo, Busy)> = runtimes::all()
            .into_iter()
            .filter_map(|runtime| Some((runtime.number, (self.busy(&runtime)?, runtime))))
            .map(|(number, (busy, runtime))| (number, (runtime, busy)))
            .collect();
        let waits = waits(&busy);
        let look = Look {
            at_ns: clock::mono_ns(),
            threshold_ns,
            busy: busy.into_iter().map(|(at, (_, busy))| (at, busy)).collect(),
            waits,
        };
        self.cost_ns = look.at_ns.saturating_sub(now_ns);
        let mut state = agent.state();
        let State {
            warnings,
            slow_polls,
            ..
        } = &mut *state;
        self.known.look(warnings, &look, |from_ns, to_ns| {
            let lost = slow_polls.lost(from_ns, to_ns);
            lost.ns + lost.unwatched_ns
        });
        true
    }

    /// Since when all workers of a runtime are busy; `None` where one is not, or cannot be seen.
    fn busy(&self, runtime: &RuntimeInfo) -> Option<Busy> {
        // A thread that blocks on a future beside the workers is none of them.
        let role = match runtime.flavor {
            "multi_thread" => Role::Worker,
            _ => Role::Local,
        };
        let runs: Vec<&(&Thread, Run)> = self
            .runs
            .iter()
            .flatten()
            .filter(|(thread, _)| thread.runtime() == runtime.number && thread.role() == role)
            // The thread may have ended since, or parked just now.
            .filter(|(thread, run)| working(thread) == Some(run.parks()))
            .collect();
        if runs.is_empty() || runs.len() < runtime.workers as usize {
            return None;
        }
        let mut busy = Busy {
            since_ns: 0,
            held_before: false,
            queued_ns: 0,
        };
        for (thread, run) in runs {
            busy.since_ns = busy.since_ns.max(run.since_ns());
            busy.held_before |= run.was_held_before();
            // Where the kernel does not count it, it may be the machine's fault.
            let before = run.sample.as_ref().filter(|sample| sample.slices > 0)?;
            let now = thread.handle()?.sample();
            busy.queued_ns = busy.queued_ns.max(kept_ns(before, &now));
        }
        Some(busy)
    }
}

/// How often a worker parked that is not parked now; `None` of any other thread, and inside a blocking region. Of one that
/// never did nobody told yet.
fn working(thread: &'static Thread) -> Option<u64> {
    let works = matches!(thread.role(), Role::Worker | Role::Local)
        && thread.tid() != 0
        && thread.runtime() != 0
        && !thread.is_paused();
    let parks = thread.parks().unwrap_or(0);
    (works && parks.is_multiple_of(2)).then_some(parks)
}

/// Who waits in the runtimes that are busy.
fn waits(busy: &HashMap<u16, (RuntimeInfo, Busy)>) -> Vec<Wait> {
    let mut waits = Vec::new();
    if busy.is_empty() {
        return waits;
    }
    let here = thread::current();
    registry::tasks(|_, task| {
        let Some((runtime, _)) = busy.get(&task.runtime) else {
            return;
        };
        let Some(since) = waits_since(&task).filter(|_| takes(runtime, task.kind)) else {
            return;
        };
        waits.push(Wait {
            runtime: task.runtime,
            site: task.site,
            task: task.id,
            task_name: names::get(task.name),
            created: task.stack,
            since_ns: clock::mono_of(since),
            belongs: here.map_or_else(Default::default, |here| scope::of(here, task.runtime)),
        });
    });
    waits
}

/// Since when a task waits for its next poll, in ticks: since its wake, or its spawn.
fn waits_since(task: &Snapshot) -> Option<u64> {
    if task.is_done() || task.is_polled() {
        return None;
    }
    match (task.polls(), task.woken) {
        (0, 0) => Some(task.created),
        // 1 stands for a wake from within its own poll, which has no time yet.
        (_, 0 | 1) => None,
        (_, woken) => Some(woken),
    }
}

/// Whether the workers of a runtime take tasks of this kind: a `LocalSet` has a queue of its own, and what is blocked on
/// is polled by whoever called.
fn takes(runtime: &RuntimeInfo, kind: TaskKind) -> bool {
    match kind {
        TaskKind::Task => true,
        TaskKind::Local => runtime.flavor == "local",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use pollscope_capture::scope::Belongs;
    use pollscope_capture::{SiteId, StackId};

    use super::*;
    use crate::config::Settings;
    use crate::finding::Kind;

    #[test]
    fn what_was_told_ends_where_nothing_is_slow_any_more() {
        const MS: u64 = 1_000_000;
        const RUNTIME: u16 = 61_500;
        let agent = Agent::new(Settings::default());
        let live = || {
            let state = agent.state();
            let mut all = state.warnings.all();
            let found = all.find(|finding| finding.kind == Kind::SchedDelay);
            found.map(|finding| finding.live)
        };
        let now_ns = clock::mono_ns();
        let since_ns = now_ns.saturating_sub(8_000 * MS);
        let busy = Busy {
            since_ns,
            held_before: false,
            queued_ns: 0,
        };
        let waits = Wait {
            runtime: RUNTIME,
            site: SiteId::OTHER,
            task: 1,
            task_name: None,
            created: StackId::NONE,
            since_ns,
            belongs: Belongs::default(),
        };
        let look = Look {
            at_ns: since_ns + 3_000 * MS,
            threshold_ns: 100 * MS,
            busy: HashMap::from([(RUNTIME, busy)]),
            waits: vec![waits],
        };
        let mut turns = Turns {
            looked_ns: now_ns,
            ..Turns::default()
        };
        turns
            .known
            .look(&mut agent.state().warnings, &look, |_, _| 0);
        assert_eq!(live(), Some(true));
        assert!(
            !turns.look(&agent, now_ns + 10 * MS, u64::MAX),
            "not every round"
        );
        assert!(turns.look(&agent, now_ns + OFF_NS, u64::MAX));
        assert_eq!(live(), Some(false));
        assert!(turns.known.is_idle());
    }
}

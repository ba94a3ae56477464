//! Tasks that wait long for their turn although no poll is slow: there is more to poll than the workers get done.
//!
//! A task that waits is no proof: a poll may hold its worker (that is told as slow, with whom it delays), the worker
//! may get no CPU, or the runtime may rest. The proof is a run: a time in which no worker of the runtime parked, and
//! each began or ended polls of ours again and again. What waits through such a run waits for many short polls.

mod run;

pub(crate) use run::Run;

use std::collections::HashMap;
use std::sync::Arc;

use pollscope_capture::scope::Belongs;
use pollscope_capture::{SiteId, StackId};

use super::episode::Episode;
use super::made;
use crate::finding::{Certainty, Delayed, Finding, Kind, Severity, Source};
use crate::warnings::Warnings;

/// No threshold of the user's is finer: the watchdog comes by every 10 ms, and must see polls come and go.
const LEAST_NS: u64 = 50_000_000;
/// A time is over when nobody was seen to wait for so long: some looks fall between two rounds of the same tasks.
const OVER_NS: u64 = 1_000_000_000;
/// The share of a run that a worker may wait for a CPU, at most: beyond it the machine is to blame.
const CROWDED: u64 = 4;

/// From how long on a wait is told.
pub(crate) fn limit(threshold_ns: u64) -> u64 {
    threshold_ns.max(LEAST_NS)
}

/// All workers of a runtime, that are busy with short polls.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Busy {
    /// Since when all are, in monotonic nanoseconds, as all times here.
    pub(crate) since_ns: u64,
    /// Before that a worker was held: what waited by then waited for that.
    pub(crate) held_before: bool,
    /// How long a worker waited for a CPU since then, at most.
    pub(crate) queued_ns: u64,
}

/// A task that was woken, or spawned, and not polled since.
#[derive(Clone, Debug)]
pub(crate) struct Wait {
    pub(crate) runtime: u16,
    pub(crate) site: SiteId,
    pub(crate) task: u64,
    pub(crate) task_name: Option<Arc<str>>,
    pub(crate) created: StackId,
    pub(crate) since_ns: u64,
    /// The test it belongs to.
    pub(crate) belongs: Belongs,
}

/// Who waits, at one moment.
#[derive(Debug)]
pub(crate) struct Look {
    pub(crate) at_ns: u64,
    pub(crate) threshold_ns: u64,
    pub(crate) busy: HashMap<u16, Busy>,
    pub(crate) waits: Vec<Wait>,
}

/// What is kept from one look to the next: by runtime, the times that tasks wait for too long.
#[derive(Debug, Default)]
pub(crate) struct SchedDelays(HashMap<u16, Known>);

/// One such time.
#[derive(Debug)]
struct Known {
    episode: Episode,
    /// When somebody was last seen to wait.
    last_ns: u64,
}

impl SchedDelays {
    /// Whether nothing is known that a look at no tasks would end.
    pub(crate) fn is_idle(&self) -> bool {
        self.0.is_empty()
    }

    /// Judges a look. `lost_ns`: for how much of the time between two moments nobody can say what happened.
    pub(crate) fn look(
        &mut self,
        warnings: &mut Warnings,
        look: &Look,
        lost_ns: impl Fn(u64, u64) -> u64,
    ) {
        let mut found: HashMap<u16, Delay<'_>> = HashMap::new();
        for wait in &look.waits {
            let busy = look.busy.get(&wait.runtime);
            let Some(ns) = busy.and_then(|busy| counts(wait, busy, look, &lost_ns)) else {
                continue;
            };
            let longest = Delay {
                longest: wait,
                ns,
                tasks: 0,
            };
            let delay = found.entry(wait.runtime).or_insert(longest);
            delay.tasks += 1;
            if ns > delay.ns {
                (delay.longest, delay.ns) = (wait, ns);
            }
        }
        self.0.retain(|runtime, known| {
            if found.contains_key(runtime) {
                known.last_ns = look.at_ns;
            }
            let lasts = look.at_ns.saturating_sub(known.last_ns) < OVER_NS;
            if !lasts {
                known.episode.end(warnings, look.at_ns);
            }
            lasts
        });
        for (runtime, delay) in found {
            let finding = delay.finding(look);
            if let Some(known) = self.0.get_mut(&runtime) {
                known.episode.renew(warnings, finding);
                continue;
            }
            let known = Known {
                episode: Episode::begin(warnings, finding),
                last_ns: look.at_ns,
            };
            self.0.insert(runtime, known);
        }
    }
}

/// How long a task waited for short polls, where that is long enough to be told.
fn counts(wait: &Wait, busy: &Busy, look: &Look, lost_ns: impl Fn(u64, u64) -> u64) -> Option<u64> {
    if busy.held_before && wait.since_ns < busy.since_ns {
        return None;
    }
    let span_ns = look.at_ns.saturating_sub(busy.since_ns);
    if busy.queued_ns > span_ns / CROWDED {
        return None;
    }
    let from_ns = wait.since_ns.max(busy.since_ns);
    let waited_ns = look.at_ns.saturating_sub(from_ns);
    // Which part of the run the workers got no CPU in is not known: it may be this.
    let not_ours = busy.queued_ns.saturating_add(lost_ns(from_ns, look.at_ns));
    let waited_ns = waited_ns.saturating_sub(not_ours);
    (waited_ns >= limit(look.threshold_ns)).then_some(waited_ns)
}

/// Those who wait in one runtime.
struct Delay<'a> {
    longest: &'a Wait,
    ns: u64,
    tasks: u64,
}

impl Delay<'_> {
    fn finding(&self, look: &Look) -> Finding {
        let wait = self.longest;
        let mut finding = Finding::new(Kind::SchedDelay, Source::of_site(wait.site), look.at_ns);
        finding.severity = Severity::Warn;
        finding.certainty = Certainty::Definite;
        finding.task = wait.task;
        finding.task_name.clone_from(&wait.task_name);
        finding.belongs = wait.belongs;
        finding.created = made(wait.site, wait.created);
        finding.wall_ns = Some(self.ns);
        finding.worst_ns = Some(self.ns);
        finding.at_least = true;
        finding.threshold_ns = Some(look.threshold_ns);
        finding.number = Some(self.tasks);
        finding.delayed = Some(Delayed {
            tasks: self.tasks,
            max_ns: self.ns,
        });
        finding.live = true;
        finding
    }
}

#[cfg(test)]
mod tests;

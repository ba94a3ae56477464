//! Full blocking pools: closures that wait because every thread their pool may have is taken.
//!
//! A closure that waits is no proof: its thread may be slow to start on a machine that is busy. The proof is a look
//! that meets as many closures running as the pool may have threads. The pool has been full since the last of them
//! began; and since no thread rests while there is a closure to take, it stays full for as long as one that waited
//! then waits still.
//!
//! Where that cannot be seen (the limit is not known, or others' closures have the threads) a closure must wait for
//! much longer, with none begun in all that time, and no more is claimed than that it is likely.

use std::collections::HashMap;
use std::sync::Arc;

use pollscope_capture::scope::Belongs;
use pollscope_capture::{SiteId, StackId};

use super::episode::Episode;
use super::made;
use crate::finding::{Certainty, Finding, Kind, Severity, Source};
use crate::warnings::Warnings;

/// No threshold of the user's is finer than the watchdog's round.
const LEAST_NS: u64 = 10_000_000;
/// From how long on a wait tells without proof: no thread takes so long to start.
const UNPROVEN_NS: u64 = 1_000_000_000;

/// A closure that has not returned.
#[derive(Clone, Debug)]
pub(crate) struct Closure {
    pub(crate) runtime: u16,
    pub(crate) site: SiteId,
    pub(crate) task: u64,
    pub(crate) task_name: Option<Arc<str>>,
    pub(crate) created: StackId,
    /// Monotonic nanoseconds, as all times here.
    pub(crate) spawned_ns: u64,
    /// `None`: it waits.
    pub(crate) begun_ns: Option<u64>,
    /// The test it belongs to.
    pub(crate) belongs: Belongs,
}

/// All closures at one moment.
#[derive(Debug)]
pub(crate) struct Look {
    pub(crate) at_ns: u64,
    pub(crate) threshold_ns: u64,
    pub(crate) closures: Vec<Closure>,
}

/// What is kept from one look to the next.
#[derive(Debug, Default)]
pub(crate) struct BlockingPools {
    full: HashMap<u16, Full>,
    /// The times that closures wait for too long, by runtime and site of what waits.
    episodes: HashMap<(u16, SiteId), Episode>,
}

/// A pool that was seen to be full.
#[derive(Clone, Copy, Debug)]
struct Full {
    since_ns: u64,
    looked_ns: u64,
}

/// What is claimed of a pool.
#[derive(Clone, Copy, Debug)]
struct Claim {
    since_ns: u64,
    limit_ns: u64,
    severity: Severity,
    certainty: Certainty,
}

impl BlockingPools {
    /// Whether nothing is known that a look at no closures would end.
    pub(crate) fn is_idle(&self) -> bool {
        self.episodes.is_empty() && self.full.is_empty()
    }

    /// Judges a look. `limit_of`: how many threads the pool of a runtime may have (0: not known); `lost_ns`: for how
    /// much of the time between two moments nobody can say what happened.
    pub(crate) fn look(
        &mut self,
        warnings: &mut Warnings,
        look: &Look,
        limit_of: impl Fn(u16) -> u32,
        lost_ns: impl Fn(u64, u64) -> u64,
    ) {
        let waits = |closure: &&Closure| closure.begun_ns.is_none();
        let mut waiting: HashMap<u16, Vec<&Closure>> = HashMap::new();
        for closure in look.closures.iter().filter(waits) {
            waiting.entry(closure.runtime).or_default().push(closure);
        }
        self.full.retain(|runtime, _| waiting.contains_key(runtime));
        let mut found = HashMap::new();
        for (runtime, waiting) in waiting {
            let claim = self.claim(look, runtime, &waiting, limit_of(runtime));
            let Some(claim) = claim.filter(|_| look.threshold_ns != u64::MAX) else {
                continue;
            };
            for closure in waiting {
                let from_ns = closure.spawned_ns.max(claim.since_ns);
                let waited_ns = look.at_ns.saturating_sub(from_ns);
                let waited_ns = waited_ns.saturating_sub(lost_ns(from_ns, look.at_ns));
                let site: &mut Waiting<'_> =
                    found
                        .entry((runtime, closure.site))
                        .or_insert_with(|| Waiting {
                            claim,
                            longest: closure,
                            ns: waited_ns,
                            number: 0,
                        });
                site.number += 1;
                if waited_ns > site.ns {
                    (site.longest, site.ns) = (closure, waited_ns);
                }
            }
        }
        found.retain(|_, waiting| waiting.ns >= waiting.claim.limit_ns);
        self.episodes.retain(|key, episode| {
            let lasts = found.contains_key(key);
            if !lasts {
                episode.end(warnings, look.at_ns);
            }
            lasts
        });
        for (key, waiting) in found {
            let finding = waiting.finding(look);
            match self.episodes.get_mut(&key) {
                Some(episode) => episode.renew(warnings, finding),
                None => _ = self.episodes.insert(key, Episode::begin(warnings, finding)),
            }
        }
    }

    /// What can be claimed of a runtime's pool in which closures wait.
    fn claim(
        &mut self,
        look: &Look,
        runtime: u16,
        waiting: &[&Closure],
        limit: u32,
    ) -> Option<Claim> {
        let begun = |closure: &Closure| closure.begun_ns.filter(|_| closure.runtime == runtime);
        let running: Vec<u64> = look.closures.iter().filter_map(begun).collect();
        let last_begun_ns = running.iter().copied().max();
        let oldest_ns = waiting.iter().map(|closure| closure.spawned_ns).min()?;
        // One that waited when the pool was full waits still: no thread was free meanwhile.
        let known = self.full.get(&runtime);
        let kept_ns = known
            .filter(|full| oldest_ns <= full.looked_ns)
            .map(|full| full.since_ns);
        let all_taken = limit != 0 && running.len() >= limit as usize;
        let met_ns = last_begun_ns.filter(|_| all_taken);
        let threshold_ns = look.threshold_ns.max(LEAST_NS);
        if let Some(since_ns) = kept_ns.or(met_ns) {
            let looked_ns = look.at_ns;
            let full = Full {
                since_ns,
                looked_ns,
            };
            self.full.insert(runtime, full);
            return Some(Claim {
                since_ns,
                limit_ns: threshold_ns,
                severity: Severity::Warn,
                certainty: Certainty::Definite,
            });
        }
        self.full.remove(&runtime);
        let severity = if limit == 0 && last_begun_ns.is_some() {
            Severity::Warn
        } else {
            Severity::Info
        };
        Some(Claim {
            since_ns: last_begun_ns.unwrap_or(0),
            limit_ns: threshold_ns.max(UNPROVEN_NS),
            severity,
            certainty: Certainty::Likely,
        })
    }
}

/// What waits of one site.
struct Waiting<'a> {
    claim: Claim,
    longest: &'a Closure,
    ns: u64,
    number: u64,
}

impl Waiting<'_> {
    fn finding(&self, look: &Look) -> Finding {
        let closure = self.longest;
        let mut finding = Finding::new(
            Kind::BlockingPoolFull,
            Source::of_site(closure.site),
            look.at_ns,
        );
        finding.severity = self.claim.severity;
        finding.certainty = self.claim.certainty;
        finding.task = closure.task;
        finding.task_name.clone_from(&closure.task_name);
        finding.belongs = closure.belongs;
        finding.created = made(closure.site, closure.created);
        finding.wall_ns = Some(self.ns);
        finding.worst_ns = Some(self.ns);
        finding.at_least = true;
        finding.threshold_ns = Some(look.threshold_ns);
        finding.number = Some(self.number);
        finding.live = true;
        finding
    }
}

#[cfg(test)]
mod tests;

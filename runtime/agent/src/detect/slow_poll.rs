//! Slow polls: what the watchdog sees while one lasts and what the hot path tells at its end become one record.
//!
//! A poll has two witnesses. The watchdog takes stack and verdict while it lasts, and knows its duration to a tick.
//! The hot path (in debug) tells the exact duration at the end. They are put together by [`PollKey`]; an end waits
//! until the watchdog has had a round after it, so that what it saw is here.
//!
//! Not every long poll is a slow one: where the thread was stopped, or got no CPU, the poll did nothing wrong. Such
//! a poll is excused: noted, at most info, never logged. One that used the CPU for as long as the threshold is not.

mod witness;

pub(crate) use witness::{DROP, Finished, LongPoll, PollKey, Sighting};

use std::sync::Arc;

use pollscope_capture::stack::{Activity, Verdict};

use super::gaps::{Gap, Gaps, Lost};
use crate::finding::{Finding, Severity};
use crate::warnings::{Added, Example, Log, Warnings};

/// A poll from here on hurts whatever runs beside it.
const ERROR_NS: u64 = 1_000_000_000;
/// Polls of which an end or more is awaited; past it they are settled with what is known.
const MOST: usize = 4096;
/// How long an end waits for the watchdog's round, at most.
const PATIENCE_NS: u64 = 2_000_000_000;
/// How long a poll that is over waits for its end to be told, at most.
const FORGET_NS: u64 = 3_000_000_000;

/// A poll that was seen while it lasted.
#[derive(Debug)]
struct Seen {
    sighting: Sighting,
    record: Option<u32>,
    excused: bool,
    /// A line said "still": another must say how long it took.
    announced: bool,
    /// When it was seen to be over.
    ended_ns: Option<u64>,
}

/// The polls that last, and the ends that wait.
#[derive(Debug, Default)]
pub(crate) struct SlowPolls {
    seen: Vec<Seen>,
    waiting: Vec<Finished>,
    glimpses: Vec<Glimpse>,
    gaps: Gaps,
}

/// A poll that was over before it was looked at, but not before a first sample of its thread was taken.
#[derive(Debug)]
struct Glimpse {
    key: PollKey,
    /// Where its thread's time went since.
    verdict: Verdict,
    /// For how long its thread was kept from running, since it was looked at first.
    kept_ns: u64,
    at_ns: u64,
}

impl SlowPolls {
    /// Notes a time in which the process, or the watchdog, did not run.
    pub(crate) fn gap(&mut self, gap: Gap) {
        self.gaps.add(gap);
    }

    /// What the time from `from_ns` to `to_ns` lost, as far as is known by now.
    pub(crate) fn lost(&self, from_ns: u64, to_ns: u64) -> Lost {
        self.gaps.lost(from_ns, to_ns)
    }

    /// How long the poll of this task that runs has lasted at least, where the watchdog saw it.
    pub(crate) fn at_least_ns(&self, task: u64, now_ns: u64) -> Option<u64> {
        let lasts = |seen: &&Seen| seen.ended_ns.is_none() && seen.sighting.of.key.task == task;
        let sighting = &self.seen.iter().find(lasts)?.sighting;
        Some(sighting.of.wall_ns + now_ns.saturating_sub(sighting.of.at_ns))
    }

    /// The watchdog sees a poll past the threshold, or sees it again.
    pub(crate) fn sighted(&mut self, warnings: &mut Warnings, new: Sighting) {
        let at = self
            .seen
            .iter()
            .position(|seen| seen.sighting.of.key == new.of.key);
        let excused = new.is_excused();
        let Some(at) = at else {
            let mut seen = Seen {
                sighting: new,
                record: None,
                excused,
                announced: false,
                ended_ns: None,
            };
            let example = Example {
                key: seen.sighting.of.record_key(),
                log: log_of_live(&seen),
                finding: live(&seen),
                beyond: !seen.sighting.will_be_told,
                excused: false,
            };
            seen.note(warnings.add(example));
            if self.seen.len() < MOST {
                self.seen.push(seen);
            }
            return;
        };
        let seen = &mut self.seen[at];
        let was_excused = seen.excused;
        seen.renew(new, excused);
        if was_excused
            && !seen.excused
            && let Some(record) = seen.record
        {
            warnings.promote(record, !seen.sighting.will_be_told);
        }
        if let Some(record) = seen.record {
            let added = warnings.update(record, live(seen), log_of_live(seen));
            seen.note(added);
        }
    }

    /// The watchdog sees that a poll it had seen is over, after at least `wall_ns`, for `kept_ns` of which its thread
    /// was kept from running.
    pub(crate) fn ended(
        &mut self,
        warnings: &mut Warnings,
        key: &PollKey,
        at_ns: u64,
        wall_ns: u64,
        kept_ns: u64,
    ) {
        let Some(at) = self
            .seen
            .iter()
            .position(|seen| seen.sighting.of.key == *key)
        else {
            return;
        };
        let seen = &mut self.seen[at];
        if seen.ended_ns.is_some() {
            return;
        }
        seen.ended_ns = Some(at_ns);
        seen.sighting.of.at_ns = at_ns;
        seen.sighting.of.wall_ns = seen.sighting.of.wall_ns.max(wall_ns);
        seen.sighting.kept_ns = seen.sighting.kept_ns.max(kept_ns);
        if seen.sighting.will_be_told {
            // The exact end is on its way; until then it is shown as over.
            show_over(warnings, seen, Log::No);
        } else {
            let seen = self.seen.swap_remove(at);
            show_over(warnings, &seen, log_of_end(&seen));
        }
    }

    /// The watchdog took a sample of a poll's thread, and at `at_ns` the poll was over: what it did in between, and for
    /// how long it was kept from running.
    pub(crate) fn glimpsed(&mut self, key: PollKey, verdict: Verdict, kept_ns: u64, at_ns: u64) {
        if self.glimpses.len() < MOST {
            self.glimpses.push(Glimpse {
                key,
                verdict,
                kept_ns,
                at_ns,
            });
        }
    }

    /// The hot path told an end.
    pub(crate) fn finished(&mut self, warnings: &mut Warnings, end: Finished) {
        if self.waiting.len() >= MOST {
            self.conclude(warnings, &end);
        } else {
            self.waiting.push(end);
        }
    }

    /// Whether there are ends to be settled.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Settles the ends that the watchdog has had a round after (it began its last whole one at `watched_ns`), or
    /// all of them.
    pub(crate) fn settle(
        &mut self,
        warnings: &mut Warnings,
        now_ns: u64,
        watched_ns: u64,
        all: bool,
    ) {
        for end in std::mem::take(&mut self.waiting) {
            if all
                || watched_ns >= end.of.at_ns
                || now_ns.saturating_sub(end.of.at_ns) >= PATIENCE_NS
            {
                self.conclude(warnings, &end);
            } else {
                self.waiting.push(end);
            }
        }
        // A long poll's end is told soon, and a short one's never.
        self.glimpses
            .retain(|glimpse| now_ns.saturating_sub(glimpse.at_ns) < FORGET_NS);
        // An end that was never told: its ring was full, or the poll unwound.
        let forgotten = |seen: &Seen| {
            seen.ended_ns
                .is_some_and(|ended| now_ns.saturating_sub(ended) >= FORGET_NS)
        };
        for at in (0..self.seen.len()).rev() {
            if forgotten(&self.seen[at]) {
                let seen = self.seen.swap_remove(at);
                show_over(warnings, &seen, log_of_end(&seen));
            }
        }
    }

    fn conclude(&mut self, warnings: &mut Warnings, end: &Finished) {
        let seen = self
            .seen
            .iter()
            .position(|seen| seen.sighting.of.key == end.of.key)
            .map(|at| self.seen.swap_remove(at));
        let counted_real = end.of.wall_ns >= end.of.threshold_ns;
        let glimpse = self
            .glimpses
            .iter()
            .find(|glimpse| glimpse.key == end.of.key)
            .map(|glimpse| glimpse.judged(&end.of));
        let lost = self
            .gaps
            .lost(end.of.at_ns.saturating_sub(end.of.wall_ns), end.of.at_ns);
        let excused = counted_real
            && match &seen {
                _ if end.permitted => true,
                Some(seen) => seen.is_excused_after(&end.of),
                // Nobody looked at it, but where its time went is known.
                None if glimpse.is_some_and(|verdict| witness::excuses(verdict.activity)) => true,
                // Nobody saw it: was nobody able to, or did it not take that long?
                // Where the watchdog got no CPU others may have had none: only what is left is the poll's.
                None => {
                    let lost_ns = lost.ns.saturating_add(lost.unwatched_ns);
                    end.of.wall_ns.saturating_sub(lost_ns) < end.of.threshold_ns
                        || lost.unwatched_ns >= end.of.wall_ns / 2
                        || self.gaps.hid_the_end(&end.of)
                }
            };
        let mut finding = end.of.finding();
        finding.sub_future.clone_from(&end.sub);
        finding.severity = if counted_real && !excused {
            severity(end.of.wall_ns)
        } else {
            Severity::Info
        };
        if let Some(seen) = &seen {
            finding.first_ns = seen.sighting.of.at_ns.min(end.of.at_ns);
            finding.observed.stack = Arc::clone(&seen.sighting.stack);
            finding.observed.truncated = seen.sighting.truncated;
            finding.verdict = seen.sighting.verdict;
            let cpu = end.cpu_ns.zip(seen.sighting.cpu_before_ns);
            let cpu_ns = cpu.map(|(now, before)| now.saturating_sub(before));
            finding.cpu_ns = cpu_ns.or(seen.sighting.cpu_ns);
            finding.delayed = seen.sighting.delayed;
        } else if excused {
            let lost = lost.why.map(|activity| Verdict {
                activity,
                syscall: None,
            });
            // What held every thread of the process is known; of one thread the glimpse knows more.
            let held_all = matches!(lost, Some(lost) if lost.activity != Activity::Descheduled);
            finding.verdict = if held_all { lost } else { glimpse.or(lost) };
        }
        finding.message = crate::message::line(&finding);
        if let Some((seen, record)) = seen.as_ref().and_then(|seen| Some((seen, seen.record?))) {
            if excused {
                warnings.excuse(record);
            }
            warnings.update(record, finding, log_of_end(seen));
        } else {
            warnings.add(Example {
                key: end.of.record_key(),
                finding,
                beyond: false,
                excused,
                log: Log::Paced,
            });
        }
    }

    /// Bytes, about.
    pub(crate) fn bytes(&self) -> u64 {
        (self.seen.capacity() * size_of::<Seen>()
            + self.waiting.capacity() * size_of::<Finished>()
            + self.glimpses.capacity() * size_of::<Glimpse>()) as u64
    }
}

impl Glimpse {
    /// What it says of the poll that it was of.
    fn judged(&self, of: &LongPoll) -> Verdict {
        if witness::was_kept(of, self.kept_ns) && !witness::excuses(self.verdict.activity) {
            return Verdict {
                activity: Activity::Descheduled,
                syscall: None,
            };
        }
        self.verdict
    }
}

impl Seen {
    /// Whether it is excused now that it is over. One that was spared, because too little of its time was its own by then,
    /// may have had more since.
    fn is_excused_after(&self, of: &LongPoll) -> bool {
        let kept_ns = self.sighting.kept_ns;
        self.excused && (!self.sighting.spared || witness::was_kept(of, kept_ns))
    }

    /// Takes over what is newer, and keeps what was not looked at again.
    fn renew(&mut self, new: Sighting, excused: bool) {
        // A poll within it had the thread for a while: it was not over.
        self.ended_ns = None;
        let looked = new.verdict.is_some();
        let old = std::mem::replace(&mut self.sighting, new);
        let new = &mut self.sighting;
        if new.stack.is_empty() {
            (new.stack, new.truncated) = (old.stack, old.truncated);
        }
        // What was once seen to hold the thread outweighs that it later got no CPU.
        new.kept_ns = new.kept_ns.max(old.kept_ns);
        if !looked || (excused && !self.excused) {
            (new.verdict, new.spared) = (old.verdict, old.spared);
        } else if looked {
            self.excused = excused;
        }
        new.delayed = new.delayed.or(old.delayed);
        new.cpu_ns = new.cpu_ns.or(old.cpu_ns);
    }

    fn note(&mut self, added: Option<Added>) {
        let Some(added) = added else { return };
        self.record = Some(added.id);
        self.announced |= added.logged;
    }
}

/// A live poll is logged once it is an error; before that its end will say it all.
fn log_of_live(seen: &Seen) -> Log {
    let late = seen.sighting.of.wall_ns >= ERROR_NS && !seen.excused && !seen.announced;
    if late { Log::Paced } else { Log::No }
}

fn log_of_end(seen: &Seen) -> Log {
    if seen.announced {
        Log::Always
    } else {
        Log::Paced
    }
}

fn severity(wall_ns: u64) -> Severity {
    if wall_ns >= ERROR_NS {
        Severity::Error
    } else {
        Severity::Warn
    }
}

/// The record's state while the poll lasts.
fn live(seen: &Seen) -> Finding {
    let sighting = &seen.sighting;
    let mut finding = sighting.of.finding();
    finding.live = seen.ended_ns.is_none();
    finding.severity = if seen.excused {
        Severity::Info
    } else {
        severity(sighting.of.wall_ns)
    };
    finding.observed.stack = Arc::clone(&sighting.stack);
    finding.observed.truncated = sighting.truncated;
    finding.verdict = sighting.verdict;
    finding.at_least = true;
    finding.cpu_ns = sighting.cpu_ns;
    finding.delayed = sighting.delayed;
    finding.message = crate::message::line(&finding);
    finding
}

/// The record's state once the poll is over and only the watchdog's word is there.
fn show_over(warnings: &mut Warnings, seen: &Seen, log: Log) {
    if let Some(record) = seen.record {
        warnings.update(record, live(seen), log);
    }
}

#[cfg(test)]
mod tests;

//! What the watchdog keeps of the poll that runs on one thread, and when it is time to look at it.

use std::sync::Arc;

use pollscope_capture::clock;
use pollscope_capture::stack::{self, Sample};

use super::slow_poll::PollKey;
use super::starved::Census;

/// Shorter polls are not looked at while they last, whatever the threshold: the watchdog comes by every 10 ms.
const LEAST_NS: u64 = 10_000_000;
/// In quiet the watchdog comes by once a second: a poll is stuck that it meets twice.
const QUIET_NS: u64 = 1_000_000_000;
/// From when on its thread's scheduler state is worth a first look, and when that comes late: the watchdog was to come by
/// twice before.
const EARLY_NS: u64 = 5_000_000;
const LATE_NS: u64 = 25_000_000;
/// How often the duration of a poll that is known to be stuck is renewed.
const RENEW_NS: u64 = 1_000_000_000;
/// How often a stack that could not be taken is tried again, and when.
const RETRIES: u32 = 3;
const RETRY_NS: u64 = 10_000_000;

/// One poll that runs.
#[derive(Debug)]
pub(crate) struct PollWatch {
    pub(crate) key: PollKey,
    /// Blocking regions of its thread when it was last seen; `None`: not met yet.
    pauses: Option<u64>,
    /// Ticks of its start, 0 in quiet; later after a blocking region within it.
    start: u64,
    /// When it was first seen, in monotonic nanoseconds.
    first_ns: u64,
    /// When it was last seen.
    pub(crate) last_ns: u64,
    /// CPU time of its thread when it was first seen.
    pub(crate) cpu_ns: Option<u64>,
    /// The first look at its thread's scheduler state, and how long the poll had lasted by then.
    early: Option<(Sample, u64)>,
    /// The last look at it.
    pub(crate) sample: Option<Sample>,
    /// What the other threads did when that was taken first, where it may come to wait for one of them.
    pub(crate) others: Option<Arc<Census>>,
    /// Time in which the process did not run, since it was first seen.
    lost_ns: u64,
    /// It was reported: its end must be.
    pub(crate) reported: bool,
    retries: u32,
    look_at_ns: u64,
    renew_at_ns: u64,
}

/// What is to be done about a poll now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    Nothing,
    /// A first look at the scheduler state, to judge by the next.
    Sample,
    /// A whole look: stack, verdict, whom it delays.
    Look,
    /// Only how long it takes.
    Renew,
}

impl PollWatch {
    pub(crate) fn new(key: PollKey, now_ns: u64, cpu_ns: Option<u64>) -> Self {
        Self {
            key,
            pauses: None,
            start: 0,
            first_ns: now_ns,
            last_ns: now_ns,
            cpu_ns,
            early: None,
            sample: None,
            others: None,
            lost_ns: 0,
            reported: false,
            retries: 0,
            look_at_ns: 0,
            renew_at_ns: u64::MAX,
        }
    }

    /// A round meets it, after so many blocking regions of its thread, running since `start` ticks.
    pub(crate) fn met(&mut self, pauses: u64, start: u64, now_ns: u64) {
        // A poll that is timed knows how long it was in them. Of another only the time since is its own.
        let paused = self
            .pauses
            .replace(pauses)
            .is_some_and(|known| known != pauses);
        if paused && start == 0 {
            self.first_ns = now_ns;
        }
        (self.start, self.last_ns) = (start, now_ns);
    }

    /// How long the poll has taken at least, without what the process lost.
    pub(crate) fn elapsed(&self, now_ns: u64) -> u64 {
        let since = if self.start == 0 {
            self.first_ns
        } else {
            clock::mono_of(self.start)
        };
        now_ns.saturating_sub(since).saturating_sub(self.lost_ns)
    }

    /// The process did not run for so long.
    pub(crate) fn lose(&mut self, ns: u64) {
        self.lost_ns = self.lost_ns.saturating_add(ns);
    }

    /// From when on the poll is stuck.
    fn limit(threshold_ns: u64, quiet: bool) -> u64 {
        threshold_ns.max(if quiet { QUIET_NS } else { LEAST_NS })
    }

    /// What is to be done after `elapsed` nanoseconds.
    pub(crate) fn due(&self, elapsed: u64, threshold_ns: u64, quiet: bool) -> Due {
        if threshold_ns == u64::MAX {
            return Due::Nothing;
        }
        let limit = Self::limit(threshold_ns, quiet);
        if self.reported {
            return if elapsed >= self.look_at_ns {
                Due::Look
            } else if elapsed >= self.renew_at_ns {
                Due::Renew
            } else {
                Due::Nothing
            };
        }
        // Two looks make a verdict: a poll that nobody watched so far gets its first now.
        if self.sample.is_none() && (quiet || elapsed >= limit / 2) {
            Due::Sample
        } else if elapsed >= limit {
            Due::Look
        } else {
            Due::Nothing
        }
    }

    /// Whether a first look is due: most polls are over before it is, and cost none.
    pub(crate) fn wants_early(&self, elapsed: u64) -> bool {
        self.early.is_none() && elapsed >= EARLY_NS
    }

    /// Takes the first look.
    pub(crate) fn looked_early(&mut self, sample: Sample, elapsed: u64) {
        self.early = Some((sample, elapsed));
    }

    /// For how long its thread was kept from running until `now`, as far as is known. Of what lies before the first look
    /// nothing is, where that came late: whoever should have taken it got no CPU either.
    pub(crate) fn kept_ns(&self, now: &Sample) -> u64 {
        let Some((early, before_ns)) = &self.early else {
            return 0;
        };
        let unwatched_ns = if *before_ns >= LATE_NS { *before_ns } else { 0 };
        stack::kept_ns(early, now).saturating_add(unwatched_ns)
    }

    /// The look that a poll is judged by which was over before the next.
    pub(crate) fn only_look(&self) -> Option<Sample> {
        self.sample.or(self.early.map(|(sample, _)| sample))
    }

    /// In how many nanoseconds something is to be done about it, if it lasts.
    pub(crate) fn due_in(&self, elapsed: u64, threshold_ns: u64, quiet: bool) -> u64 {
        let limit = Self::limit(threshold_ns, quiet);
        let at = if threshold_ns == u64::MAX {
            return u64::MAX;
        } else if self.reported {
            self.look_at_ns.min(self.renew_at_ns)
        } else if self.sample.is_none() {
            limit / 2
        } else {
            limit
        };
        at.saturating_sub(elapsed)
    }

    /// It was looked at; says when to look again. `whole`: with a stack, and a verdict out of two samples.
    pub(crate) fn looked(
        &mut self,
        elapsed: u64,
        threshold_ns: u64,
        quiet: bool,
        whole: bool,
        excused: bool,
    ) {
        self.reported = true;
        self.renew_at_ns = elapsed.saturating_add(RENEW_NS);
        self.look_at_ns = if !whole && self.retries < RETRIES {
            self.retries += 1;
            elapsed.saturating_add(RETRY_NS)
        } else if excused {
            // It may turn out to be real: CPU time adds up.
            elapsed.saturating_add(Self::limit(threshold_ns, quiet))
        } else {
            elapsed.saturating_mul(2)
        };
    }

    /// Its duration was renewed.
    pub(crate) fn renewed(&mut self, elapsed: u64) {
        self.renew_at_ns = elapsed.saturating_add(RENEW_NS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn watch() -> PollWatch {
        PollWatch::new(PollKey { task: 7, poll: 1 }, 1000 * MS, None)
    }

    #[test]
    fn an_untimed_poll_begins_anew_after_a_blocking_region() {
        let mut watch = watch();
        watch.met(5, 0, 1000 * MS);
        watch.met(5, 0, 2000 * MS);
        assert_eq!(watch.elapsed(2000 * MS), 1000 * MS);
        watch.met(6, 0, 3000 * MS);
        assert_eq!(watch.elapsed(3500 * MS), 500 * MS);
    }

    /// Edge case 36: `>=`, by an injected clock.
    #[test]
    fn it_is_sampled_half_way_and_looked_at_from_the_threshold_on() {
        let mut watch = watch();
        let due = |watch: &PollWatch, ms: u64| {
            watch.due(watch.elapsed((1000 + ms) * MS), 100 * MS, false)
        };
        assert_eq!(due(&watch, 49), Due::Nothing);
        assert_eq!(due(&watch, 50), Due::Sample);
        watch.sample = Some(Sample::default());
        assert_eq!(
            watch.due(100 * MS - 1, 100 * MS, false),
            Due::Nothing,
            "just under"
        );
        assert_eq!(due(&watch, 100), Due::Look, "exactly at it");
        watch.looked(100 * MS, 100 * MS, false, true, false);
        assert_eq!(due(&watch, 199), Due::Nothing);
        assert_eq!(due(&watch, 200), Due::Look);
        watch.looked(6400 * MS, 100 * MS, false, true, false);
        assert_eq!(due(&watch, 7399), Due::Nothing);
        assert_eq!(due(&watch, 7400), Due::Renew);
        assert_eq!(due(&watch, 12_800), Due::Look);
    }

    #[test]
    fn the_watchdog_need_not_come_by_before_it_is_due_nor_much_later() {
        let mut watch = watch();
        assert_eq!(watch.due_in(3 * MS, 100 * MS, false), 47 * MS);
        watch.sample = Some(Sample::default());
        assert_eq!(watch.due_in(50 * MS, 100 * MS, false), 50 * MS);
        assert_eq!(watch.due_in(101 * MS, 100 * MS, false), 0);
        watch.looked(101 * MS, 100 * MS, false, true, false);
        assert_eq!(watch.due_in(102 * MS, 100 * MS, false), 100 * MS);
        assert_eq!(watch.due_in(0, u64::MAX, false), u64::MAX);
    }

    #[test]
    fn in_quiet_it_must_be_met_twice_a_second_apart() {
        let mut watch = watch();
        assert_eq!(watch.due(0, 100 * MS, true), Due::Sample);
        watch.sample = Some(Sample::default());
        assert_eq!(watch.due(999 * MS, 100 * MS, true), Due::Nothing);
        assert_eq!(watch.due(1000 * MS, 100 * MS, true), Due::Look);
        assert_eq!(
            watch.due(1000 * MS, 5000 * MS, true),
            Due::Nothing,
            "the threshold holds in quiet, too"
        );
    }

    #[test]
    fn one_that_nobody_watched_so_far_is_looked_at_twice_before_it_is_judged() {
        let mut watch = watch();
        assert_eq!(watch.due(470 * MS, 100 * MS, false), Due::Sample);
        watch.sample = Some(Sample::default());
        assert_eq!(watch.due(480 * MS, 100 * MS, false), Due::Look);
    }

    /// Edge case 37: what holds is the threshold as it is now.
    #[test]
    fn a_threshold_that_changes_holds_for_the_poll_that_runs() {
        let mut watch = watch();
        watch.sample = Some(Sample::default());
        assert_eq!(watch.due(60 * MS, 100 * MS, false), Due::Nothing);
        assert_eq!(watch.due(70 * MS, 50 * MS, false), Due::Look);
        assert_eq!(watch.due(110 * MS, 200 * MS, false), Due::Nothing);
        assert_eq!(watch.due(210 * MS, u64::MAX, false), Due::Nothing);
    }

    #[test]
    fn what_its_thread_was_kept_counts_from_the_first_look_and_before_it_where_that_was_late() {
        let sample = |at_ms: u64, delay_ms: u64| Sample {
            at_ns: at_ms * MS,
            delay_ns: delay_ms * MS,
            slices: 1 + at_ms,
            ..Sample::default()
        };
        let kept = |first_ms: u64| {
            let mut watch = watch();
            assert!(!watch.wants_early(5 * MS - 1) && watch.wants_early(5 * MS));
            assert_eq!(watch.kept_ns(&sample(120, 30)), 0, "nobody looked");
            watch.looked_early(sample(first_ms, 10), first_ms * MS);
            assert!(!watch.wants_early(60 * MS));
            watch.kept_ns(&sample(120, 30))
        };
        assert_eq!(kept(12), 20 * MS);
        assert_eq!(kept(40), 60 * MS);
    }

    #[test]
    fn no_threshold_means_nothing_is_looked_at() {
        let mut watch = watch();
        assert_eq!(watch.due(u64::MAX, u64::MAX, false), Due::Nothing);
        assert_eq!(watch.due(9 * MS, 0, false), Due::Sample);
        watch.sample = Some(Sample::default());
        assert_eq!(watch.due(9 * MS, 0, false), Due::Nothing);
        assert_eq!(watch.due(10 * MS, 0, false), Due::Look);
    }

    /// Edge cases 34 and 47: a process that was stopped, by a signal or a debugger.
    #[test]
    fn what_the_process_lost_is_not_the_polls() {
        let mut watch = watch();
        watch.lose(250 * MS);
        assert_eq!(watch.elapsed(1300 * MS), 50 * MS);
    }

    #[test]
    fn a_stack_that_could_not_be_taken_is_tried_again_but_not_for_ever() {
        let mut watch = watch();
        for round in 0..u64::from(RETRIES) {
            let ms = 100 + 10 * round;
            watch.looked(ms * MS, 100 * MS, false, false, false);
            assert_eq!(watch.due((ms + 9) * MS, 100 * MS, false), Due::Nothing);
            assert_eq!(watch.due((ms + 10) * MS, 100 * MS, false), Due::Look);
        }
        watch.looked(130 * MS, 100 * MS, false, false, false);
        assert_eq!(watch.due(140 * MS, 100 * MS, false), Due::Nothing);
    }
}

//! What the watchdog keeps of a worker that runs nothing of ours, and when that is worth a word.
//!
//! Only one thing is claimed: a worker that did not park and slept in the kernel, without a break, for as long as
//! the threshold is held by something. Nothing is claimed of one that runs.

use pollscope_capture::stack::{Sample, State, Wait};

/// In quiet the watchdog comes by once a second.
const QUIET_NS: u64 = 1_000_000_000;
/// As for polls: the watchdog comes by every 10 ms.
const LEAST_NS: u64 = 10_000_000;

/// Where a worker stands: as long as this does not change it neither parked nor polled one of our tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) parks: u64,
    pub(crate) seq: u64,
}

/// One worker that stands somewhere outside of our tasks.
#[derive(Debug)]
pub(crate) struct WorkerWatch {
    pub(crate) standing: Standing,
    /// The first look since which it has slept without a break.
    since: Option<Sample>,
    /// It was reported: its end must be.
    pub(crate) reported: bool,
}

/// What is to be done about a worker now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Nothing,
    /// It has slept for so long, in nanoseconds, since that look.
    Report(u64),
}

impl WorkerWatch {
    pub(crate) fn new(standing: Standing) -> Self {
        Self {
            standing,
            since: None,
            reported: false,
        }
    }

    /// Whether a new look is of use now.
    pub(crate) fn wants_look(&self, now_ns: u64, threshold_ns: u64, quiet: bool) -> bool {
        match &self.since {
            _ if threshold_ns == u64::MAX || self.reported => false,
            None => true,
            // Between the two looks nothing could be learnt.
            Some(since) => now_ns.saturating_sub(since.at_ns) >= limit(threshold_ns, quiet),
        }
    }

    /// Takes a look into account.
    pub(crate) fn look(&mut self, now: Sample, threshold_ns: u64, quiet: bool) -> Act {
        let Some(since) = &self.since else {
            self.since = Some(now);
            return Act::Nothing;
        };
        if !slept_throughout(since, &now) {
            self.since = Some(now);
            return Act::Nothing;
        }
        let slept = now.at_ns.saturating_sub(since.at_ns);
        if slept < limit(threshold_ns, quiet) {
            return Act::Nothing;
        }
        self.reported = true;
        Act::Report(slept)
    }

    /// How long it has slept by this look, at least, where it is still the sleep that was reported. `None` once it was
    /// given a CPU: a worker that sleeps again and again, with no park between, is held as often, and not once for
    /// long.
    pub(crate) fn lasts(&self, now: &Sample) -> Option<u64> {
        let since = self.since.as_ref()?;
        slept_throughout(since, now).then(|| now.at_ns.saturating_sub(since.at_ns))
    }

    /// The look since which it has slept.
    pub(crate) fn since(&self) -> Option<&Sample> {
        self.since.as_ref()
    }

    /// The process did not run: what was seen before says nothing any more.
    pub(crate) fn lose(&mut self) {
        if !self.reported {
            self.since = None;
        }
    }
}

fn limit(threshold_ns: u64, quiet: bool) -> u64 {
    threshold_ns.max(if quiet { QUIET_NS } else { LEAST_NS })
}

/// Both looks met it in the same wait, and it was not given a CPU between.
fn slept_throughout(before: &Sample, after: &Sample) -> bool {
    let asleep = |sample: &Sample| matches!(sample.state, State::Sleeping | State::Uninterruptible);
    asleep(before)
        && asleep(after)
        && before.slices == after.slices
        && before.run_ns == after.run_ns
        && before.wait == after.wait
        && matches!(after.wait, Wait::Syscall { .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn asleep(at_ms: u64, slices: u64) -> Sample {
        Sample {
            at_ns: at_ms * MS,
            state: State::Sleeping,
            wait: Wait::Syscall {
                nr: 35,
                args: [7; 6],
            },
            run_ns: 5,
            slices,
            ..Sample::default()
        }
    }

    fn watch() -> WorkerWatch {
        WorkerWatch::new(Standing { parks: 2, seq: 4 })
    }

    #[test]
    fn a_worker_that_slept_throughout_is_reported_once() {
        let mut watch = watch();
        assert!(watch.wants_look(0, 100 * MS, false));
        assert_eq!(watch.look(asleep(0, 3), 100 * MS, false), Act::Nothing);
        assert!(!watch.wants_look(99 * MS, 100 * MS, false));
        assert!(watch.wants_look(100 * MS, 100 * MS, false));
        assert_eq!(
            watch.look(asleep(100, 3), 100 * MS, false),
            Act::Report(100 * MS)
        );
        assert!(!watch.wants_look(500 * MS, 100 * MS, false));
        assert_eq!(watch.lasts(&asleep(500, 3)), Some(500 * MS));
        assert_eq!(
            watch.lasts(&asleep(600, 4)),
            None,
            "that is another sleep, though it looks the same"
        );
    }

    #[test]
    fn one_that_was_given_a_cpu_between_is_not() {
        let mut watch = watch();
        watch.look(asleep(0, 3), 100 * MS, false);
        assert_eq!(watch.look(asleep(100, 4), 100 * MS, false), Act::Nothing);
        assert_eq!(
            watch.look(asleep(150, 4), 100 * MS, false),
            Act::Nothing,
            "50 ms since it ran"
        );
        assert_eq!(
            watch.look(asleep(200, 4), 100 * MS, false),
            Act::Report(100 * MS)
        );
    }

    #[test]
    fn nothing_is_claimed_of_one_that_runs_or_waits_elsewhere_by_then() {
        let mut watch = watch();
        watch.look(asleep(0, 3), 100 * MS, false);
        let runs = Sample {
            state: State::Runnable,
            wait: Wait::Running,
            ..asleep(100, 3)
        };
        assert_eq!(watch.look(runs, 100 * MS, false), Act::Nothing);
        assert_eq!(
            watch.look(
                Sample {
                    at_ns: 300 * MS,
                    ..runs
                },
                100 * MS,
                false
            ),
            Act::Nothing
        );
        watch.look(asleep(400, 5), 100 * MS, false);
        let elsewhere = Sample {
            wait: Wait::Syscall {
                nr: 0,
                args: [1; 6],
            },
            ..asleep(600, 5)
        };
        assert_eq!(watch.look(elsewhere, 100 * MS, false), Act::Nothing);
    }

    #[test]
    fn a_stop_of_the_process_begins_anew() {
        let mut watch = watch();
        watch.look(asleep(0, 3), 100 * MS, false);
        watch.lose();
        assert_eq!(watch.look(asleep(300, 3), 100 * MS, false), Act::Nothing);
    }
}

//! The watchdog's own lateness: how a stop of the whole process is seen at all.
//!
//! What is claimed excuses polls, so it needs evidence. A thread that parks waits for nothing but its time and a CPU:
//! where it comes back late, did not wait for a CPU, and no other thread of the process ran, all of them were stopped.
//! In the middle of a round it may have waited for a page as well, and then nobody can say what the others did; for its
//! locks and for stacks it may have waited too, but that is taken out before.

use std::sync::Arc;
use std::time::Duration;

use pollscope_capture::stack::{Activity, Sample, ThreadHandle, judge_gap};
use pollscope_capture::{clock, thread};

use crate::detect::gaps::Gap;
use crate::state;

/// The share of a pause that may be late, and the least of it that is told.
const TOLERANCE: u32 = 4;
const LEAST_NS: u64 = 30_000_000;
/// How often the watchdog looks at itself while it is on time, and from which lateness on at once: it is judged by
/// what happened since it looked last, and many small waits for a CPU would add up to an excuse for a long stop.
const REFRESH_NS: u64 = 100_000_000;
const PUNCTUAL_NS: u64 = 1_000_000;

/// One look: at the watchdog itself, and at how long all threads of the process have run.
#[derive(Clone, Copy, Debug)]
struct Known {
    own: Sample,
    all_ns: u64,
}

/// The last round.
#[expect(
    clippy::struct_field_names,
    reason = "units belong to the names of times"
)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Last {
    began_ns: u64,
    /// From here on it parked.
    ended_ns: u64,
    /// What of it went by while the watchdog waited for what it had asked for: stacks, and its own lock.
    spent_ns: u64,
}

impl Last {
    /// How late the round of `now` is, if it was to come `pause_ns` later; and whether that was while it parked.
    fn late(&self, now: u64, pause_ns: u64) -> (u64, bool) {
        let over = |from: u64| now.saturating_sub(from).saturating_sub(pause_ns);
        let late = over(self.began_ns.saturating_add(self.spent_ns));
        (late, over(self.ended_ns) >= late / 2)
    }
}

/// Follows the watchdog's own scheduler state.
pub(super) struct Lateness {
    handle: Option<Arc<ThreadHandle>>,
    known: Option<Known>,
    last: Last,
    /// `state::waited_ns` when the last round began.
    waited_ns: u64,
    cpus: u64,
}

impl Lateness {
    /// On the watchdog's own thread.
    pub(super) fn new() -> Self {
        let now = clock::mono_ns();
        let cpus = std::thread::available_parallelism().map_or(1, usize::from);
        let mut this = Self {
            handle: thread::current().and_then(thread::Thread::handle),
            known: None,
            last: Last {
                began_ns: now,
                ended_ns: now,
                spent_ns: 0,
            },
            waited_ns: state::waited_ns(),
            cpus: cpus as u64,
        };
        this.known = this.look();
        this
    }

    fn look(&self) -> Option<Known> {
        Some(Known {
            own: self.handle.as_ref()?.sample(),
            all_ns: clock::process_cpu_ns(),
        })
    }

    /// A round is over, in which taking stacks took so long.
    pub(super) fn round_is_over(&mut self, taking_ns: u64) {
        let waited_ns = state::waited_ns();
        self.last.ended_ns = clock::mono_ns();
        self.last.spent_ns = taking_ns + waited_ns.saturating_sub(self.waited_ns);
        self.waited_ns = waited_ns;
    }

    /// A round begins, `pause` after the last was over: says why it comes late, where it does and others may have lost
    /// the time as well.
    pub(super) fn judge(&mut self, now: u64, pause: Duration) -> Option<Gap> {
        let pause_ns = pause.as_nanos() as u64;
        let next = Last {
            began_ns: now,
            ended_ns: now,
            spent_ns: 0,
        };
        let last = std::mem::replace(&mut self.last, next);
        let (late, parked) = last.late(now, pause_ns);
        let tolerance = (pause_ns / u64::from(TOLERANCE)).max(LEAST_NS);
        let before = self.known?;
        if late <= tolerance {
            if late >= PUNCTUAL_NS || now.saturating_sub(before.own.at_ns) >= REFRESH_NS {
                self.known = self.look();
            }
            return None;
        }
        let after = self.look()?;
        self.known = Some(after);
        why(&before, &after, late, parked, self.cpus).map(|why| Gap {
            from_ns: now - late,
            to_ns: now,
            why,
        })
    }
}

/// Why the watchdog was late by so much between two looks, mostly while it `parked` or not; `None` where the others lost
/// nothing by it.
fn why(before: &Known, after: &Known, late: u64, parked: bool, cpus: u64) -> Option<Activity> {
    let (own, now) = (&before.own, &after.own);
    // What lies between the samples and is not late was expected.
    let expected = now.at_ns.saturating_sub(own.at_ns).saturating_sub(late);
    let ran = after.all_ns.saturating_sub(before.all_ns);
    match judge_gap(own, now, expected, 0)? {
        // Of a watchdog that computed nobody else lost anything.
        Activity::OnCpu => None,
        // All that could run while it was on time, and then some: they ran while it was late.
        Activity::Stopped if ran > expected * cpus + late / 2 => None,
        // And those that ran until then ran no longer: a tick or two of the scheduler is all there may be.
        Activity::Stopped
            if !parked && (own.faults != now.faults || ran > expected * cpus + late / 16) =>
        {
            Some(Activity::Descheduled)
        }
        why => Some(why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn known(at_ms: u64, delay_ms: u64, all_ms: u64) -> Known {
        Known {
            own: Sample {
                at_ns: at_ms * MS,
                delay_ns: delay_ms * MS,
                slices: 9 + at_ms,
                ..Sample::default()
            },
            all_ns: all_ms * MS,
        }
    }

    /// Of a lateness of 500 ms out of 540, on two CPUs.
    fn late(delay_ms: u64, all_ms: u64, parked: bool) -> Option<Activity> {
        let before = known(1000, 0, 300);
        let after = known(1540, delay_ms, 300 + all_ms);
        why(&before, &after, 500 * MS, parked, 2)
    }

    #[test]
    fn a_stop_is_a_stop_where_nobody_ran() {
        assert_eq!(late(0, 0, true), Some(Activity::Stopped));
        // They computed until then, on both CPUs.
        assert_eq!(late(0, 80, true), Some(Activity::Stopped));
        assert_eq!(late(0, 329, true), Some(Activity::Stopped));
    }

    #[test]
    fn a_watchdog_that_is_held_while_others_run_excuses_nobody() {
        assert_eq!(late(0, 480, true), None);
        assert_eq!(late(0, 480, false), None);
    }

    #[test]
    fn in_the_middle_of_a_round_nobody_knows_and_without_a_cpu_all_may_be() {
        assert_eq!(late(0, 200, false), Some(Activity::Descheduled));
        assert_eq!(late(400, 0, true), Some(Activity::Descheduled));
        assert_eq!(late(400, 480, true), Some(Activity::Descheduled));
    }

    #[test]
    fn a_stop_in_the_middle_of_a_round_is_one_where_nobody_ran_and_no_page_was_read() {
        assert_eq!(late(0, 0, false), Some(Activity::Stopped));
        let (before, mut after) = (known(1000, 0, 0), known(1540, 0, 0));
        after.own.faults = 1;
        let of = |parked| why(&before, &after, 500 * MS, parked, 2);
        assert_eq!(of(false), Some(Activity::Descheduled));
        assert_eq!(of(true), Some(Activity::Stopped), "it parked for longer");
    }

    #[test]
    fn a_kernel_that_counts_nothing_proves_no_stop() {
        let uncounted = |known: Known| Known {
            own: Sample {
                slices: 0,
                ..known.own
            },
            ..known
        };
        let (before, after) = (known(1000, 0, 0), known(1540, 0, 0));
        let (before, after) = (uncounted(before), uncounted(after));
        let why = why(&before, &after, 500 * MS, true, 2);
        assert_eq!(why, Some(Activity::Descheduled));
    }

    #[test]
    fn what_a_round_waited_for_is_not_late_and_where_it_was_late_is_known() {
        let last = Last {
            began_ns: 1000 * MS,
            ended_ns: 1100 * MS,
            spent_ns: 95 * MS,
        };
        let late = |last: &Last, now_ms: u64| last.late(now_ms * MS, 10 * MS);
        assert_eq!(late(&last, 1110), (5 * MS, false));
        assert_eq!(late(&last, 1310), (205 * MS, true), "it parked for 210 ms");
        let held = Last {
            spent_ns: 0,
            ..last
        };
        assert_eq!(late(&held, 1110), (100 * MS, false));
    }
}

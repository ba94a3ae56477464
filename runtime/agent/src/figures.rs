//! What the collector makes of the counters: one row per site and per thread, and totals.

use std::sync::Arc;

use pollscope_capture::histogram::{self, BUCKETS, LONG};
use pollscope_capture::record::Snapshot;
use pollscope_capture::thread::Role;
use pollscope_proto::buckets;

/// How the values of one histogram are spread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spread<const N: usize = LONG> {
    /// Counts by the buckets of `pollscope_proto::buckets`: those that travel, or those of long times.
    pub(crate) buckets: [u64; N],
    /// The largest value; where it is not kept, the upper end of the last bucket in use.
    pub(crate) max: u64,
}

impl<const N: usize> Default for Spread<N> {
    fn default() -> Self {
        Self {
            buckets: [0; N],
            max: 0,
        }
    }
}

impl<const N: usize> Spread<N> {
    /// How many values.
    pub(crate) fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// The value below which the share `q` lies, in nanoseconds.
    pub(crate) fn quantile(&self, q: f64) -> u64 {
        buckets::quantile(&self.buckets, q, self.max)
    }

    /// The counts by the buckets that travel: the last of those has all that is longer.
    pub(crate) fn counts(&self) -> Vec<u64> {
        let (short, long) = self.buckets.split_at(buckets::COUNT);
        let mut counts = short.to_vec();
        counts[buckets::COUNT - 1] += long.iter().sum::<u64>();
        counts
    }
}

impl Spread {
    /// Counts one value.
    pub(crate) fn add(&mut self, ns: u64) {
        self.buckets[histogram::long_bucket(ns)] += 1;
        self.max = self.max.max(ns);
    }

    /// Bounds what is known only by its bucket: the end of the last bucket in use.
    pub(crate) fn bound(&mut self) {
        let last = self.buckets.iter().rposition(|count| *count > 0);
        // The last of all is open; it is said to be as wide as it would be were there another.
        self.max = last.map_or(0, |at| buckets::start(at + 1) - 1);
    }
}

/// The histograms of a site. Only kept while somebody looks.
#[expect(
    clippy::struct_field_names,
    reason = "units belong to the names of times"
)]
#[derive(Clone, Debug, Default)]
pub(crate) struct Spreads {
    /// Poll times; empty in quiet.
    pub(crate) poll_ns: Spread<BUCKETS>,
    /// From a wake to the poll it led to; empty in quiet.
    pub(crate) scheduled_ns: Spread,
    /// Ages of the live tasks.
    pub(crate) age_ns: Spread,
    /// Life times of the tasks that ended.
    pub(crate) lifetime_ns: Spread,
}

/// One spawn site. The index in `State::sites` is the site's number.
#[derive(Clone, Debug, Default)]
pub(crate) struct SiteFigures {
    /// Tasks are spawned here; false for the places of tracked futures and owned values, which are no rows.
    pub(crate) spawns: bool,
    pub(crate) spawned: u64,
    /// By `Outcome`.
    pub(crate) ended: [u64; 5],
    pub(crate) live: u64,
    pub(crate) live_peak: u64,
    /// Change of `live` a minute, over the last minute (or since the start).
    pub(crate) live_per_min: f64,
    pub(crate) polls: u64,
    /// `None` where it was never timed.
    pub(crate) busy_ns: Option<u64>,
    pub(crate) live_bytes: u64,
    /// Polls that held their thread for the threshold or more, excused ones included; `None` where it was never timed.
    pub(crate) slow_polls: Option<u64>,
    /// `None` while nobody looks.
    pub(crate) spreads: Option<Box<Spreads>>,
}

impl SiteFigures {
    /// Tasks that ended, however.
    pub(crate) fn all_ended(&self) -> u64 {
        self.ended.iter().sum()
    }
}

/// What a thread does at the moment of the look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Doing {
    /// A worker without work.
    Parked,
    /// It polls a task of ours.
    Polling,
    /// Inside `block_in_place`.
    Blocking,
    /// Asleep in the kernel.
    Sleeping,
    /// On a CPU, or waiting for one.
    Running,
    /// Nobody looked.
    #[default]
    Unknown,
}

impl Doing {
    /// The word of the wire.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Parked => "parked",
            Self::Polling => "polling",
            Self::Blocking => "blocking",
            Self::Sleeping => "sleeping",
            Self::Running => "running",
            Self::Unknown => "",
        }
    }
}

/// One thread, as of the last look.
#[derive(Clone, Debug, Default)]
pub(crate) struct ThreadFigures {
    /// Number of its slot: where `pollscope_capture::thread::all` has it.
    pub(crate) slot: u32,
    pub(crate) tid: u32,
    pub(crate) name: Arc<str>,
    pub(crate) runtime: u16,
    pub(crate) role: Role,
    /// Share of the last second inside polls (debug), or on a CPU where that is more.
    pub(crate) busy_ratio: Option<f64>,
    pub(crate) polls: u64,
    /// 0: none.
    pub(crate) current_task: u64,
    /// For how long at least.
    pub(crate) current_poll_ns: Option<u64>,
    pub(crate) doing: Doing,
}

/// Sums over everything.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Totals {
    /// Live tasks: the next four and `blocking` closures that run or wait add up to it.
    pub(crate) tasks: u64,
    pub(crate) running: u64,
    pub(crate) scheduled: u64,
    pub(crate) idle: u64,
    pub(crate) unpolled: u64,
    /// Ended, and still held by an unread handle.
    pub(crate) done: u64,
    /// Live closures of the blocking pool; they are in the states above, too.
    pub(crate) blocking: u64,
    pub(crate) spawned: u64,
    pub(crate) ended: u64,
    pub(crate) polls: u64,
    /// Alive in the runtimes but not spawned through us.
    pub(crate) uninstrumented: u64,
    /// Lost because a ring was full.
    pub(crate) dropped_events: u64,
    /// Tasks without a record because the table was full.
    pub(crate) dropped_tasks: u64,
}

/// What pollscope itself costs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct SelfCost {
    /// Share of one core that our threads used over the last second.
    pub(crate) cpu_ratio: f64,
    /// Bytes of our tables, as far as they can be told.
    pub(crate) bytes: u64,
}

/// What a task does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TaskState {
    Running,
    Scheduled,
    Idle,
    Unpolled,
    Done,
}

impl TaskState {
    /// Of one snapshot. In quiet wakes are not seen: what waits for its turn is idle there.
    pub(crate) fn of(task: &Snapshot) -> Self {
        if task.is_done() {
            Self::Done
        } else if task.is_polled() {
            Self::Running
        } else if task.seq == 0 {
            Self::Unpolled
        } else if task.woken != 0 {
            Self::Scheduled
        } else {
            Self::Idle
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: u64 = 60_000_000_000;

    /// As it is where only buckets are kept.
    fn spread(all: impl IntoIterator<Item = u64>) -> Spread {
        let mut spread = Spread::default();
        all.into_iter().for_each(|ns| spread.add(ns));
        spread.bound();
        spread
    }

    #[test]
    fn the_greatest_is_no_further_than_the_end_of_its_bucket() {
        for ns in [
            1,
            100,
            MINUTE,
            3 * MINUTE,
            3 * 60 * MINUTE,
            3 * 24 * 60 * MINUTE,
        ] {
            let max = spread([ns]).max;
            assert!((ns..=(ns * 3 / 2).max(64)).contains(&max), "{ns}: {max}");
        }
        assert_eq!(spread([]).max, 0);
    }

    #[test]
    fn minutes_and_hours_are_told_apart() {
        let lives = (0..1000).map(|at| if at < 995 { 3 * MINUTE } else { 600 * MINUTE });
        let p99 = spread(lives).quantile(0.99);
        assert!((2 * MINUTE..5 * MINUTE).contains(&p99), "{p99}");
    }

    #[test]
    fn what_travels_has_all_that_is_longer_in_its_last_bucket() {
        let counts = spread([100, 3 * MINUTE, 60 * MINUTE, u64::MAX]).counts();
        assert_eq!(counts.len(), buckets::COUNT);
        assert_eq!(
            (counts[buckets::index(100)], counts[buckets::COUNT - 1]),
            (1, 3)
        );
    }
}

//! What the collector makes of the counters: one row per site and per thread, and totals.

use std::sync::Arc;

use pollscope_capture::histogram::BUCKETS;
use pollscope_capture::record::Snapshot;
use pollscope_capture::thread::Role;
use pollscope_proto::buckets;

/// How the values of one histogram are spread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spread {
    /// Counts by the buckets of `pollscope_proto::buckets`.
    pub(crate) buckets: [u64; BUCKETS],
    /// The largest value; where it is not kept, the upper end of the last bucket in use.
    pub(crate) max: u64,
}

impl Default for Spread {
    fn default() -> Self {
        Self {
            buckets: [0; BUCKETS],
            max: 0,
        }
    }
}

impl Spread {
    /// How many values.
    pub(crate) fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// The value below which the share `q` lies, in nanoseconds.
    pub(crate) fn quantile(&self, q: f64) -> u64 {
        buckets::quantile(&self.buckets, q, self.max)
    }

    /// Counts one value.
    pub(crate) fn add(&mut self, ns: u64) {
        self.buckets[buckets::index(ns)] += 1;
        self.max = self.max.max(ns);
    }

    /// Bounds what is known only by its bucket: the end of the last bucket in use.
    pub(crate) fn bound(&mut self) {
        let last = self.buckets.iter().rposition(|count| *count > 0);
        self.max = last.map_or(0, |at| {
            if at + 1 < BUCKETS {
                buckets::lower_bound(at + 1) - 1
            } else {
                u64::MAX
            }
        });
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
    pub(crate) poll_ns: Spread,
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

//! All that one update told: the whole of `report --json`, and what a screen draws.

use serde::Serialize;

use super::{Runtime, SiteRow, Target, Task, Thread, Warning};

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Snapshot {
    pub target: Target,
    pub runtimes: Vec<Runtime>,
    pub tasks_total: u64,
    /// The window of the view, in its order.
    pub tasks: Vec<Task>,
    /// How many tasks passed the view's filter.
    #[serde(skip)]
    pub matched: u64,
    pub sites: Vec<SiteRow>,
    pub threads: Vec<Thread>,
    pub warnings: Vec<Warning>,
    pub dropped: Dropped,
    pub uninstrumented_tasks: u64,
    pub self_cost: SelfCost,
    #[serde(skip)]
    pub totals: Totals,
    /// The target's monotonic clock at this update.
    #[serde(skip)]
    pub now_ns: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Dropped {
    pub events: u64,
    pub warnings: u64,
    pub tasks: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct SelfCost {
    pub cpu_ratio: f64,
    pub rss_bytes: u64,
}

/// Exact figures of the whole target, whatever the view's window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub tasks: u64,
    pub running: u64,
    pub scheduled: u64,
    pub idle: u64,
    pub unpolled: u64,
    pub done: u64,
    pub blocking: u64,
    pub spawned: u64,
    pub ended: u64,
    pub polls: u64,
    pub warnings_info: u64,
    pub warnings_warn: u64,
    pub warnings_error: u64,
}

//! Spawn sites, and the totals the target keeps for each.

use pollscope_proto::crates;
use serde::Serialize;

use super::{Severity, TaskKind};

/// A place in the source. `file` is empty where it is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Site {
    /// The target's number for it; 0 where the place is not a spawn site.
    #[serde(skip)]
    pub id: u32,
    pub file: String,
    pub line: u32,
    pub column: u32,
    /// The future's type name, where the place creates one.
    #[serde(skip)]
    pub type_name: String,
    #[serde(skip)]
    pub kind: TaskKind,
}

impl Site {
    /// `file:line`, or an empty string.
    pub fn short(&self) -> String {
        if self.file.is_empty() {
            String::new()
        } else {
            format!("{}:{}", self.file, self.line)
        }
    }

    /// The crate that what is made here is of; empty where it is not known.
    pub fn crate_name(&self) -> &str {
        crates::of(&self.type_name, &self.file)
    }
}

/// Quantiles of a log-linear histogram, in nanoseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Distribution {
    pub p50: u64,
    pub p90: u64,
    pub p99: u64,
    pub max: u64,
    /// How many values it is made of.
    #[serde(skip)]
    pub count: u64,
    /// Counts per bucket of `pollscope_proto::buckets`; empty where not asked for.
    #[serde(skip)]
    pub buckets: Vec<u64>,
}

/// Totals of one spawn site.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct SiteRow {
    pub site: Site,
    pub live: u64,
    pub live_peak: u64,
    pub live_per_min: f64,
    pub spawned: u64,
    pub ended: u64,
    pub polls: u64,
    pub busy_ns: Option<u64>,
    pub future_bytes: u64,
    pub live_bytes: u64,
    pub poll_ns: Option<Distribution>,
    pub scheduled_ns: Option<Distribution>,
    pub age_ns: Option<Distribution>,
    pub lifetime_ns: Option<Distribution>,
    /// One value a second, oldest first.
    #[serde(skip)]
    pub history_live: Vec<u64>,
    #[serde(skip)]
    pub history_busy_ns: Vec<u64>,
    /// The worst severity of the warnings at this site.
    #[serde(skip)]
    pub warned: Option<Severity>,
}

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
    /// What the requests made there are called, where a place is a site for each name; else empty.
    #[serde(skip)]
    pub name: String,
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

/// How many ended, and how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Outcomes {
    pub ok: u64,
    pub error: u64,
    pub panic: u64,
    pub aborted: u64,
}

/// Totals of one spawn site; of requests, of those of one name that are made there.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct SiteRow {
    pub site: Site,
    /// The site's name.
    pub name: String,
    #[serde(rename = "type")]
    pub type_name: String,
    /// The crate that it is of, as code writes it; empty where it is not known.
    #[serde(rename = "crate")]
    pub crate_name: String,
    pub kind: TaskKind,
    pub live: u64,
    pub live_peak: u64,
    pub live_per_min: f64,
    pub spawned: u64,
    pub ended: u64,
    /// `None`: the target does not tell.
    pub outcomes: Option<Outcomes>,
    pub polls: u64,
    /// Polls that held their thread for the threshold or more, excused ones included.
    pub slow_polls: Option<u64>,
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

impl SiteRow {
    /// What a site is called, and no figures yet.
    pub fn of(site: Site) -> Self {
        Self {
            name: site.name.clone(),
            type_name: site.type_name.clone(),
            crate_name: site.crate_name().replace('-', "_"),
            kind: site.kind,
            site,
            ..Self::default()
        }
    }

    /// As a screen names it: by the name of its requests, else by its place.
    pub fn title(&self) -> String {
        if self.name.is_empty() {
            self.site.short()
        } else {
            self.name.clone()
        }
    }
}

//! One record of the table, and what goes into it and out of it.

use std::collections::HashSet;

use pollscope_capture::SiteId;

use crate::finding::{Finding, Kind, Severity};
use crate::pace::Pace;

/// What tells records of one kind apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    /// Where the task, future or value was made.
    Site(SiteId),
    /// The same, and a name by its hash: one place makes the requests of all routes.
    Named(SiteId, u64),
    /// A place that is no spawn site, by a hash of it.
    Place(u64),
    /// A stack that has no names, by a hash of it: of those no more are told apart than the table can bear.
    Stack(u64),
    /// All other stacks.
    OtherStacks,
}

/// Where a count comes from beside the examples that were told. `[notes, real ones]`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found(pub(crate) [u64; 2]);

impl Found {
    /// What is left without those that were told. The hot path and the watchdog may differ in what was real: one that was
    /// told as the other is not left.
    pub(super) fn without(self, told: Self) -> Self {
        let all = (self.0[0] + self.0[1]).saturating_sub(told.0[0] + told.0[1]);
        let real = self.0[1].saturating_sub(told.0[1]).min(all);
        Self([self.0[0].saturating_sub(told.0[0]).min(all - real), real])
    }

    pub(super) fn plus(self, other: Self) -> Self {
        Self([0, 1].map(|class| self.0[class] + other.0[class]))
    }

    pub(super) fn least(self, other: Self) -> Self {
        Self([0, 1].map(|class| self.0[class].min(other.0[class])))
    }
}

/// One line for the log.
#[derive(Clone, Debug)]
pub(crate) struct LogLine {
    pub(crate) kind: Kind,
    pub(crate) severity: Severity,
    pub(crate) message: String,
    pub(crate) site: String,
    pub(crate) task: u64,
    pub(crate) task_name: String,
    pub(crate) count: u64,
    /// Findings of this record that were not logged since the last line.
    pub(crate) left_out: u64,
    /// All of it, where the program has a handler of its own for such.
    pub(crate) finding: Option<Box<Finding>>,
}

/// One record, and what its count is made of.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) finding: Finding,
    /// The change it was last part of.
    pub(super) changed: u64,
    /// Examples told, as `Found`.
    pub(super) told: [u64; 2],
    /// Of those, the ones that the counters of the hot path do not know.
    pub(super) beyond: [u64; 2],
    /// Counted by the hot path as real and found to be none.
    pub(super) excused: u64,
    pub(super) found: Found,
    pub(super) tasks: HashSet<u64>,
    pub(super) pace: Pace,
}

impl Record {
    pub(super) fn new(finding: Finding) -> Self {
        Self {
            finding,
            changed: 0,
            told: [0; 2],
            beyond: [0; 2],
            excused: 0,
            found: Found::default(),
            tasks: HashSet::new(),
            pace: Pace::default(),
        }
    }

    /// The examples told that the counters of the hot path know, as those count them.
    pub(super) fn counted(&self) -> Found {
        let [notes, real] =
            [0, 1].map(|class| self.told[class] - self.beyond[class].min(self.told[class]));
        let excused = self.excused.min(notes);
        Found([notes - excused, real + excused])
    }

    /// How often, of what its severity says.
    pub(super) fn recount(&self) -> u64 {
        let excused = self.excused.min(self.found.0[1]);
        let found = [self.found.0[0] + excused, self.found.0[1] - excused];
        let counts = [0, 1].map(|class| self.told[class].max(found[class] + self.beyond[class]));
        if counts[1] > 0 && self.finding.severity > Severity::Info {
            counts[1]
        } else {
            counts[0].max(1)
        }
    }
}

/// One example of a finding, and how it counts.
#[derive(Debug)]
pub(crate) struct Example {
    pub(crate) key: Key,
    pub(crate) finding: Finding,
    /// The counters of the hot path do not know it: only the watchdog saw it.
    pub(crate) beyond: bool,
    /// The hot path counted it as real, and it is a note.
    pub(crate) excused: bool,
    /// Whether it may be logged now; one that is still going on says it when it is over.
    pub(crate) log: Log,
}

/// Whether an example is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Log {
    /// Not now.
    No,
    /// When its record's turn has come.
    Paced,
    /// In any case: it follows up on a line that said "still".
    Always,
}

//! A record as a reader sees it.

use super::{Outcome, TaskKind};
use crate::protocol::sides::{ABORTED, EXPECTED, EXTRAS, HANDLE_GONE, READ};
use crate::{SiteId, StackId};

/// What a record said at one moment, all of one task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Our id: never reused, below 2^53.
    pub id: u64,
    /// Tokio's id as a number; 0: unknown.
    pub tokio_id: u64,
    /// Where it was spawned, and its future's type.
    pub site: SiteId,
    /// What it is.
    pub kind: TaskKind,
    /// How it ended.
    pub outcome: Outcome,
    /// The runtime's number; 0: unknown.
    pub runtime: u16,
    /// Poll edges: odd while a poll runs.
    pub seq: u64,
    /// Time inside polls, in nanoseconds; only counted in debug.
    pub busy_ns: u64,
    /// The longest poll, in nanoseconds; only counted in debug.
    pub max_ns: u64,
    /// Ticks of the last edge; 0: not known (quiet).
    pub edge: u64,
    /// Time between a wake and the poll it led to, in nanoseconds; only counted in debug.
    pub scheduled_ns: u64,
    /// Wakes by others, and by nobody (timers, I/O); only counted in debug.
    pub wakes: u64,
    /// Wakes from inside its own poll; only counted in debug.
    pub self_wakes: u64,
    /// Ticks of the first wake that has not led to a poll yet; 0: none.
    pub woken: u64,
    /// The task that woke it last; 0: none, or no task of ours. Only noted in debug.
    pub last_waker: u64,
    /// The thread that woke it last, where no task of ours did: its id in the system; 0: none.
    pub last_waker_tid: u32,
    /// Ticks of the spawn.
    pub created: u64,
    /// The task that spawned it; 0: none.
    pub parent: u64,
    /// Its creation backtrace; `NONE`: see the site's.
    pub stack: StackId,
    /// Its name; 0: none.
    pub name: u32,
    /// Who holds it still: see `handle`.
    pub sides: u32,
    /// Which life of the record this is.
    pub generation: u32,
}

impl Snapshot {
    /// Polls begun.
    pub fn polls(&self) -> u64 {
        self.seq.div_ceil(2)
    }

    /// Whether a poll runs.
    pub fn is_polled(&self) -> bool {
        self.seq % 2 == 1
    }

    /// Whether the task has ended.
    pub fn is_done(&self) -> bool {
        self.outcome != Outcome::None
    }

    /// Whether somebody asked for its abort by its handle: see `task::aborter`.
    pub fn is_aborted(&self) -> bool {
        self.sides & ABORTED != 0
    }

    /// Whether there is more to know of it: see `task::extras`.
    pub fn has_extras(&self) -> bool {
        self.sides & EXTRAS != 0
    }

    /// Whether it ended with an error or a panic, and its handle is held by somebody who has not looked yet. Errors
    /// that are values like others are nothing to look for.
    pub fn is_unread(&self) -> bool {
        let failed = match self.outcome {
            Outcome::Error => self.sides & EXPECTED == 0,
            Outcome::Panic => true,
            Outcome::None | Outcome::Ok | Outcome::Aborted => false,
        };
        failed && self.sides & (READ | HANDLE_GONE) == 0
    }

    /// The join handle: `held`, `read` or `dropped`.
    pub fn handle(&self) -> &'static str {
        match (self.sides & READ != 0, self.sides & HANDLE_GONE != 0) {
            (true, _) => "read",
            (false, true) => "dropped",
            (false, false) => "held",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unread_is_a_failure_whose_handle_is_held_and_was_not_asked() {
        let of = |outcome, sides| Snapshot {
            outcome,
            sides,
            ..Snapshot::default()
        };
        assert!(of(Outcome::Error, 0).is_unread());
        assert!(of(Outcome::Panic, 0).is_unread());
        // Somebody aborted it, and it failed all the same.
        assert!(of(Outcome::Error, ABORTED).is_unread());
        for (outcome, sides) in [
            (Outcome::None, 0),
            (Outcome::Ok, 0),
            (Outcome::Aborted, 0),
            (Outcome::Error, READ),
            (Outcome::Panic, READ),
            (Outcome::Error, HANDLE_GONE),
            (Outcome::Error, EXPECTED),
        ] {
            assert!(!of(outcome, sides).is_unread(), "{outcome:?} {sides}");
        }
        assert!(of(Outcome::Panic, EXPECTED).is_unread(), "no value");
    }
}

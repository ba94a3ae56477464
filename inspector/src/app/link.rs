//! The connection as the header tells it, and the freeze.

use std::time::Duration;

use super::action::{Now, TimeOfDay};
use crate::model::Snapshot;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Link {
    /// In the picker.
    #[default]
    None,
    /// The address that is being connected to.
    Opening(String),
    Live,
    Lost(Lost),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    pub since: TimeOfDay,
    pub why: String,
    /// The next attempt: its number, and when it starts.
    pub retry: Option<(u32, Duration)>,
    /// The user does not want the successor: no further attempts.
    pub given_up: bool,
}

impl Link {
    pub const fn is_live(&self) -> bool {
        matches!(self, Self::Live)
    }

    /// Whole seconds until the next attempt.
    pub fn seconds_to_retry(&self, now: Now) -> Option<u64> {
        match self {
            Self::Lost(Lost {
                retry: Some((_, at)),
                ..
            }) => Some(
                at.saturating_sub(now.since_start)
                    .as_millis()
                    .div_ceil(1000) as u64,
            ),
            _ => None,
        }
    }

    /// When the count of seconds falls.
    pub(super) fn changes_at(&self, now: Now) -> Option<Duration> {
        let seconds = self.seconds_to_retry(now).filter(|&seconds| seconds > 0)?;
        match self {
            Self::Lost(Lost {
                retry: Some((_, at)),
                ..
            }) => Some(at.saturating_sub(Duration::from_secs(seconds - 1))),
            _ => None,
        }
    }
}

/// The screen stands still; what arrives is kept.
#[derive(Debug)]
pub struct Frozen {
    pub since: TimeOfDay,
    /// Spawns, ends and warnings that happened since.
    pub held: u64,
    /// Their count at the time of the freeze.
    pub(super) base: u64,
    /// The newest update, to be shown on resume.
    pub(super) latest: Option<(u64, Box<Snapshot>)>,
    /// The rows around the screen were fetched, so that there is something to walk through.
    pub(super) filled: bool,
}

/// What the banner counts: spawns, ends and warnings.
pub(super) fn events(snapshot: &Snapshot) -> u64 {
    let warnings: u64 = snapshot
        .warnings
        .iter()
        .fold(0, |sum, warning| sum.saturating_add(warning.count));
    snapshot
        .totals
        .spawned
        .saturating_add(snapshot.totals.ended)
        .saturating_add(warnings)
}

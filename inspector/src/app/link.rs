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

/// Updates come four times a second, and at least every 5 s from a target that takes that long to make one. Who hears
/// of none for so long is told: nothing that is shown is of now.
const SILENT: Duration = Duration::from_secs(2);

/// What the header counts in whole seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Seconds {
    /// Until the next attempt to connect.
    to_retry: Option<u64>,
    /// Without a word from the target.
    pub(super) silent: Option<u64>,
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

    /// All that is counted, where the target was `heard` last then.
    pub(super) fn seconds(&self, now: Now, heard: Duration) -> Seconds {
        let since = now.since_start.saturating_sub(heard);
        Seconds {
            to_retry: self.seconds_to_retry(now),
            silent: (self.is_live() && since >= SILENT).then_some(since.as_secs()),
        }
    }

    /// When one of them changes.
    pub(super) fn changes_at(&self, now: Now, heard: Duration) -> Option<Duration> {
        let Seconds { to_retry, silent } = self.seconds(now, heard);
        match self {
            Self::Live => {
                let next = silent.map_or(SILENT, |seconds| Duration::from_secs(seconds + 1));
                Some(heard + next)
            }
            Self::Lost(Lost {
                retry: Some((_, at)),
                ..
            }) => {
                let seconds = to_retry.filter(|&seconds| seconds > 0)?;
                Some(at.saturating_sub(Duration::from_secs(seconds - 1)))
            }
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

impl Frozen {
    /// Whether the rows that can be walked through are here.
    pub fn has_rows(&self) -> bool {
        self.filled
    }
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

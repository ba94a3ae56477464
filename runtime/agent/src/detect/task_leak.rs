//! Leaks of tasks: places whose tasks outlive by far what is usual there, are not polled any more, and become more.
//!
//! All of that is needed, because each alone is what healthy programs do. Live tasks become more while a service is
//! warmed up; some live for long because they are loops, or connections; and all wait, most of the time. So:
//!
//! - The least number of live tasks in a window is above that of the window before, five windows in a row. A plateau, a
//!   burst, and what is done as fast as it comes do not get there. Windows are of ten seconds, of a minute and of ten
//!   minutes: what leaks fast is found soon, and what leaks slowly is found at all.
//! - The oldest tenth lives ten times as long as 99 of 100 that have ended. Where none or few have ended, as with
//!   loops and with connections that came to stay, nothing is known to be usual, and nothing is said.
//! - Nearly all of that tenth were not polled for two windows. A connection with traffic, or with pings, is.
//!
//! What is left over: idle connections from a place that spawns short ones as well, while they become more. That is
//! why no more is claimed than that it is likely.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use pollscope_capture::scope::Belongs;
use pollscope_capture::{SiteId, StackId};

use super::episode::Episode;
use super::made;
use crate::figures::Spread;
use crate::finding::{Certainty, Finding, Kind, Severity, Source};
use crate::warnings::Warnings;

/// Of so long a time the least number of live tasks counts.
const WINDOWS_NS: [u64; 3] = [10_000_000_000, 60_000_000_000, 600_000_000_000];
/// So many windows tell.
const WINDOWS: usize = 5;
/// From the first of them to the last there must be so many more,
const LEAST_RISE: u64 = 10;
/// and this share of all.
const LEAST_SHARE: u64 = 10;
/// So many must have ended for anything to be usual.
const LEAST_ENDED: u64 = 32;
/// The share of them that sets what is usual,
const USUAL: f64 = 0.99;
/// and how many times that is far past it.
const FAR: u64 = 10;
/// Of the oldest so many are looked at.
pub(crate) const MOST_KEPT: usize = 256;
/// Places looked at, at the end of a window.
const MOST_DUE: usize = 64;
/// Windows that a busy machine may miss, without it all being void: looks are rarer where they take long.
const MOST_MISSED: u64 = 3;
/// For so many windows those must not have been polled.
const SILENT: u64 = 2;

/// One live task.
#[derive(Clone, Debug)]
pub(crate) struct Alive {
    pub(crate) task: u64,
    pub(crate) name: Option<Arc<str>>,
    pub(crate) created: StackId,
    pub(crate) age_ns: u64,
    pub(crate) polls: u64,
    pub(crate) belongs: Belongs,
}

/// How it stands with the tasks of a place that become more.
#[derive(Clone, Debug, Default)]
pub(crate) struct Suspect {
    /// How many have ended.
    pub(crate) ended: u64,
    /// From which age on one is far past what is usual: see [`far_ns`].
    pub(crate) far_ns: u64,
    /// How many live,
    pub(crate) alive: u64,
    /// and how many of them are far past what is usual.
    pub(crate) far: u64,
    /// The oldest first, [`MOST_KEPT`] at most.
    pub(crate) oldest: Vec<Alive>,
}

/// From which age on a task is far past what is usual.
pub(crate) fn far_ns(lifetimes: &Spread) -> u64 {
    lifetimes.quantile(USUAL).saturating_mul(FAR)
}

/// A place whose tasks have to be looked at, by the windows of that number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Due {
    pub(crate) site: SiteId,
    scale: usize,
}

/// What is kept from one look to the next.
#[derive(Debug, Default)]
pub(crate) struct Leaks {
    scales: [Scale; WINDOWS_NS.len()],
    /// Places that leak now, and the windows that told.
    episodes: HashMap<SiteId, (usize, Episode)>,
}

/// All places by windows of one length.
#[derive(Debug, Default)]
struct Scale {
    /// The number of the window that runs.
    window: u64,
    /// Windows that were looked at and are over.
    over: u64,
    tracks: Vec<Track>,
}

/// One place.
#[derive(Debug, Default)]
struct Track {
    /// The least number of live tasks in the window that runs; `None`: not looked at yet.
    low: Option<u64>,
    /// Those of the windows before, the latest last, as long as they rise.
    lows: Vec<u64>,
    /// The oldest: how often each was polled, and after how many windows it was first seen so.
    kept: HashMap<u64, (u64, u64)>,
}

impl Track {
    /// A window is over: whether its place has to be looked at.
    fn roll(&mut self) -> bool {
        let Some(low) = self.low.take() else {
            return false;
        };
        if self.lows.last().is_some_and(|before| low <= *before) {
            self.lows.clear();
            self.kept.clear();
        }
        if self.lows.len() == WINDOWS {
            self.lows.remove(0);
        }
        self.lows.push(low);
        // What is told by the fifth window must be known from the third on.
        self.lows.len() + (SILENT as usize) >= WINDOWS
    }

    /// Whether there are ever more of them. What is known to leak need not grow by a share of all.
    fn rises(&self, lasts: bool) -> bool {
        let (Some(first), Some(last)) = (self.lows.first(), self.lows.last()) else {
            return false;
        };
        let rise = last - first;
        self.lows.len() == WINDOWS && rise >= LEAST_RISE && (lasts || rise >= last / LEAST_SHARE)
    }
}

impl Scale {
    /// Takes in how many tasks of each place live now. At the end of a window: the places to look at.
    fn see(&mut self, window: u64, live: &[u64], mut due: impl FnMut(SiteId, bool)) {
        if window > self.window + MOST_MISSED {
            // Stopped, most likely: what was before tells nothing.
            self.tracks.clear();
        }
        let over = window != self.window;
        self.over += u64::from(over);
        self.window = window;
        for (number, live) in live.iter().copied().enumerate() {
            if self.tracks.len() == number {
                self.tracks.push(Track::default());
            }
            let track = &mut self.tracks[number];
            if over {
                let is_due = track.roll();
                due(SiteId(number as u32), is_due);
            }
            track.low = Some(track.low.map_or(live, |low| low.min(live)));
        }
    }
}

impl Leaks {
    /// Takes in how many tasks of each place live now, by its number. Gives the places whose tasks
    /// [`judge`](Self::judge) wants to see.
    pub(crate) fn see(&mut self, now_ns: u64, live: &[u64]) -> Vec<Due> {
        let mut all = Vec::new();
        for (number, (scale, length)) in self.scales.iter_mut().zip(WINDOWS_NS).enumerate() {
            scale.see(now_ns / length, live, |site, is_due| {
                let leaks = self.episodes.get(&site);
                if leaks.map_or(is_due, |(by, _)| *by == number) {
                    all.push(Due {
                        site,
                        scale: number,
                    });
                }
            });
        }
        // What is known to leak must be seen to end; of the others those with the most tasks.
        all.sort_by_key(|due| {
            let leaks = self.episodes.contains_key(&due.site);
            (!leaks, Reverse(live[due.site.0 as usize]))
        });
        all.truncate(MOST_DUE);
        all
    }

    /// Judges the places that were named by [`see`](Self::see).
    pub(crate) fn judge(
        &mut self,
        warnings: &mut Warnings,
        suspects: Vec<(Due, Suspect)>,
        now_ns: u64,
    ) {
        for (Due { site, scale }, suspect) in suspects {
            let Scale { over, tracks, .. } = &mut self.scales[scale];
            let Some(track) = tracks.get_mut(site.0 as usize) else {
                continue;
            };
            if self.episodes.get(&site).is_some_and(|(by, _)| *by != scale) {
                // It was told by other windows a moment ago.
                continue;
            }
            let lasts = self.episodes.contains_key(&site);
            let found = track.judge(site, &suspect, *over, now_ns, lasts);
            match (self.episodes.get_mut(&site), found) {
                (Some((_, episode)), Some(finding)) => episode.renew(warnings, finding),
                (Some(_), None) => {
                    if let Some((_, mut episode)) = self.episodes.remove(&site) {
                        episode.end(warnings, now_ns);
                    }
                }
                (None, Some(finding)) => {
                    let episode = Episode::begin(warnings, finding);
                    self.episodes.insert(site, (scale, episode));
                }
                (None, None) => {}
            }
        }
    }
}

impl Track {
    fn judge(
        &mut self,
        site: SiteId,
        suspect: &Suspect,
        over: u64,
        now_ns: u64,
        lasts: bool,
    ) -> Option<Finding> {
        let tenth = usize::try_from(suspect.alive.div_ceil(10)).unwrap_or(usize::MAX);
        let oldest = &suspect.oldest[..suspect.oldest.len().min(tenth)];
        let before = std::mem::take(&mut self.kept);
        // More than the tenth: it will be larger by the next window.
        for task in &suspect.oldest {
            let since = match before.get(&task.task) {
                Some((polls, since)) if *polls == task.polls => *since,
                _ => over,
            };
            self.kept.insert(task.task, (task.polls, since));
        }
        let silent = oldest.iter().filter(|task| {
            let kept = self.kept.get(&task.task);
            kept.is_some_and(|(_, since)| over.saturating_sub(*since) >= SILENT)
        });
        let is_leak = self.rises(lasts)
            && suspect.ended >= LEAST_ENDED
            && oldest.iter().all(|task| task.age_ns > suspect.far_ns)
            && silent.count() * 10 >= oldest.len() * 9;
        let example = oldest.first().filter(|_| is_leak)?;
        let mut finding = Finding::new(Kind::TaskLeak, Source::of_site(site), now_ns);
        finding.severity = Severity::Warn;
        finding.certainty = Certainty::Likely;
        finding.live = true;
        finding.task = example.task;
        finding.task_name.clone_from(&example.name);
        finding.belongs = example.belongs;
        finding.created = made(site, example.created);
        finding.wall_ns = Some(example.age_ns);
        finding.worst_ns = Some(example.age_ns);
        finding.at_least = true;
        finding.threshold_ns = Some(suspect.far_ns);
        finding.number = Some(suspect.far);
        finding.of = Some(suspect.alive);
        Some(finding)
    }
}

#[cfg(test)]
mod tests;

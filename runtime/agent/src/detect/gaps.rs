//! Times in which the whole process did not run: stopped by a signal or a debugger, or out of CPU quota.
//!
//! While it lasts nobody here runs to see it; the watchdog learns it from its own lateness. What a poll lost in such
//! a gap is not the poll's fault.

use std::collections::VecDeque;

use pollscope_capture::stack::Activity;

use super::slow_poll::LongPoll;

/// How many gaps are remembered: a poll that ends is judged within a second.
const KEPT: usize = 64;

/// One gap, in monotonic nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gap {
    pub(crate) from_ns: u64,
    pub(crate) to_ns: u64,
    pub(crate) why: Activity,
}

impl Gap {
    /// Whether it held every thread of the process, not only the one that noticed it.
    pub(crate) fn held_all(&self) -> bool {
        matches!(self.why, Activity::Stopped | Activity::Throttled)
    }

    fn overlap(&self, from_ns: u64, to_ns: u64) -> u64 {
        self.to_ns
            .min(to_ns)
            .saturating_sub(self.from_ns.max(from_ns))
    }
}

/// The last gaps.
#[derive(Debug, Default)]
pub(crate) struct Gaps(VecDeque<Gap>);

/// What a span of time lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lost {
    /// Nanoseconds in which no thread of the process ran.
    pub(crate) ns: u64,
    /// Nanoseconds in which the watchdog got no CPU: others may have had none either, and nobody watched.
    pub(crate) unwatched_ns: u64,
    /// The longest reason.
    pub(crate) why: Option<Activity>,
}

impl Gaps {
    /// Whether nobody was able to see a poll past its threshold: the watchdog is due at that moment, and did not run
    /// until the poll was over.
    pub(crate) fn hid_the_end(&self, of: &LongPoll) -> bool {
        let past_ns = of.wall_ns.saturating_sub(of.threshold_ns);
        let lost = self.lost(of.at_ns.saturating_sub(past_ns), of.at_ns);
        past_ns > 0 && lost.ns.saturating_add(lost.unwatched_ns) >= past_ns - past_ns / 4
    }

    pub(crate) fn add(&mut self, gap: Gap) {
        if self.0.len() >= KEPT {
            self.0.pop_front();
        }
        self.0.push_back(gap);
    }

    /// What the time from `from_ns` to `to_ns` lost.
    pub(crate) fn lost(&self, from_ns: u64, to_ns: u64) -> Lost {
        let mut lost = Lost::default();
        let mut longest = 0;
        for gap in &self.0 {
            let overlap = gap.overlap(from_ns, to_ns);
            if overlap == 0 {
                continue;
            }
            *(if gap.held_all() {
                &mut lost.ns
            } else {
                &mut lost.unwatched_ns
            }) += overlap;
            if overlap > longest {
                (longest, lost.why) = (overlap, Some(gap.why));
            }
        }
        lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_overlaps_is_lost() {
        let mut gaps = Gaps::default();
        gaps.add(Gap {
            from_ns: 100,
            to_ns: 200,
            why: Activity::Stopped,
        });
        gaps.add(Gap {
            from_ns: 300,
            to_ns: 320,
            why: Activity::Descheduled,
        });
        assert_eq!(gaps.lost(0, 100), Lost::default());
        assert_eq!(
            gaps.lost(150, 400),
            Lost {
                ns: 50,
                unwatched_ns: 20,
                why: Some(Activity::Stopped)
            }
        );
        assert_eq!(
            gaps.lost(310, 400),
            Lost {
                ns: 0,
                unwatched_ns: 10,
                why: Some(Activity::Descheduled)
            }
        );
    }

    #[test]
    fn the_oldest_make_room() {
        let mut gaps = Gaps::default();
        for at in 0..1000 {
            gaps.add(Gap {
                from_ns: at * 10,
                to_ns: at * 10 + 1,
                why: Activity::Stopped,
            });
        }
        assert_eq!(gaps.lost(0, u64::MAX).ns, KEPT as u64);
    }
}

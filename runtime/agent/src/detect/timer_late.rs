//! Late timers: what the hot path tells of one waits for the watchdog, who knows whether the process ran at all.
//!
//! A timer that is late because the process was stopped, or got no CPU, tells nothing of its worker: a note.

use super::gaps::Lost;
use crate::finding::{Certainty, Severity};
use crate::warnings::{Example, Warnings};

/// As for polls: how long it waits for the watchdog's round, at most.
const PATIENCE_NS: u64 = 300_000_000;
/// Past it they are settled with what is known.
const MOST: usize = 1024;

/// Late timers that wait for the watchdog's word.
#[derive(Debug, Default)]
pub(crate) struct LateTimers(Vec<Example>);

impl LateTimers {
    /// One was told.
    pub(crate) fn told(&mut self, example: Example) {
        self.0.push(example);
    }

    /// Whether any waits.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.0.is_empty()
    }

    /// Puts those into the table of which the watchdog knows by now, or `all`. `lost`: what the time between two moments
    /// lost.
    pub(crate) fn settle(
        &mut self,
        warnings: &mut Warnings,
        lost: impl Fn(u64, u64) -> Lost,
        now_ns: u64,
        watched_ns: u64,
        all: bool,
    ) {
        let all = all || self.0.len() > MOST;
        let is_due = |example: &mut Example| {
            let at_ns = example.finding.last_ns;
            all || watched_ns >= at_ns || now_ns.saturating_sub(at_ns) >= PATIENCE_NS
        };
        for mut example in self.0.extract_if(.., is_due) {
            let finding = &mut example.finding;
            let late_ns = finding.wall_ns.unwrap_or(0);
            let at_ns = finding.last_ns;
            let lost = lost(at_ns.saturating_sub(late_ns), at_ns);
            let threshold_ns = finding.threshold_ns.unwrap_or(0);
            if late_ns.saturating_sub(lost.ns) < threshold_ns
                || lost.unwatched_ns >= (late_ns / 2).max(1)
            {
                finding.severity = Severity::Info;
                finding.certainty = Certainty::Likely;
                example.excused = true;
            }
            warnings.add(example);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{Finding, Kind, Source};
    use crate::warnings::{Key, Log};
    use pollscope_capture::SiteId;

    const MS: u64 = 1_000_000;

    /// Late by 200 ms at 1000 ms, held to 100 ms.
    fn late() -> Example {
        let mut finding = Finding::new(Kind::TimerLate, Source::of_site(SiteId::OTHER), 1000 * MS);
        finding.severity = Severity::Warn;
        finding.wall_ns = Some(200 * MS);
        finding.threshold_ns = Some(100 * MS);
        Example {
            key: Key::Site(SiteId::OTHER),
            finding,
            beyond: false,
            excused: false,
            log: Log::Paced,
        }
    }

    fn settled(lost: Lost, now_ms: u64, watched_ms: u64) -> Option<Severity> {
        let (mut warnings, mut timers) = (Warnings::default(), LateTimers::default());
        timers.told(late());
        let asked = |from_ns, to_ns| {
            assert_eq!((from_ns, to_ns), (800 * MS, 1000 * MS));
            lost
        };
        timers.settle(&mut warnings, asked, now_ms * MS, watched_ms * MS, false);
        warnings.all().next().map(|finding| finding.severity)
    }

    #[test]
    fn a_late_timer_waits_for_the_watchdog_and_not_for_ever() {
        assert_eq!(settled(Lost::default(), 1100, 999), None);
        assert_eq!(settled(Lost::default(), 1100, 1000), Some(Severity::Warn));
        assert_eq!(settled(Lost::default(), 1300, 0), Some(Severity::Warn));
    }

    #[test]
    fn one_that_was_late_because_the_process_did_not_run_is_a_note() {
        let lost = |ns: u64, unwatched_ns: u64| Lost {
            ns: ns * MS,
            unwatched_ns: unwatched_ns * MS,
            why: None,
        };
        assert_eq!(settled(lost(101, 0), 1100, 1000), Some(Severity::Info));
        assert_eq!(settled(lost(100, 0), 1100, 1000), Some(Severity::Warn));
        assert_eq!(settled(lost(0, 100), 1100, 1000), Some(Severity::Info));
        assert_eq!(settled(lost(0, 99), 1100, 1000), Some(Severity::Warn));
    }
}

//! The watchdog's own lateness: how a stop of the whole process is seen at all.

use std::sync::Arc;
use std::time::Duration;

use pollscope_capture::stack::{Activity, Sample, ThreadHandle, judge_gap};
use pollscope_capture::thread;

use crate::detect::gaps::Gap;

/// The share of a pause that may be late, and the least of it that is told.
const TOLERANCE: u32 = 4;
const LEAST_NS: u64 = 30_000_000;
/// How often the watchdog looks at itself while it is on time, and from which lateness on at once: it is judged by
/// what happened since it looked last, and many small waits for a CPU would add up to an excuse for a long stop.
const REFRESH_NS: u64 = 100_000_000;
const PUNCTUAL_NS: u64 = 1_000_000;

/// Follows the watchdog's own scheduler state.
pub(super) struct Lateness {
    handle: Option<Arc<ThreadHandle>>,
    sample: Option<Sample>,
}

impl Lateness {
    /// On the watchdog's own thread.
    pub(super) fn new() -> Self {
        let handle = thread::current().and_then(thread::Thread::handle);
        let sample = handle.as_ref().map(|handle| handle.sample());
        Self { handle, sample }
    }

    /// Says why the round of `now` comes later than `pause` after `since`, where it does.
    pub(super) fn judge(&mut self, since: u64, now: u64, pause: Duration) -> Option<Gap> {
        let pause_ns = pause.as_nanos() as u64;
        let late = now.saturating_sub(since).saturating_sub(pause_ns);
        let tolerance = (pause_ns / u64::from(TOLERANCE)).max(LEAST_NS);
        let known = self.sample?;
        if late <= tolerance {
            if late >= PUNCTUAL_NS || now.saturating_sub(known.at_ns) >= REFRESH_NS {
                self.sample = self.handle.as_ref().map(|handle| handle.sample());
            }
            return None;
        }
        let after = self.handle.as_ref()?.sample();
        self.sample = Some(after);
        // What lies between the samples and is not late was expected.
        let expected = after.at_ns.saturating_sub(known.at_ns).saturating_sub(late);
        let why = judge_gap(&known, &after, expected, 0)?;
        // Of a watchdog that computed nobody else lost anything.
        (why != Activity::OnCpu).then_some(Gap {
            from_ns: now - late,
            to_ns: now,
            why,
        })
    }
}

//! What a reading of the counter means on the monotonic clock: a straight line, and the one before it where the counter
//! jumped. Pure: no clock is read here.
//!
//! While the machine is suspended the monotonic clock stands still, and the counter runs on or begins again at nothing.
//! So each of its readings belongs to the time before or after that, and only one line is right for it.

/// One moment by both clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) ticks: u64,
    /// Nanoseconds of `CLOCK_MONOTONIC`.
    pub(super) ns: u64,
}

/// Cores may be out of step by so many ticks, and more.
const STEP: u64 = 1 << 20;

/// A moment, and how fast the counter goes from there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Course {
    pub(super) at: Moment,
    /// Nanoseconds per tick, 32 bits of fraction.
    pub(super) scale: u64,
}

impl Course {
    /// A tick is a nanosecond.
    pub(super) const PLAIN: Self = Self {
        at: Moment { ticks: 0, ns: 0 },
        scale: 1 << 32,
    };

    fn mono_of(&self, ticks: u64) -> u64 {
        let Self { at, scale } = *self;
        if ticks >= at.ticks {
            at.ns.saturating_add(to_ns(ticks - at.ticks, scale))
        } else {
            at.ns.saturating_sub(to_ns(at.ticks - ticks, scale))
        }
    }
}

/// All that readings are understood by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) now: Course,
    /// What was right before the counter jumped.
    pub(super) before: Option<Course>,
    /// It jumped back: what was read before may be more than what is read now.
    pub(super) went_back: bool,
}

impl Line {
    pub(super) const PLAIN: Self = Self {
        now: Course::PLAIN,
        before: None,
        went_back: false,
    };

    /// A reading as nanoseconds of the monotonic clock; `latest` is what the counter says now.
    pub(super) fn mono_of(&self, ticks: u64, latest: u64) -> u64 {
        let (here, jumped) = (self.now.mono_of(ticks), self.now.at);
        let Some(before) = &self.before else {
            return here;
        };
        // The jump was noticed a while after it was made: what was read between was read by then at the latest.
        match (self.went_back, ticks < jumped.ticks) {
            (true, true) => jumped.ns,
            (false, true) => before.mono_of(ticks).min(jumped.ns),
            (true, false) if ticks > latest.saturating_add(STEP) => {
                before.mono_of(ticks).min(jumped.ns)
            }
            (_, false) => here,
        }
    }

    /// Whether the counter can be believed about a span of `ns` that ends `now`: it has not jumped within, and says what
    /// the monotonic clock says.
    pub(super) fn agrees(&self, now: Moment, ns: u64) -> bool {
        let begun = now.ticks.saturating_sub(to_ticks(ns, self.now.scale));
        let jumped_within = self.before.is_some() && begun < self.now.at.ticks;
        let apart = self.now.mono_of(now.ticks).abs_diff(now.ns);
        !jumped_within && apart <= (ns / 4).max(1_000_000)
    }
}

/// A span of ticks in nanoseconds.
#[inline]
pub(super) fn to_ns(span: u64, scale: u64) -> u64 {
    ((u128::from(span) * u128::from(scale)) >> 32) as u64
}

/// A time in nanoseconds as a span of ticks, not longer than the one that it was.
pub(super) fn to_ticks(ns: u64, scale: u64) -> u64 {
    ((u128::from(ns) << 32) / u128::from(scale.max(1))) as u64
}

//! How fast the counter goes, from pairs of readings, a second or so from one to the next. Pure: no clock is read here.
//!
//! The longer both clocks were compared, the better is known how fast the one goes by the other; but only while they go
//! together. A suspend stops one of them, and what it adds to the time between two pairs is no rate. So each pair is
//! compared with the last one alone first. Where the counter went as it always does the pair refines the rate; where it
//! did not, it jumped: the rate stays, and all is counted from here.

use super::line::{Course, Line, Moment};

/// By so much of itself a rate may differ from one pair to the next: the kernel slews its clock by 500 ppm at most, and
/// a pair is good to some microseconds of a second.
const FIT: u64 = 1000;
/// The first rate is that of a millisecond, and so may be off by more: see `Calibration::new`.
const FIRST_FIT: u64 = 4;
/// Pairs that are closer tell too little.
const LEAST_NS: u64 = 100_000_000;

/// What a pair told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// Nothing: it came too soon.
    Nothing,
    /// How fast the counter goes.
    Rate,
    /// That it jumped.
    Jump,
}

/// What is known of the counter.
#[derive(Clone, Copy, Debug)]
pub(super) struct Calibration {
    line: Line,
    last: Moment,
    /// The rate was measured over more than the first moment.
    is_sure: bool,
    /// By the last pair the counter went at this rate, which was none of its own.
    odd: Option<u64>,
}

impl Calibration {
    /// Of the first two pairs. Another program may have had the CPU between the two readings of one of them.
    pub(super) fn new(from: Moment, to: Moment) -> Self {
        let scale = rate(from, to).unwrap_or(Course::PLAIN.scale);
        let now = Course { at: from, scale };
        Self {
            line: Line { now, ..Line::PLAIN },
            last: from,
            is_sure: false,
            odd: None,
        }
    }

    /// What readings are to be understood by.
    pub(super) fn line(&self) -> &Line {
        &self.line
    }

    /// Takes in a pair.
    pub(super) fn take(&mut self, pair: Moment) -> Told {
        if pair.ticks >= self.last.ticks && pair.ns.saturating_sub(self.last.ns) < LEAST_NS {
            return Told::Nothing;
        }
        let measured = rate(self.last, pair);
        self.last = pair;
        let part = if self.is_sure { FIT } else { FIRST_FIT };
        let fits = |known: u64, part| {
            measured.is_some_and(|measured| measured.abs_diff(known) <= known / part)
        };
        if fits(self.line.now.scale, part) {
            self.is_sure = true;
            self.odd = None;
            if let Some(scale) = rate(self.line.now.at, pair) {
                self.line.now.scale = scale;
            }
            return Told::Rate;
        }
        // Twice in a row the same: it goes at another rate from now on, as on another machine.
        let scale = measured.filter(|_| self.odd.is_some_and(|odd| fits(odd, FIT)));
        self.odd = measured;
        self.line = Line {
            before: Some(self.line.now),
            went_back: measured.is_none(),
            now: Course {
                at: pair,
                scale: scale.unwrap_or(self.line.now.scale),
            },
        };
        Told::Jump
    }
}

/// Nanoseconds per tick from one moment to another; `None` where the counter went back, or stands.
fn rate(from: Moment, to: Moment) -> Option<u64> {
    let ticks = to.ticks.checked_sub(from.ticks)?;
    let ns = u128::from(to.ns.saturating_sub(from.ns)) << 32;
    u64::try_from(ns.checked_div(u128::from(ticks))?).ok()
}

#[cfg(test)]
mod tests;

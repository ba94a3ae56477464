//! Numbers with units, as filters write them.

use super::NumberKey;

/// What a number counts, and so which units it may carry.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Time,
    Bytes,
    Count,
}

impl NumberKey {
    pub(super) const fn unit(self) -> Unit {
        match self {
            Self::Age | Self::Busy | Self::Max | Self::Current | Self::Scheduled | Self::Idle => {
                Unit::Time
            }
            Self::Bytes => Unit::Bytes,
            Self::Id
            | Self::Thread
            | Self::Runtime
            | Self::Parent
            | Self::Polls
            | Self::Wakes
            | Self::SelfWakes
            | Self::Live
            | Self::Spawned
            | Self::Ended => Unit::Count,
        }
    }
}

/// Reads a time as filters and the command line write it: `100ms`, `1.5s`, `2m`. In nanoseconds.
///
/// # Errors
/// Says what a time looks like.
///
/// ```
/// use pollscope_proto::filter::time_ns;
/// assert_eq!(time_ns("1.5ms"), Ok(1_500_000));
/// assert_eq!(time_ns("5"), Err("a time, like 100ms or 2m"));
/// ```
pub fn time_ns(text: &str) -> Result<u64, &'static str> {
    Unit::Time.parse(text)
}

/// Largest first. Of two names for one unit the first is the one written back.
const TIMES: &[(&str, u64)] = &[
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("µs", 1_000),
    ("ns", 1),
];
const SIZES: &[(&str, u64)] = &[
    ("G", 1 << 30),
    ("M", 1 << 20),
    ("k", 1 << 10),
    ("K", 1 << 10),
    ("", 1),
];
const COUNTS: &[(&str, u64)] = &[
    ("G", 1_000_000_000),
    ("M", 1_000_000),
    ("k", 1_000),
    ("K", 1_000),
    ("", 1),
];

impl Unit {
    const fn names(self) -> &'static [(&'static str, u64)] {
        match self {
            Self::Time => TIMES,
            Self::Bytes => SIZES,
            Self::Count => COUNTS,
        }
    }

    const fn example(self) -> &'static str {
        match self {
            Self::Time => "a time, like 100ms or 2m",
            Self::Bytes => "a size, like 4k or 1M",
            Self::Count => "a number, like 12 or 1k",
        }
    }

    /// Reads `1.5ms`. The error says what was expected.
    pub(super) fn parse(self, text: &str) -> Result<u64, &'static str> {
        self.read(text).ok_or(self.example())
    }

    fn read(self, text: &str) -> Option<u64> {
        let digits = |c: char| c.is_ascii_digit() || c == '.';
        let split = text.find(|c| !digits(c)).unwrap_or(text.len());
        let (number, unit) = text.split_at(split);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
        if whole.is_empty() || fraction.is_empty() || fraction.len() > 18 {
            return None;
        }
        let (whole, fraction_value): (u64, u64) = (whole.parse().ok()?, fraction.parse().ok()?);
        if whole == 0 && fraction_value == 0 && unit.is_empty() {
            return Some(0);
        }
        let (_, factor) = self.names().iter().find(|(name, _)| *name == unit)?;
        let scale = 10_u128.pow(fraction.len() as u32);
        let factor = u128::from(*factor);
        let value = u128::from(whole) * factor + u128::from(fraction_value) * factor / scale;
        u64::try_from(value).ok()
    }

    /// Writes a value so that [`Self::parse`] reads the same: in the largest unit that divides it.
    pub(super) fn write(self, value: u64, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (name, factor) = self
            .names()
            .iter()
            .find(|(_, factor)| value != 0 && value.is_multiple_of(*factor))
            .unwrap_or(&("", 1));
        write!(f, "{}{name}", value / factor)
    }
}

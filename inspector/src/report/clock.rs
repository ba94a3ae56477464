//! The target's monotonic times as times of day. In UTC: a log of two machines must line up.

use crate::model::Clock;

/// `13:02:11Z` of a monotonic time of the target.
pub(super) fn time_of_day(clock: Clock, mono_ns: u64) -> String {
    let unix_ns = i128::from(clock.unix_ns) + i128::from(mono_ns) - i128::from(clock.mono_ns);
    let seconds = u64::try_from(unix_ns / 1_000_000_000).unwrap_or(0) % 86_400;
    let (hour, minute) = (seconds / 3600, seconds / 60 % 60);
    format!("{hour:02}:{minute:02}:{:02}Z", seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_pair_anchors_monotonic_times() {
        let clock = Clock {
            mono_ns: 5_000_000_000,
            unix_ns: 1_763_816_531_000_000_000,
        };
        assert_eq!(time_of_day(clock, 5_000_000_000), "13:02:11Z");
        assert_eq!(time_of_day(clock, 1_000_000_000), "13:02:07Z");
        assert_eq!(time_of_day(clock, 65_900_000_000), "13:03:11Z");
        assert_eq!(
            time_of_day(
                Clock {
                    mono_ns: u64::MAX,
                    unix_ns: 0
                },
                0
            ),
            "00:00:00Z"
        );
    }
}

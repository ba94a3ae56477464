//! The histogram buckets that both ends mean by an index: log-linear, two per octave, from 64 ns to 137 s.
//!
//! For `v` nanoseconds: below 64 it is bucket 0. Otherwise let `o = floor(log2 v)` (6 or more) and `half` be
//! bit `o - 1` of `v`: the index is `min(63, 1 + 2 * (o - 6) + half)`. So bucket 1 starts at 64 ns, bucket 2 at
//! 96 ns, bucket 3 at 128 ns, and bucket 63 takes everything from 2^37 ns (137 s) on.
//!
//! Inside the target long times have more buckets than travel, by the same formula without its end: [`start`] and
//! [`quantile`] know those, too.
//!
//! Error: a value lies at most 50 % above the lower bound of its bucket (33 % in the upper halves). A quantile
//! is interpolated within its bucket and never above the largest value seen.
//!
//! The hot path of the target computes the same index by the same formula in a crate that does not know this
//! one; a test of the agent holds the two together.

/// How many buckets a histogram has.
pub const COUNT: usize = 64;
/// How many there are until a `u64` is at its end.
const ALL: usize = 117;

/// The bucket of a time.
///
/// ```
/// use pollscope_proto::buckets::index;
/// assert_eq!([index(0), index(63), index(64), index(96), index(128)], [0, 0, 1, 2, 3]);
/// ```
pub const fn index(ns: u64) -> usize {
    if ns < 64 {
        return 0;
    }
    let octave = ns.ilog2();
    let half = (ns >> (octave - 1)) & 1;
    let index = 1 + 2 * (octave as usize - 6) + half as usize;
    if index < COUNT { index } else { COUNT - 1 }
}

/// The smallest time in a bucket, in nanoseconds. An index past the last bucket means the last.
pub const fn lower_bound(index: usize) -> u64 {
    start(if index < COUNT { index } else { COUNT - 1 })
}

/// The smallest time in a bucket, in nanoseconds, where they do not end at [`COUNT`]. An index past the last that a
/// `u64` has means that one.
pub const fn start(index: usize) -> u64 {
    if index == 0 {
        return 0;
    }
    let step = if index < ALL { index - 1 } else { ALL - 2 };
    let octave = 6 + step / 2;
    let half = (step % 2) as u64;
    (1 << octave) | (half << (octave - 1))
}

/// The time below which the share `q` (0 to 1) of the counted values lies, in nanoseconds; 0 if none were
/// counted.
///
/// `max` is the largest value seen, which bounds the answer and the last bucket: that is open. More counts than
/// [`COUNT`] are those of long times.
///
/// ```
/// use pollscope_proto::buckets::{COUNT, index, quantile};
/// let mut counts = [0; COUNT];
/// counts[index(100)] = 99;
/// counts[index(5_000)] = 1;
/// assert!(quantile(&counts, 0.5, 5_000) < 128);
/// assert_eq!(quantile(&counts, 1.0, 5_000), 5_000);
/// ```
pub fn quantile(counts: &[u64], q: f64, max: u64) -> u64 {
    let total: u64 = counts
        .iter()
        .fold(0, |sum, count| sum.saturating_add(*count));
    if total == 0 {
        return 0;
    }
    let rank = (q.clamp(0.0, 1.0) * total as f64).ceil().max(1.0) as u64;
    let open = counts.len().max(COUNT) - 1;
    let mut below = 0_u64;
    for (at, &count) in counts.iter().enumerate() {
        if count > 0 && below.saturating_add(count) >= rank {
            let from = start(at);
            let most = max.max(from);
            let end = if at < open {
                start(at + 1).min(most)
            } else {
                most
            };
            let share = (rank - below) as f64 / count as f64;
            let inside = (end - from) as f64 * share;
            return from.saturating_add(inside as u64).min(max);
        }
        below = below.saturating_add(count);
    }
    max
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_lower_bound_is_the_first_of_its_bucket() {
        for at in 0..COUNT {
            assert_eq!(index(lower_bound(at)), at);
            if at > 0 {
                assert_eq!(index(lower_bound(at) - 1), at - 1);
            }
        }
        assert_eq!(lower_bound(63), 1 << 37);
        assert_eq!(index(u64::MAX), 63);
        assert_eq!(lower_bound(usize::MAX), 1 << 37);
    }

    #[test]
    fn long_times_have_buckets_past_the_last() {
        for at in 0..COUNT {
            assert_eq!(start(at), lower_bound(at));
        }
        assert_eq!(start(COUNT), 3 << 36);
        assert_eq!(start(COUNT + 1), 1 << 38);
        assert_eq!(start(ALL - 1), 3 << 62);
        assert_eq!(start(usize::MAX), 3 << 62);
    }

    #[test]
    fn one_long_time_does_not_move_the_others() {
        let hour = 3_600_000_000_000;
        let mut counts = [0; COUNT + 24];
        counts[COUNT + 1] = 999; // Four and a half to seven minutes.
        counts[COUNT + 23] = 1; // Days.
        let p99 = quantile(&counts, 0.99, 200 * hour);
        assert!((start(COUNT + 1)..start(COUNT + 2)).contains(&p99), "{p99}");
        assert_eq!(quantile(&counts, 1.0, 200 * hour), 200 * hour);
    }

    #[test]
    fn nothing_counted_is_zero() {
        assert_eq!(quantile(&[], 0.5, 7), 0);
        assert_eq!(quantile(&[0; COUNT], 0.99, 7), 0);
    }

    proptest! {
        #[test]
        fn a_value_is_within_half_of_its_bucket(ns in 64_u64..1 << 37) {
            let start = lower_bound(index(ns));
            prop_assert!(start <= ns && ns < start + start.div_ceil(2));
        }

        #[test]
        fn quantiles_rise_and_stay_below_the_maximum(values in prop::collection::vec(any::<u64>(), 1..50)) {
            let mut counts = [0; COUNT];
            for value in &values {
                counts[index(*value)] += 1;
            }
            let max = values.iter().copied().max().unwrap();
            let mut last = 0;
            for q in [0.0, 0.1, 0.5, 0.9, 0.99, 1.0] {
                let now = quantile(&counts, q, max);
                prop_assert!(last <= now && now <= max);
                last = now;
            }
        }
    }
}

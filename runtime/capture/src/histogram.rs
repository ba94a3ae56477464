//! Log-linear histograms: 64 buckets, two to an octave, of nanoseconds. No allocation, one writer.
//!
//! Bucket 0 holds everything under 64 ns; from there each octave has two halves, so a value is known to within
//! a factor of 1.5. `pollscope_proto::buckets` states the same formula for the readers.
//!
//! 64 buckets end at 137 s, which is enough for a poll. A task may live for days, and one that waits behind a worker that
//! hangs does so for as long: those times have as many buckets more as it takes to tell minutes from hours.

use crate::protocol::counter::Counter;

/// How many buckets a histogram has.
pub const BUCKETS: usize = 64;

/// How many a histogram of long times has: the last begins at 6.5 days.
pub const LONG: usize = 88;

/// The bucket of a value in nanoseconds.
#[inline]
pub fn bucket(ns: u64) -> usize {
    bucket_of::<BUCKETS>(ns)
}

/// The bucket of a long time in nanoseconds, one of [`LONG`].
#[inline]
pub fn long_bucket(ns: u64) -> usize {
    bucket_of::<LONG>(ns)
}

#[inline]
fn bucket_of<const N: usize>(ns: u64) -> usize {
    if ns < 64 {
        return 0;
    }
    let octave = 63 - ns.leading_zeros() as usize;
    let half = (ns >> (octave - 1)) as usize & 1;
    (1 + 2 * (octave - 6) + half).min(N - 1)
}

/// A histogram that one thread writes and any thread reads.
#[derive(Debug)]
pub struct Histogram<const N: usize = BUCKETS>([Counter; N]);

impl<const N: usize> Default for Histogram<N> {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Counter::default()))
    }
}

impl<const N: usize> Histogram<N> {
    /// Counts one value. The one writer only.
    #[inline]
    pub(crate) fn record(&self, ns: u64) {
        self.0[bucket_of::<N>(ns)].bump(1);
    }

    /// Adds the counts to `sums`. Any thread.
    pub fn add_to(&self, sums: &mut [u64; N]) {
        for (sum, counter) in sums.iter_mut().zip(&self.0) {
            *sum += counter.get();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_ordered_and_two_to_an_octave() {
        assert_eq!(bucket(0), 0);
        assert_eq!(bucket(63), 0);
        assert_eq!(bucket(64), 1);
        assert_eq!(bucket(95), 1);
        assert_eq!(bucket(96), 2);
        assert_eq!(bucket(128), 3);
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
        let mut last = 0;
        for shift in 0..64 {
            let now = bucket(1 << shift);
            assert!(now >= last);
            last = now;
        }
    }

    #[test]
    fn long_times_go_on_where_the_others_end() {
        let last = 1 << 37;
        assert_eq!(bucket(last), BUCKETS - 1);
        assert_eq!(bucket(last * 2), BUCKETS - 1);
        for ns in [0, 64, 96, last - 1, last] {
            assert_eq!(long_bucket(ns), bucket(ns));
        }
        assert_eq!(long_bucket(last * 3 / 2), BUCKETS);
        assert_eq!(long_bucket(last * 2), BUCKETS + 1);
        assert_eq!(long_bucket(u64::MAX), LONG - 1);
    }
}

//! Log-linear histograms: 64 buckets, two to an octave, of nanoseconds. No allocation, one writer.
//!
//! Bucket 0 holds everything under 64 ns; from there each octave has two halves, so a value is known to within
//! a factor of 1.5. `pollscope_proto::buckets` states the same formula for the readers.

use crate::protocol::counter::Counter;

/// How many buckets a histogram has.
pub const BUCKETS: usize = 64;

/// The bucket of a value in nanoseconds.
#[inline]
pub fn bucket(ns: u64) -> usize {
    if ns < 64 {
        return 0;
    }
    let octave = 63 - ns.leading_zeros() as usize;
    let half = (ns >> (octave - 1)) as usize & 1;
    (1 + 2 * (octave - 6) + half).min(BUCKETS - 1)
}

/// A histogram that one thread writes and any thread reads.
#[derive(Debug)]
pub struct Histogram([Counter; BUCKETS]);

impl Default for Histogram {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Counter::default()))
    }
}

impl Histogram {
    /// Counts one value. The one writer only.
    #[inline]
    pub(crate) fn record(&self, ns: u64) {
        self.0[bucket(ns)].bump(1);
    }

    /// Adds the counts to `sums`. Any thread.
    pub fn add_to(&self, sums: &mut [u64; BUCKETS]) {
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
}

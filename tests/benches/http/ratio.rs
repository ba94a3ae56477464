//! The ratio of two things measured in pairs, and how sure one may be of it.

/// How often the pairs are drawn anew.
const DRAWS: usize = 10_000;

/// The median of the ratios within the pairs, and what it is below of with 95 % confidence, by bootstrap: of so many
/// sets of pairs, drawn from these with replacement, 95 % have a median ratio below that.
pub(crate) fn bounded(pairs: &[(f64, f64)]) -> (f64, f64) {
    let ratios: Vec<f64> = pairs.iter().map(|(plain, ours)| ours / plain).collect();
    // The same seed each time: one set of pairs has one bound.
    let mut random = XorShift(0x9E37_79B9_7F4A_7C15);
    let mut medians: Vec<f64> = (0..DRAWS)
        .map(|_| median((0..ratios.len()).map(|_| ratios[random.below(ratios.len())])))
        .collect();
    medians.sort_by(f64::total_cmp);
    (median(ratios.iter().copied()), medians[DRAWS * 95 / 100])
}

pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    f64::midpoint(values[(values.len() - 1) / 2], values[values.len() / 2])
}

/// Marsaglia's generator, good enough to draw.
struct XorShift(u64);

impl XorShift {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

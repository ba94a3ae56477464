//! A small chart of one row: the newest value on the right.

const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The last seconds of `values` in `width` columns, against `full`. Where there are more values than columns each
/// column shows the highest of its share, so that no peak is lost.
pub(super) fn line(values: &[u64], full: u64, width: usize) -> String {
    if width == 0 || values.is_empty() {
        return String::new();
    }
    let share = values.len().div_ceil(width);
    let columns = values.len().div_ceil(share);
    let mut text = " ".repeat(width - columns);
    // Counted from the end, so that a column keeps its values while new ones arrive.
    let chunks: Vec<u64> = values
        .rchunks(share)
        .map(|chunk| chunk.iter().copied().max().unwrap_or(0))
        .collect();
    text.extend(chunks.iter().rev().map(|&value| bar(value, full)));
    text
}

fn bar(value: u64, full: u64) -> char {
    let full = full.max(1);
    let step = (u128::from(value.min(full)) * 8 / u128::from(full)) as usize;
    BARS[step.saturating_sub(usize::from(step == 8)).min(7)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_is_on_the_right_and_the_full_height_is_the_top() {
        assert_eq!(line(&[0, 500, 1000], 1000, 3), "▁▅█");
        assert_eq!(line(&[1000], 1000, 4), "   █");
        assert_eq!(line(&[], 1000, 4), "");
        assert_eq!(line(&[u64::MAX], 0, 1), "█");
    }

    #[test]
    fn no_peak_is_lost_when_values_share_a_column() {
        let mut values = vec![0; 60];
        values[31] = 1000;
        let text = line(&values, 1000, 10);
        assert_eq!(text.chars().count(), 10);
        assert_eq!(text.matches('█').count(), 1);
    }
}

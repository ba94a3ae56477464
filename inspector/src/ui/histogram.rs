//! A histogram lying on its side: each row names where its bucket begins, so that the axis needs no guessing.

use pollscope_proto::buckets::lower_bound;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::{Theme, boxes};
use crate::format;
use crate::model::Distribution;

/// Behind a row from the threshold on.
const SLOW: &str = "  ◂ slow";
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// How the axis is written.
#[derive(Clone, Copy)]
pub(super) enum Unit {
    Duration,
    Age,
}

/// Draws the buckets that hold something, merged until they fit; rows from `threshold` nanoseconds on (0: none)
/// are marked. Scrolled, they are as fine as there are, from the `skip`th on.
pub(super) fn draw(
    theme: Theme,
    of: &Distribution,
    unit: Unit,
    threshold: u64,
    skip: usize,
    area: Rect,
    buf: &mut Buffer,
) {
    if area.height == 0 {
        return;
    }
    let height = if skip == 0 {
        usize::from(area.height)
    } else {
        usize::MAX
    };
    let mut rows = merged(&of.buckets, height);
    let most = rows.iter().map(|row| row.1).max().unwrap_or(0).max(1);
    // Beside the bar: where the bucket begins, a count of five digits, the mark of slow rows.
    let beside = 9 + 6 + if threshold > 0 { SLOW.width() } else { 0 };
    let room = usize::from(area.width).saturating_sub(beside).min(60);
    rows.drain(..skip.min(rows.len().saturating_sub(1)));
    let lines = rows.into_iter().map(|(from, count)| {
        let label = match unit {
            Unit::Duration => format::duration(from),
            Unit::Age => format::age(from),
        };
        let slow = threshold > 0 && from >= threshold;
        let style = if slow {
            theme.severity(crate::model::Severity::Warn)
        } else {
            theme.chart()
        };
        let note = if slow && count > 0 { SLOW } else { "" };
        Line::from(vec![
            Span::styled(format!("{label:>8} "), theme.dim()),
            Span::styled(bar(count, most, room), style),
            Span::raw(format!(" {}", format::count(count))),
            Span::styled(note, theme.dim()),
        ])
    });
    boxes::lines(area, lines, buf);
}

/// `(from, count)` of at most `height` rows, from the first bucket that holds something to the last.
fn merged(buckets: &[u64], height: usize) -> Vec<(u64, u64)> {
    let Some(first) = buckets.iter().position(|&count| count > 0) else {
        return Vec::new();
    };
    let last = buckets
        .iter()
        .rposition(|&count| count > 0)
        .unwrap_or(first);
    let used = &buckets[first..=last];
    // Two buckets make an octave: merging them first keeps the axis in powers of two.
    let mut by = 2;
    while used.len().div_ceil(by) > height.max(1) {
        by += 2;
    }
    used.chunks(by)
        .enumerate()
        .map(|(at, chunk)| {
            let count = chunk
                .iter()
                .fold(0_u64, |sum, count| sum.saturating_add(*count));
            (lower_bound(first + at * by), count)
        })
        .collect()
}

/// Eighths of a column; what is not nothing is at least a sliver.
fn bar(count: u64, most: u64, room: usize) -> String {
    let eighths = (u128::from(count) * room as u128 * 8 / u128::from(most.max(1))) as usize;
    let eighths = if count > 0 { eighths.max(1) } else { 0 };
    let mut text = "█".repeat(eighths / 8);
    text.push_str(EIGHTHS[eighths % 8]);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_merged_until_they_fit_and_nothing_is_lost() {
        let mut buckets = vec![0; 64];
        buckets[3] = 5;
        buckets[20] = 7;
        buckets[41] = 1;
        for height in [1, 3, 10, 50] {
            let rows = merged(&buckets, height);
            assert!(rows.len() <= height.max(1), "{height}");
            assert_eq!(rows.iter().map(|row| row.1).sum::<u64>(), 13);
            assert_eq!(rows[0].0, lower_bound(3));
        }
        assert!(merged(&[0; 64], 5).is_empty());
    }

    #[test]
    fn a_scrolled_chart_begins_later_and_is_as_fine_as_can_be() {
        let mut buckets = vec![0; 64];
        for (at, count) in buckets.iter_mut().enumerate().take(40) {
            *count = at as u64 + 1;
        }
        let of = Distribution {
            buckets,
            ..Distribution::default()
        };
        let first = |skip| {
            let area = Rect::new(0, 0, 40, 5);
            let mut buf = Buffer::empty(area);
            draw(Theme::PLAIN, &of, Unit::Duration, 0, skip, area, &mut buf);
            let text: String = (0..9).map(|x| buf[(x, 0)].symbol()).collect();
            text.trim().to_owned()
        };
        assert_eq!(first(3), format::duration(lower_bound(6)));
        assert_ne!(first(4), first(3));
        assert_eq!(
            first(99),
            format::duration(lower_bound(38)),
            "the last stays"
        );
    }

    #[test]
    fn the_rarest_is_still_seen() {
        assert_eq!(bar(1, 1_000_000, 20), "▏");
        assert_eq!(bar(0, 10, 20), "");
        assert_eq!(bar(10, 10, 3), "███");
        assert_eq!(bar(u64::MAX, u64::MAX, 2), "██");
    }
}

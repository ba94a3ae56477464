//! Bounds that both ends hold themselves to, and the choice of a protocol version.
//!
//! A sender stays below a limit; a receiver refuses, cuts or counts what is above it. Nothing here can be
//! raised without a new protocol version, because an older peer would drop the connection.

use std::ops::RangeInclusive;

/// No message is larger, in bytes as encoded. A larger answer travels in parts.
pub const MAX_MESSAGE: usize = 1 << 20;

/// What a receiver lets tonic decode: [`MAX_MESSAGE`] and room for a sender that counts a little differently.
pub const MAX_DECODE: usize = MAX_MESSAGE + 64 * 1024;

/// A sender closes a part of an update once its encoded size has passed this.
///
/// Much less than [`MAX_MESSAGE`]: one more row, however large its bounded texts, still fits, and for a receiver that
/// does not read no more than that waits.
pub const PART_BYTES: usize = 128 * 1024;

/// The most rows of one kind in one part. A second bound, for rows that encode to almost nothing.
pub const MAX_ROWS_PER_PART: usize = 4096;

/// The oldest protocol version this build speaks.
pub const PROTOCOL_MIN: u32 = 1;

/// The newest protocol version this build speaks.
pub const PROTOCOL_MAX: u32 = 1;

/// The TCP port of a target that was asked to listen on TCP and not told where.
pub const DEFAULT_PORT: u16 = 6670;

/// The longest filter, in bytes.
pub const MAX_FILTER_BYTES: usize = 1024;

/// The most terms of one filter: the target evaluates each for every task.
pub const MAX_FILTER_TERMS: usize = 32;

/// The longest name, path or label, in bytes. Longer ones are cut by the sender and again by the receiver.
pub const MAX_TEXT_BYTES: usize = 1024;

/// The longest text of an error or a warning, in bytes.
pub const MAX_MESSAGE_TEXT_BYTES: usize = 4096;

/// The most labels of a task.
pub const MAX_LABELS: usize = 16;

/// The most machine frames of a stack.
pub const MAX_FRAMES: usize = 64;

/// The most frames of one `Resolve` request.
pub const MAX_RESOLVE_FRAMES: usize = 512;

/// The time between two updates that a view may ask for, in milliseconds.
pub const INTERVAL_MS: RangeInclusive<u32> = 33..=60_000;

/// Seconds of one-second history that a target keeps.
pub const HISTORY_SECONDS: usize = 600;

/// Bytes of `text` that fit into `max` bytes without cutting a character in two.
///
/// ```
/// use pollscope_proto::limits::cut;
/// assert_eq!(cut("größer", 3), "gr");
/// assert_eq!(cut("ab", 3), "ab");
/// ```
pub fn cut(text: &str, max: usize) -> &str {
    if text.len() <= max {
        return text;
    }
    let mut end = max;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// The highest protocol version that both ranges hold; `None` where they do not meet.
///
/// ```
/// use pollscope_proto::limits::negotiate;
/// assert_eq!(negotiate(1..=3, 2..=5), Some(3));
/// assert_eq!(negotiate(1..=1, 2..=5), None);
/// ```
pub fn negotiate(ours: RangeInclusive<u32>, theirs: RangeInclusive<u32>) -> Option<u32> {
    let best = *ours.end().min(theirs.end());
    (ours.contains(&best) && theirs.contains(&best)).then_some(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_meet_at_the_highest_common_one() {
        assert_eq!(negotiate(1..=1, 1..=1), Some(1));
        assert_eq!(negotiate(1..=4, 2..=3), Some(3));
        assert_eq!(negotiate(3..=4, 1..=2), None);
    }

    #[test]
    #[expect(clippy::reversed_empty_ranges, reason = "what a broken peer may send")]
    fn an_empty_range_meets_nothing() {
        assert_eq!(negotiate(1..=9, 5..=2), None);
        assert_eq!(negotiate(1..=9, 0..=0), None);
    }

    #[test]
    fn cutting_keeps_characters_whole() {
        for max in 0..=8 {
            assert!(cut("aµ→😀", max).len() <= max);
        }
        assert_eq!(cut("aµ→😀", 9), "aµ→");
    }
}

//! The attribute, inserted into the text. What was there stays there, byte by byte.

use super::{ATTRIBUTE, Place};

/// The text with the attribute before each place, which are in the order of the text.
///
/// On a line of its own, indented as the item is and ended as its line is; before an item that stands behind something
/// else on its line, on that line.
pub(super) fn insert(source: &str, places: &[Place]) -> String {
    let mut edited = String::with_capacity(source.len() + places.len() * 32);
    let mut done = 0;
    for place in places {
        let (before, after) = source.split_at(place.offset);
        edited.push_str(&before[done..]);
        done = before.len();
        edited.push_str(ATTRIBUTE);
        let line = before.rfind('\n').map_or(0, |end| end + 1);
        let lead = before[line..].trim_start_matches('\u{feff}');
        if lead.chars().all(char::is_whitespace) {
            edited.push_str(line_ending(before, after));
            edited.push_str(lead);
        } else {
            edited.push(' ');
        }
    }
    edited.push_str(&source[done..]);
    edited
}

/// How the line between these two ends, or, where it is the last, the one before it.
fn line_ending(before: &str, after: &str) -> &'static str {
    let ended = match after.find('\n') {
        Some(end) => &after[..end],
        None => before.rfind('\n').map_or("", |end| &before[..end]),
    };
    if ended.ends_with('\r') { "\r\n" } else { "\n" }
}

//! Task names: interned, counted, capped. Only named tasks come here, so a short lock is fine.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Longest name kept, in bytes.
const LONGEST: usize = 128;
/// How many different names live tasks can have at a time; past it a task is unnamed, and that is counted.
const MAX_NAMES: usize = 65_536;

#[derive(Default)]
struct Names {
    by_text: HashMap<Arc<str>, u32>,
    /// Text and holders; index + 1 is the number. A free entry has no holders.
    entries: Vec<(Option<Arc<str>>, u32)>,
    free: Vec<u32>,
    refused: u64,
}

static NAMES: Mutex<Option<Names>> = Mutex::new(None);

fn with<R>(f: impl FnOnce(&mut Names) -> R) -> R {
    f(NAMES
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .get_or_insert_with(Names::default))
}

/// As much of a text as fits into `most` bytes, on a character's boundary.
pub(crate) fn cut(text: &str, most: usize) -> &str {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// As much of a name as is kept.
pub(crate) fn kept(name: &str) -> &str {
    cut(name, LONGEST)
}

/// Takes a hold on a name; 0 where there is no room.
pub(crate) fn hold(text: &str) -> u32 {
    let text = kept(text);
    if text.is_empty() {
        return 0;
    }
    with(|names| {
        if let Some(number) = names.by_text.get(text).copied() {
            names.entries[number as usize - 1].1 += 1;
            return number;
        }
        let text: Arc<str> = text.into();
        let entry = (Some(Arc::clone(&text)), 1);
        let number = if let Some(number) = names.free.pop() {
            names.entries[number as usize - 1] = entry;
            number
        } else if names.entries.len() < MAX_NAMES {
            names.entries.push(entry);
            names.entries.len() as u32
        } else {
            names.refused += 1;
            return 0;
        };
        names.by_text.insert(text, number);
        number
    })
}

/// Takes one more hold on a name: an event outlives its task, and gives the hold up when it was read.
pub(crate) fn share(number: u32) -> u32 {
    if number != 0 {
        with(|names| {
            if let Some((_, holders)) = names.entries.get_mut(number as usize - 1) {
                *holders += 1;
            }
        });
    }
    number
}

/// Gives a hold up.
#[inline]
pub(crate) fn release(number: u32) {
    if number != 0 {
        release_held(number);
    }
}

#[cold]
fn release_held(number: u32) {
    with(|names| {
        let Some((text, holders)) = names.entries.get_mut(number as usize - 1) else {
            return;
        };
        *holders = holders.saturating_sub(1);
        if *holders == 0 {
            if let Some(text) = text.take() {
                names.by_text.remove(&text);
            }
            names.free.push(number);
        }
    });
}

/// The name of this number, while a task holds it.
pub fn get(number: u32) -> Option<Arc<str>> {
    let at = number.checked_sub(1)? as usize;
    with(|names| names.entries.get(at).and_then(|(text, _)| text.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_lives_as_long_as_its_holders() {
        let (a, b) = (hold("names::tests"), hold("names::tests"));
        assert_eq!(a, b);
        release(a);
        assert_eq!(get(a).as_deref(), Some("names::tests"));
        release(b);
        assert_eq!(get(a).as_deref(), None);
        assert_eq!(hold(""), 0);
        let long = hold(&"ü".repeat(200));
        assert_eq!(get(long).map(|name| name.len()), Some(LONGEST));
        release(long);
    }
}

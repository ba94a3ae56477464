//! Searching without regard to the case of letters, and without allocating.

/// Whether `text` contains `needle`, which must be in lower case already.
///
/// ```
/// use pollscope_proto::filter::contains_folded;
/// assert!(contains_folded("Größe", "größe"));
/// assert!(!contains_folded("settle", "setle"));
/// ```
pub fn contains_folded(text: &str, needle: &str) -> bool {
    if needle.is_ascii() {
        let (text, needle) = (text.as_bytes(), needle.as_bytes());
        return needle.is_empty()
            || text
                .windows(needle.len())
                .any(|part| part.eq_ignore_ascii_case(needle));
    }
    text.char_indices()
        .any(|(at, _)| starts_with_folded(&text[at..], needle))
}

/// Whether `text` is `needle`, which must be in lower case already.
///
/// ```
/// use pollscope_proto::filter::equals_folded;
/// assert!(equals_folded("Order", "order"));
/// assert!(!equals_folded("orders", "order"));
/// ```
pub fn equals_folded(text: &str, needle: &str) -> bool {
    text.chars().flat_map(char::to_lowercase).eq(needle.chars())
}

fn starts_with_folded(text: &str, needle: &str) -> bool {
    let mut letters = text.chars().flat_map(char::to_lowercase);
    needle.chars().all(|want| letters.next() == Some(want))
}

/// `text` as [`contains_folded`] wants its needle: letter by letter, so without the rules of any language.
pub(super) fn fold(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

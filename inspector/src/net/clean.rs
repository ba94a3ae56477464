//! Makes text of a target harmless: no escape codes, no control characters, no reordering, no end-less lines.

/// One line of at most `max` bytes, safe on any terminal.
///
/// Whole ANSI escape sequences go, not only their first byte. Line breaks and tabs become a blank. Characters
/// that reorder or hide text (bidirectional overrides, zero-width, tags) go. What is too long is cut and ends
/// in `…`.
pub fn clean(text: &str, max: usize) -> String {
    let mut out = String::with_capacity(text.len().min(max));
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let letter = match letter {
            '\u{1b}' | '\u{9b}' => {
                skip_escape(letter, &mut letters);
                continue;
            }
            '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => ' ',
            hidden if is_hidden(hidden) => continue,
            letter => letter,
        };
        // A line break with its indentation is one blank.
        if letter == ' ' && out.ends_with(' ') {
            continue;
        }
        if out.len() + letter.len_utf8() > max {
            let keep = pollscope_proto::limits::cut(&out, max.saturating_sub('…'.len_utf8())).len();
            out.truncate(keep);
            if max >= '…'.len_utf8() {
                out.push('…');
            }
            return out;
        }
        out.push(letter);
    }
    out
}

/// Skips what follows ESC: a control sequence, a string up to its terminator, or one character.
fn skip_escape(start: char, letters: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    let kind = if start == '\u{9b}' {
        Some('[')
    } else {
        letters.next_if(|c| !c.is_control())
    };
    match kind {
        Some('[') => {
            while letters.next_if(|c| matches!(c, ' '..='?')).is_some() {}
            letters.next_if(|c| matches!(c, '@'..='~'));
        }
        Some(']' | 'P' | 'X' | '^' | '_') => {
            while let Some(letter) = letters.next() {
                if letter == '\u{7}' || letter == '\u{9c}' {
                    return;
                }
                if letter == '\u{1b}' {
                    letters.next_if_eq(&'\\');
                    return;
                }
            }
        }
        Some(' '..='/') => {
            letters.next_if(|c| !c.is_control());
        }
        _ => {}
    }
}

fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}'
                | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
                | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escape_codes_go_whole() {
        for (dirty, cleaned) in [
            ("\x1b[31mred\x1b[0m", "red"),
            ("\x1b]0;title\x07text", "text"),
            ("\x1b]52;c;aGk=\x1b\\text", "text"),
            ("\x1bPq#0\x1b\\text", "text"),
            ("\u{9b}2Jtext", "text"),
            ("\x1b(Btext", "text"),
            ("\x1bctext", "text"),
            ("cut \x1b[", "cut "),
            ("cut \x1b", "cut "),
            ("a\x07b\x00c\x7fd\u{85}e", "abcde"),
        ] {
            assert_eq!(clean(dirty, 100), cleaned, "{dirty:?}");
        }
    }

    #[test]
    fn text_is_one_line_in_reading_order() {
        assert_eq!(clean("a\n    b\tc\r\nd", 100), "a b c d");
        assert_eq!(clean("user\u{202e}gnp.exe", 100), "usergnp.exe");
        assert_eq!(clean("pay\u{200b}ments\u{feff}", 100), "payments");
        assert_eq!(clean("größer → 日本", 100), "größer → 日本");
    }

    #[test]
    fn long_text_is_cut_and_says_so() {
        let name = clean(&"x".repeat(10_000), 1024);
        assert_eq!(name.len(), 1024);
        assert!(name.ends_with("x…"));
        assert_eq!(clean("abcdef", 6), "abcdef");
        assert_eq!(clean("abcdefg", 6), "abc…");
        assert_eq!(clean("ab", 1), "");
    }

    proptest! {
        #[test]
        fn nothing_dangerous_is_left(text in any::<String>(), max in 0_usize..64) {
            let cleaned = clean(&text, max);
            prop_assert!(cleaned.len() <= max);
            prop_assert!(!cleaned.chars().any(|c| c.is_control() || is_hidden(c)));
        }
    }
}

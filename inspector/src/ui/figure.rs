//! Figures in cells: what was not measured says so instead of being blank or zero.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::format;
use crate::model::{Level, Outcome, Task, TaskKind, TaskState};

/// A time that only level debug measures.
pub(super) fn time(ns: Option<u64>, level: Level) -> String {
    match ns {
        Some(ns) => format::duration(ns),
        None => missing(level).to_owned(),
    }
}

/// A count that only level debug keeps.
pub(super) fn count(n: Option<u64>, level: Level) -> String {
    match n {
        Some(n) => format::count(n),
        None => missing(level).to_owned(),
    }
}

pub(super) const fn missing(level: Level) -> &'static str {
    match level {
        Level::Debug => "-",
        Level::Off | Level::Quiet => "off",
    }
}

/// `1,284`.
pub(super) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `8 of 11`, or `11` where that is all of them.
pub(super) fn of(shown: u64, all: u64) -> String {
    if shown == all {
        return grouped(all);
    }
    format!("{} of {}", grouped(shown), grouped(all))
}

/// `1 task`, `2 tasks`.
pub(super) fn plural(n: u64, one: &str) -> String {
    let s = if n == 1 { "" } else { "s" };
    format!("{} {one}{s}", grouped(n))
}

/// `9s ago`; `now` for what happened within the second.
pub(super) fn ago(now_ns: u64, then_ns: u64) -> String {
    match now_ns.saturating_sub(then_ns) {
        0..1_000_000_000 => "now".to_owned(),
        ns => format!("{} ago", format::age(ns)),
    }
}

/// The state as a word: the outcome of what ended, `blocking` for a closure that runs.
pub(super) const fn state(task: &Task) -> &'static str {
    match (task.state, task.outcome) {
        (TaskState::Running, _) if matches!(task.kind, TaskKind::Blocking) => "blocking",
        (TaskState::Running, _) => "running",
        (TaskState::Scheduled, _) => "scheduled",
        (TaskState::Idle, _) => "idle",
        (TaskState::Unpolled, _) => "unpolled",
        (TaskState::Done, Some(Outcome::Error)) => "done: error",
        (TaskState::Done, Some(Outcome::Panic)) => "done: panic",
        (TaskState::Done, Some(Outcome::Aborted)) => "aborted",
        (TaskState::Done, _) => "done",
    }
}

/// A text in at most `width` columns, cut on the right.
pub(super) fn fit(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    if width == 0 {
        return String::new();
    }
    let mut fitted = String::new();
    let mut used = 0;
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if used + wide >= width {
            break;
        }
        used += wide;
        fitted.push(c);
    }
    fitted.push('…');
    fitted
}

/// A text in lines of at most `width` columns, broken at blanks where there are any.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        let mut word = word;
        loop {
            let blank = usize::from(!line.is_empty());
            if line.width() + blank + word.width() <= width {
                if blank == 1 {
                    line.push(' ');
                }
                line.push_str(word);
                break;
            }
            if !line.is_empty() {
                lines.push(std::mem::take(&mut line));
                continue;
            }
            // A word longer than a line is cut, by at least one character.
            let mut used = 0;
            let end = word
                .char_indices()
                .find(|(at, c)| {
                    used += c.width().unwrap_or(0);
                    used > width && *at > 0
                })
                .map_or(word.len(), |(at, _)| at);
            lines.push(word[..end].to_owned());
            word = &word[end..];
            if word.is_empty() {
                break;
            }
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_measured_says_so() {
        assert_eq!(time(None, Level::Quiet), "off");
        assert_eq!(time(None, Level::Debug), "-");
        assert_eq!(count(Some(88_100), Level::Quiet), "88.1k");
    }

    #[test]
    fn thousands_are_grouped() {
        for (n, text) in [
            (0, "0"),
            (999, "999"),
            (1_284, "1,284"),
            (9_120_000, "9,120,000"),
        ] {
            assert_eq!(grouped(n), text);
        }
        assert_eq!(plural(1, "task"), "1 task");
        assert_eq!(
            (of(8, 1_284), of(2, 2)),
            ("8 of 1,284".to_owned(), "2".to_owned())
        );
    }

    #[test]
    fn texts_are_cut_by_columns() {
        assert_eq!(fit("settle", 6), "settle");
        assert_eq!(fit("settle", 4), "set…");
        assert_eq!(fit("資料資料", 4), "資…");
        assert_eq!(fit("settle", 0), "");
    }

    #[test]
    fn long_texts_are_broken_at_blanks_and_long_words_anywhere() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
        assert_eq!(wrap("資料", 1), ["資", "料"]);
        assert_eq!(wrap("", 5), Vec::<String>::new());
    }
}

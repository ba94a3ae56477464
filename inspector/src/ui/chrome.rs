//! What is around every screen: the header, the tabs with the target's health, the line being typed, the footer.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Widget};
use unicode_width::UnicodeWidthStr;

use super::theme::mark;
use super::{Theme, boxes, figure};
use crate::app::health::health;
use crate::app::keymap::Place;
use crate::app::link::Link;
use crate::app::popup::Question;
use crate::app::{App, Screen, help};
use crate::format;
use crate::model::{Level, Severity, Target};

/// A notice takes so many rows at most.
const NOTICE_ROWS: usize = 3;

/// The state of the connection as a word, and its colour.
pub(super) fn state(app: &App, theme: Theme) -> (String, Style) {
    match &app.link {
        Link::None => (String::new(), theme.text()),
        Link::Opening(address) => (
            format!("CONNECTING to {address}"),
            theme.severity(Severity::Warn),
        ),
        Link::Lost(lost) => {
            let retry = match app.link.seconds_to_retry(app.now) {
                Some(0) => "RECONNECTING  ".to_owned(),
                Some(seconds) => format!("RECONNECTING {seconds} s  "),
                None => String::new(),
            };
            let text = format!("{retry}LOST since {}", lost.since);
            (text, theme.severity(Severity::Error))
        }
        Link::Live => match (&app.frozen, app.silent_s()) {
            (Some(frozen), silent) => {
                let silent = silent.map_or_else(String::new, |s| format!("  SILENT {s} s"));
                let held = figure::grouped(frozen.held);
                let text = format!("❚❚ FROZEN {}  +{held} held{silent}", frozen.since);
                (text, theme.severity(Severity::Warn))
            }
            // It may be stopped, or get no CPU: what is shown is not of now.
            (None, Some(seconds)) => (
                format!("○ SILENT {seconds} s"),
                theme.severity(Severity::Warn),
            ),
            (None, None) if app.loaded => ("● LIVE".to_owned(), theme.good()),
            (None, None) => ("○ WAITING".to_owned(), theme.severity(Severity::Warn)),
        },
    }
}

/// Process, level, state of the connection.
pub(super) fn header(app: &App, theme: Theme, area: Rect, buf: &mut Buffer) {
    if app.place() == Place::Picker {
        let mut spans = vec![
            Span::styled(" pollscope", theme.accent()),
            Span::styled("  choose a process", theme.text()),
        ];
        let (word, style) = state(app, theme);
        spans.push(Span::raw("  "));
        spans.push(Span::styled(word, style));
        left(area, &Line::from(spans), buf);
        return;
    }
    let target = &app.snapshot.target;
    let mut right = Vec::new();
    let lost = app.snapshot.dropped.events;
    if lost > 0 {
        let text = format!("lost {} events  ", figure::grouped(lost));
        right.push(Span::styled(text, theme.severity(Severity::Warn)));
    }
    let (word, style) = state(app, theme);
    right.push(Span::styled(word, style));
    right.push(Span::raw(" "));
    let right = Line::from(right);

    let level = match target.level {
        Level::Off => "off",
        Level::Quiet => "quiet",
        Level::Debug => "debug",
    };
    let uptime = format::age((target.uptime_s.max(0.0) * 1e9) as u64);
    let facts: [(&str, String); 5] = [
        ("pid ", target.pid.to_string()),
        ("up ", uptime),
        ("", format!("{level} ({})", target.level_source)),
        ("tokio ", target.tokio.clone()),
        ("symbols ", symbols(target)),
    ];
    let room = usize::from(area.width).saturating_sub(right.width() + 2);
    let mut spans = vec![Span::styled(
        format!(" {}", figure::fit(&target.name, room.saturating_sub(1))),
        theme.bold(),
    )];
    let mut used = spans[0].width();
    for (label, value) in facts {
        let width = 2 + label.width() + value.width();
        if value.is_empty() || used + width > room {
            continue;
        }
        used += width;
        spans.push(Span::styled(format!("  {label}"), theme.dim()));
        spans.push(Span::raw(value));
    }
    left(area, &Line::from(spans), buf);
    self::right(area, &right, buf);
}

/// Only what is missing is worth the room.
fn symbols(target: &Target) -> String {
    let lack = target.symbols_lack();
    lack.map_or_else(String::new, |lack| format!("{} ({lack})", target.symbols))
}

fn left(area: Rect, line: &Line<'_>, buf: &mut Buffer) {
    if area.height > 0 {
        buf.set_line(area.x, area.y, line, area.width);
    }
}

/// Lines whose last stands where the footer is; those before it lie over what is there until they go.
fn upwards(area: Rect, lines: Vec<Line<'_>>, buf: &mut Buffer) {
    let rows = (lines.len() as u16).min(area.bottom());
    if area.height == 0 || rows == 0 {
        return;
    }
    let over = Rect {
        y: area.bottom() - rows,
        height: rows,
        ..area
    };
    Clear.render(over, buf);
    boxes::lines(over, lines, buf);
}

fn right(area: Rect, line: &Line<'_>, buf: &mut Buffer) {
    let width = (line.width() as u16).min(area.width);
    if area.height > 0 {
        buf.set_line(area.right() - width, area.y, line, width);
    }
}

/// The screens, and the one thing most wrong.
pub(super) fn tabs(app: &App, theme: Theme, area: Rect, buf: &mut Buffer) {
    let totals = &app.snapshot.totals;
    // Without notes, as `ps` and the picker count them.
    let warnings = totals.warnings_warn + totals.warnings_error;
    let threads = app.snapshot.threads.len() as u64;
    let mut spans = vec![Span::raw(" ")];
    for (screen, key, name, count) in [
        (Screen::Tasks, "1", "Tasks", totals.tasks),
        (Screen::Warnings, "2", "Warnings", warnings),
        (Screen::Threads, "3", "Threads", threads),
    ] {
        let text = format!("{key} {name} {}", figure::grouped(count));
        if app.screen == screen {
            spans.push(Span::styled(format!("[{text}]"), theme.accent()));
        } else {
            spans.push(Span::styled(format!(" {text} "), theme.dim()));
        }
    }
    let tabs = Line::from(spans);
    let room = usize::from(area.width).saturating_sub(tabs.width() + 2);
    left(area, &tabs, buf);
    if !app.loaded {
        return;
    }
    let health = health(app);
    let shape = mark(health.severity);
    let style = match health.severity {
        Some(severity) => theme.severity(severity),
        None => theme.dim(),
    };
    let blank = if shape.is_empty() { "" } else { " " };
    let text = health.fit(room.saturating_sub(shape.width() + blank.len()));
    let text = figure::fit(&format!("{shape}{blank}{text}"), room);
    right(area, &Line::styled(format!("{text} "), style), buf);
}

/// The prompt or the filter. Returns where the terminal's cursor stands.
pub(super) fn line(app: &App, theme: Theme, area: Rect, buf: &mut Buffer) -> Option<Position> {
    if area.height == 0 {
        return None;
    }
    let (label, input, error, editing) = if let Some(prompt) = &app.prompt {
        let label = match prompt.question {
            Question::TaskId => " go to task ",
            Question::Address => " attach to PID, host:port or unix:path ",
        };
        (label, &prompt.input, prompt.error.as_deref(), true)
    } else {
        let filter = app.filter();
        let error = filter.error.as_deref();
        (" filter ", &filter.input, error, filter.editing)
    };
    let label_style = if editing { theme.accent() } else { theme.dim() };
    let label_width = label.width().min(usize::from(area.width)) as u16;
    let room = usize::from(area.width - label_width);
    let scroll = input.visual_scroll(room.saturating_sub(1).max(1));
    let mut skipped = 0;
    let shown: String = input
        .value()
        .chars()
        .skip_while(|c| {
            let skip = skipped < scroll;
            skipped += unicode_width::UnicodeWidthChar::width(*c).unwrap_or(0);
            skip
        })
        .collect();
    let mut spans = vec![Span::styled(label, label_style), Span::raw(shown)];
    if let Some(error) = error {
        let used = usize::from(label_width) + spans[1].width() + 3;
        let room = usize::from(area.width).saturating_sub(used);
        let error = figure::fit(error, room);
        spans.push(Span::styled(
            format!("   {error}"),
            theme.severity(Severity::Warn),
        ));
    } else if editing && app.prompt.is_none() {
        let hint = "   Enter keeps it, Esc clears it";
        spans.push(Span::styled(hint, theme.dim()));
    }
    left(area, &Line::from(spans), buf);
    let at = input.visual_cursor().saturating_sub(scroll) as u16;
    editing.then(|| Position::new(area.x + label_width + at, area.y))
}

/// Notices, else hints from the keymap, cut by width; on the right what the target cannot see.
pub(super) fn footer(app: &App, theme: Theme, area: Rect, buf: &mut Buffer) {
    if let Some((notice, _)) = &app.notice {
        let (shape, style) = if notice.bad {
            ("!", theme.severity(Severity::Warn))
        } else {
            ("·", theme.good())
        };
        let room = usize::from(area.width).saturating_sub(3);
        let mut text = figure::wrap(&notice.text, room);
        if text.len() > NOTICE_ROWS {
            text.truncate(NOTICE_ROWS);
            if let Some(last) = text.last_mut() {
                *last = figure::fit(&format!("{last} …"), room);
            }
        }
        let lines = text.into_iter().enumerate().map(|(at, text)| {
            let shape = if at == 0 { shape } else { " " };
            Line::styled(format!(" {shape} {text}"), style)
        });
        return upwards(area, lines.collect(), buf);
    }
    if let Link::Lost(lost) = &app.link {
        let next = if lost.given_up {
            "P chooses another process, q quits"
        } else {
            "what is shown is the last that was known"
        };
        let line = Line::styled(
            format!(" {next} ({})", lost.why),
            theme.severity(Severity::Warn),
        );
        let line = boxes::fit(line, usize::from(area.width));
        return left(area, &line, buf);
    }
    let right = unseen(app, area.width);
    let room = usize::from(area.width).saturating_sub(right.width() + 2);
    let mut spans = Vec::new();
    let mut used = 0;
    let hints: Vec<(String, &str)> = help::working(app, app.place())
        .filter_map(|binding| Some((binding.keys.first()?.label(), help::hint(app, binding)?)))
        .collect();
    // The help is named however narrow the screen is: it knows all the others.
    let help = hints.iter().find(|(key, _)| key == "?");
    let reserve = help.map_or(0, |(key, hint)| 3 + key.width() + hint.width());
    for (key, hint) in hints.iter().filter(|(key, _)| key != "?").chain(help) {
        let width = 3 + key.width() + hint.width();
        let limit = if key == "?" {
            room
        } else {
            room.saturating_sub(reserve)
        };
        if used + width > limit {
            continue;
        }
        used += width;
        spans.push(Span::styled(format!(" {key}"), theme.accent()));
        spans.push(Span::styled(format!(" {hint} "), theme.dim()));
    }
    left(area, &Line::from(spans), buf);
    self::right(area, &Line::styled(right, theme.dim()), buf);
}

/// Tasks that libraries spawned without us: what blocks in them is found, and no more.
fn unseen(app: &App, width: u16) -> String {
    let n = app.snapshot.uninstrumented_tasks;
    if n == 0 || app.place() == Place::Picker {
        return String::new();
    }
    let n = figure::grouped(n);
    match width {
        150.. => {
            format!("{n} library tasks not seen: pollscope::tower or tokio_unstable show them ")
        }
        110.. => format!("{n} library tasks not seen "),
        _ => format!("{n} not seen "),
    }
}

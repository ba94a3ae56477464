//! The processes one can attach to, the one under the cursor, and what to do when it is not listed.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::table::{self, Column, Lie, growing, left, right};
use super::{Theme, boxes, figure};
use crate::app::geometry::{Panes, list_rows};
use crate::app::{App, path};
use crate::format;
use crate::model::{Found, FoundState, Level, Severity};

#[derive(Clone, Copy)]
enum Shown {
    Pid,
    Name,
    User,
    Up,
    Level,
    Tasks,
    Warnings,
    Tokio,
    State,
    Address,
}

const COLUMNS: &[Column<Shown>] = &[
    right(Shown::Pid, "PID", 7, 0),
    growing(Shown::Name, "NAME", 12, 24, 0),
    left(Shown::User, "USER", 8, 4),
    right(Shown::Up, "UP", 6, 1),
    left(Shown::Level, "LEVEL", 5, 3),
    right(Shown::Tasks, "TASKS", 7, 1),
    right(Shown::Warnings, "WARN", 5, 0),
    left(Shown::Tokio, "TOKIO", 7, 5),
    left(Shown::State, "STATE", 7, 0),
    growing(Shown::Address, "ADDRESS", 16, 60, 2),
];

pub(super) fn draw(app: &App, theme: Theme, panes: Panes, buf: &mut Buffer) {
    let (shown, all) = (app.picker.len(), app.picker.all().count());
    let title = Line::styled(
        format!(
            "Instrumented processes {}",
            figure::of(shown as u64, all as u64)
        ),
        theme.bold(),
    );
    let note = Line::styled("R looks again", theme.dim());
    let inner = boxes::draw(theme, panes.main, title, note, false, buf);
    if inner.height < 2 {
        return;
    }
    let slots = table::layout(COLUMNS, inner.width);
    let body = Rect {
        y: inner.y + 1,
        height: inner.height - 1,
        ..inner
    };
    if app.picker.is_empty() {
        let (what, next) = if !app.discovered {
            ("looking for instrumented processes", "")
        } else if app.picker.all().next().is_some() {
            ("no process matches", "Esc clears the filter")
        } else {
            (
                "no instrumented process is running here",
                "a program is listed once it calls pollscope::init() or carries #[pollscope::main]; R looks again",
            )
        };
        boxes::message(theme, body, what, next, buf);
    } else {
        table::head(theme, &slots, inner, |_| None, buf);
        let rows = app.picker.visible(list_rows(app));
        for (strip, (cursor, gone, row)) in table::strips(body).zip(rows) {
            let gone = gone || row.state == FoundState::Stale;
            let text = |column, width| cell(theme, row, column, width);
            table::row(theme, &slots, strip, Lie { cursor, gone }, text, buf);
        }
    }
    let lower = panes.lower;
    if lower.height < 3 {
        return;
    }
    let hint = if lower.height >= 16 { 8 } else { 0 };
    let above = Rect {
        height: lower.height - hint,
        ..lower
    };
    chosen(app, theme, above, buf);
    if hint > 0 {
        let below = Rect {
            y: above.bottom(),
            height: hint,
            ..lower
        };
        not_listed(theme, below, buf);
    }
}

fn cell(theme: Theme, row: &Found, column: Shown, width: usize) -> (String, Style) {
    let plain = theme.text();
    let dash = |value: Option<String>| match value {
        Some(value) => (value, plain),
        None => ("-".to_owned(), theme.dim()),
    };
    match column {
        Shown::Pid => dash(row.pid.map(|pid| pid.to_string())),
        Shown::Name => (row.name.clone(), theme.bold()),
        Shown::User => (row.user.clone(), theme.dim()),
        Shown::Up => dash(
            row.uptime_s
                .map(|up| format::age((up.max(0.0) * 1e9) as u64)),
        ),
        Shown::Level => dash(row.level.map(|level| word(level).to_owned())),
        Shown::Tasks => dash(row.tasks.map(figure::grouped)),
        Shown::Warnings => match row.warnings {
            Some(n) if n > 0 => (figure::grouped(n), theme.severity(Severity::Warn)),
            n => dash(n.map(|n| n.to_string())),
        },
        Shown::Tokio => (row.tokio.clone(), theme.dim()),
        Shown::State => state(theme, &row.state),
        Shown::Address => {
            let address = row.address.strip_prefix("unix:").unwrap_or(&row.address);
            (path::cut(address, width), theme.dim())
        }
    }
}

const fn word(level: Level) -> &'static str {
    match level {
        Level::Off => "off",
        Level::Quiet => "quiet",
        Level::Debug => "debug",
    }
}

/// The state as a word.
pub(super) fn state(theme: Theme, state: &FoundState) -> (String, Style) {
    let (word, style) = match state {
        FoundState::Asking => ("asking", theme.dim()),
        FoundState::Ready => ("ready", theme.good()),
        FoundState::Stale => ("stale", theme.dim()),
        FoundState::Unusable(_) => ("unfit", theme.severity(Severity::Warn)),
    };
    (word.to_owned(), style)
}

fn chosen(app: &App, theme: Theme, area: Rect, buf: &mut Buffer) {
    let Some(found) = app.picker.selected() else {
        return not_listed(theme, area, buf);
    };
    let pid = found
        .pid
        .map_or_else(String::new, |pid| format!("  pid {pid}"));
    let title = Line::from(vec![
        Span::styled(found.name.clone(), theme.bold()),
        Span::styled(pid, theme.dim()),
    ]);
    let inner = boxes::padding(boxes::draw(theme, area, title, Line::default(), false, buf));
    let pair = |label: &str, value: String| {
        Line::from(vec![
            Span::styled(format!("{label:<10}"), theme.dim()),
            Span::raw(value),
        ])
    };
    let room = usize::from(inner.width).saturating_sub(10);
    let mut lines = Vec::new();
    match &found.state {
        FoundState::Ready => lines.push(Line::styled("Enter attaches", theme.good())),
        FoundState::Asking => lines.push(Line::styled("it has not answered yet", theme.dim())),
        FoundState::Stale => lines.push(Line::styled(
            "its process is gone and left the socket behind: x removes it",
            theme.severity(Severity::Warn),
        )),
        FoundState::Unusable(why) => {
            lines.push(Line::styled(why.clone(), theme.severity(Severity::Warn)));
        }
    }
    lines.push(pair("exe", path::cut(&found.exe, room)));
    if !found.args.is_empty() {
        lines.push(pair("args", figure::fit(&found.args.join(" "), room)));
    }
    lines.push(pair("address", path::cut(&found.address, room)));
    if let (Some(tasks), Some(warnings)) = (found.tasks, found.warnings) {
        let tasks = figure::plural(tasks, "task");
        let warnings = figure::plural(warnings, "warning");
        lines.push(pair("has", format!("{tasks}, {warnings}")));
    }
    boxes::lines(inner, lines, buf);
}

fn not_listed(theme: Theme, area: Rect, buf: &mut Buffer) {
    let title = Line::styled("Not listed?", theme.bold());
    let inner = boxes::padding(boxes::draw(theme, area, title, Line::default(), false, buf));
    let rows = [
        (
            "your program",
            "pollscope::init()",
            "or #[pollscope::main], and pollscope::spawn",
        ),
        (
            "another host",
            "pollscope attach HOST:PORT",
            "forward the port over ssh: it listens on loopback only",
        ),
        ("a container", "a", "the path of its socket, or its PID"),
        (
            "just looking",
            "pollscope demo",
            "starts a small faulty program and attaches to it",
        ),
    ];
    let lines = rows.map(|(whose, what, how)| {
        Line::from(vec![
            Span::styled(format!("{whose:<14}"), theme.dim()),
            Span::styled(format!("{what:<28}"), theme.accent()),
            Span::raw(how),
        ])
    });
    boxes::lines(inner, lines, buf);
}

//! The list of tasks.

use pollscope_proto::order::Order;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::table::{self, Column, Lie, growing, left, right};
use super::theme::mark;
use super::{Theme, boxes, figure};
use crate::app::geometry::list_rows;
use crate::app::link::Frozen;
use crate::app::tasks::Fate;
use crate::app::{App, path};
use crate::format;
use crate::model::{Level, Severity, Task};

/// What stays longest has the lowest rank: mark, id, name, state, busy and max always.
const COLUMNS: &[Column<Order>] = &[
    left(Order::Warned, "W", 2, 0),
    right(Order::Id, "ID", 6, 0),
    growing(Order::Name, "NAME", 22, 40, 0),
    left(Order::State, "STATE", 10, 0),
    right(Order::Age, "AGE", 6, 3),
    right(Order::Busy, "BUSY", 8, 0),
    right(Order::Max, "MAX POLL", 9, 0),
    right(Order::Polls, "POLLS", 6, 2),
    right(Order::Scheduled, "SCHED", 8, 5),
    right(Order::Wakes, "WAKES", 6, 6),
    right(Order::Bytes, "SIZE", 8, 7),
    growing(Order::Site, "SITE", 24, 48, 4),
];

pub(super) fn draw(app: &App, theme: Theme, area: Rect, buf: &mut Buffer) {
    let note = note(app, theme);
    let room = usize::from(area.width).saturating_sub(note.width() + 10);
    let title = title(app, theme, room);
    let inner = boxes::draw(theme, area, title, note, false, buf);
    if inner.height < 2 {
        return;
    }
    let slots = table::layout(COLUMNS, inner.width);
    let sort = app.tasks.sort;
    let sorted = |column| (column == sort.by).then(|| sort.arrow());
    table::head(theme, &slots, inner, sorted, buf);
    let body = Rect {
        y: inner.y + 1,
        height: inner.height - 1,
        ..inner
    };
    if app.tasks.is_empty() {
        return empty(app, theme, body, buf);
    }
    let level = app.snapshot.target.level;
    let rows = app.tasks.visible(list_rows(app));
    for (strip, (cursor, row)) in table::strips(body).zip(rows) {
        let Some(row) = row else {
            let lie = Lie { cursor, gone: true };
            let waiting = |column, _| match column {
                Order::Name => ("…".to_owned(), theme.dim()),
                _ => (String::new(), theme.dim()),
            };
            table::row(theme, &slots, strip, lie, waiting, buf);
            continue;
        };
        let gone = row.fate == Fate::Gone || row.task.state == crate::model::TaskState::Done;
        let text = |column, width| cell(theme, &row.task, level, column, width);
        table::row(theme, &slots, strip, Lie { cursor, gone }, text, buf);
    }
}

pub(super) fn cell(
    theme: Theme,
    task: &Task,
    level: Level,
    column: Order,
    width: usize,
) -> (String, Style) {
    let plain = theme.text();
    match column {
        Order::Warned => (mark(task.warned).to_owned(), theme.warned(task.warned)),
        Order::Id => (task.id.to_string(), theme.dim()),
        Order::Name if task.name.is_empty() => (path::site(&task.site, width), theme.text()),
        Order::Name => (labelled(task, width), theme.bold()),
        Order::State => (figure::state(task).to_owned(), theme.state(task.state)),
        Order::Age => (format::age(task.age_ns), plain),
        Order::Busy => time(theme, task.busy_ns, level),
        Order::Max => time(theme, task.max_poll_ns, level),
        Order::Scheduled => time(theme, task.scheduled_ns, level),
        Order::Polls => (format::count(task.polls), plain),
        Order::Wakes => (figure::count(task.wakes, level), plain),
        Order::Bytes => (format::bytes(task.future_bytes), plain),
        _ => (path::site(&task.site, width), theme.dim()),
    }
}

/// The name, and as many of the labels as have room behind it.
fn labelled(task: &Task, width: usize) -> String {
    let mut text = task.name.clone();
    for label in task.labels() {
        if text.width() + 2 + label.width() > width {
            break;
        }
        text.push_str("  ");
        text.push_str(&label);
    }
    text
}

/// A time, dim where it is not one.
pub(super) fn time(theme: Theme, ns: Option<u64>, level: Level) -> (String, Style) {
    let style = if ns.is_some() {
        theme.text()
    } else {
        theme.dim()
    };
    (figure::time(ns, level), style)
}

/// How many there are; of the states as many as there is room for.
fn title<'a>(app: &App, theme: Theme, room: usize) -> Line<'a> {
    let totals = &app.snapshot.totals;
    let (matched, all) = (app.tasks.matched() as u64, app.snapshot.tasks_total);
    let mut spans = vec![Span::styled("Tasks ", theme.bold())];
    spans.push(Span::styled(figure::of(matched, all), theme.bold()));
    if let Some((_, site)) = &app.tasks.site {
        spans.push(Span::styled(format!("  of {site}"), theme.accent()));
    }
    if app.frozen.as_ref().is_some_and(Frozen::has_rows)
        && let Some((kept, from_the_top)) = app.tasks.kept()
    {
        let kept = figure::grouped(kept as u64);
        let which = if from_the_top {
            format!("   the first {kept} are kept")
        } else {
            format!("   {kept} around here are kept")
        };
        spans.push(Span::styled(which, theme.severity(Severity::Warn)));
    }
    for (word, n) in [
        ("running", totals.running),
        ("scheduled", totals.scheduled),
        ("idle", totals.idle),
        ("unpolled", totals.unpolled),
        ("done", totals.done),
        ("blocking", totals.blocking),
    ] {
        let (word, n_text) = (format!("   {word} "), figure::grouped(n));
        let used: usize = spans.iter().map(Span::width).sum();
        if n > 0 && used + word.len() + n_text.len() <= room {
            spans.push(Span::styled(word, theme.dim()));
            spans.push(Span::raw(n_text));
        }
    }
    Line::from(spans)
}

fn note<'a>(app: &App, theme: Theme) -> Line<'a> {
    let mut words = Vec::new();
    if app.loaded && app.snapshot.target.level < Level::Debug {
        words.push("times off: need debug (L)".to_owned());
    }
    if app.tasks.only_warned {
        words.push("only warned".to_owned());
    }
    if !app.tasks.finished {
        words.push("no finished".to_owned());
    }
    let sort = app.tasks.sort;
    words.push(format!("by {} {}", sort.by, sort.arrow()));
    Line::styled(words.join(" · "), theme.dim())
}

fn empty(app: &App, theme: Theme, area: Rect, buf: &mut Buffer) {
    let (what, next) = if !app.loaded {
        (
            "waiting for the first update",
            "the target answers within a second, unless it is stopped",
        )
    } else if app.snapshot.tasks_total == 0 {
        (
            "no task is alive",
            "spawn through pollscope::spawn, or begin with pollscope::init() or #[pollscope::main]",
        )
    } else if app.tasks.only_warned {
        ("no task has a warning", "f shows all tasks")
    } else {
        (
            "no task matches",
            "Esc clears the filter, x shows finished tasks",
        )
    };
    boxes::message(theme, area, what, next, buf);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_have_the_room_that_the_name_leaves() {
        let mut task = Task {
            name: "GET /orders/{id}".to_owned(),
            ..Task::default()
        };
        task.labels.insert("order".to_owned(), "42".to_owned());
        task.labels.insert("slow".to_owned(), String::new());
        assert_eq!(labelled(&task, 40), "GET /orders/{id}  order=42  slow");
        assert_eq!(labelled(&task, 28), "GET /orders/{id}  order=42");
        assert_eq!(labelled(&task, 22), "GET /orders/{id}");
        assert_eq!(labelled(&task, 5), "GET /orders/{id}", "the table cuts it");
    }
}

//! The list of warnings: a heading for each kind, below it one row for each place.

use pollscope_proto::kinds;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::table::{self, Column, Lie, growing, left, right};
use super::theme::mark;
use super::warning::verdict_words;
use super::{Theme, boxes, figure};
use crate::app::geometry::list_rows;
use crate::app::warnings::{KindRow, Line as Row, Tally, place};
use crate::app::{App, path};
use crate::format;
use crate::model::{Level, Warning};

#[derive(Clone, Copy)]
enum Shown {
    Mark,
    Where,
    What,
    Count,
    Tasks,
    Last,
    Worst,
}

const COLUMNS: &[Column<Shown>] = &[
    left(Shown::Mark, "", 2, 0),
    growing(Shown::Where, "KIND, PLACE", 24, 48, 0),
    growing(Shown::What, "WHAT", 16, 60, 3),
    right(Shown::Count, "COUNT", 7, 0),
    right(Shown::Tasks, "TASKS", 6, 2),
    right(Shown::Last, "LAST", 10, 0),
    right(Shown::Worst, "WORST", 8, 1),
];

pub(super) fn draw(app: &App, theme: Theme, area: Rect, buf: &mut Buffer) {
    let (shown, all) = (
        app.warnings.tally(&app.filters.warnings.filter),
        app.warnings.tally_all(),
    );
    let title = Line::from(vec![
        Span::styled(format!("Warnings {}", tally(shown, all)), theme.bold()),
        Span::styled(
            format!("   {}, worst first", figure::plural(shown.times, "time")),
            theme.dim(),
        ),
    ]);
    let only = app.warnings.only();
    let mut notes: Vec<String> = only
        .map(|kind| format!("only {} (f)", kind.title()))
        .into_iter()
        .collect();
    match (app.warnings.muted(), app.warnings.shows_muted()) {
        (0, _) => {}
        (n, false) => notes.push(format!("{n} muted (M shows)")),
        (n, true) => notes.push(format!("{n} muted, shown")),
    }
    let note = Line::styled(notes.join(" · "), theme.dim());
    let inner = boxes::draw(theme, area, title, note, false, buf);
    if inner.height < 2 {
        return;
    }
    let slots = table::layout(COLUMNS, inner.width);
    table::head(theme, &slots, inner, |_| None, buf);
    let body = Rect {
        y: inner.y + 1,
        height: inner.height - 1,
        ..inner
    };
    if app.warnings.list.is_empty() {
        return empty(app, theme, body, buf);
    }
    let rows = app.warnings.list.visible(list_rows(app));
    for (strip, (cursor, gone, row)) in table::strips(body).zip(rows) {
        let lie = Lie { cursor, gone };
        match row {
            Row::Kind(row) => {
                let text = |column, _| heading(app, theme, row, column);
                table::row(theme, &slots, strip, lie, text, buf);
            }
            Row::One(warning) => {
                let text = |column, width| cell(app, theme, warning, column, width);
                table::row(theme, &slots, strip, lie, text, buf);
            }
        }
    }
}

/// `11`, `11 + 3 notes`, `2 of 11 + 0 of 3 notes`.
fn tally(shown: Tally, all: Tally) -> String {
    let mut text = figure::of(shown.warnings, all.warnings);
    if all.notes > 0 {
        let notes = figure::of(shown.notes, all.notes);
        let s = if all.notes == 1 { "" } else { "s" };
        text.push_str(&format_args!(" + {notes} note{s}").to_string());
    }
    text
}

fn heading(app: &App, theme: Theme, row: &KindRow, column: Shown) -> (String, Style) {
    let folded = app.warnings.is_folded(&row.kind);
    match column {
        Shown::Mark => (if folded { "▸" } else { "▾" }.to_owned(), theme.dim()),
        Shown::Where => (row.kind.title(), theme.bold()),
        Shown::What => {
            let places = figure::plural(row.sites as u64, "place");
            (if folded { places } else { String::new() }, theme.dim())
        }
        Shown::Count => (format::count(row.count), theme.dim()),
        Shown::Tasks => (count(row.tasks), theme.dim()),
        Shown::Last => (last(app, row.live, row.last_ns), theme.dim()),
        Shown::Worst => (figure::time(row.worst_ns, Level::Debug), theme.dim()),
    }
}

fn cell(
    app: &App,
    theme: Theme,
    warning: &Warning,
    column: Shown,
    width: usize,
) -> (String, Style) {
    let muted = app.warnings.is_muted(warning);
    let severity = theme.severity(warning.severity);
    let plain = if muted { theme.dim() } else { theme.text() };
    match column {
        Shown::Mark => (mark(Some(warning.severity)).to_owned(), severity),
        Shown::Where => {
            let shown = place(warning).map_or_else(
                || "place unknown".to_owned(),
                |site| path::site(site, width.saturating_sub(2)),
            );
            (format!("  {shown}"), plain)
        }
        Shown::What => (what(warning, muted), theme.dim()),
        Shown::Count => (format::count(warning.count), plain),
        Shown::Tasks => (count(warning.tasks), plain),
        Shown::Last => {
            let style = if warning.live { severity } else { plain };
            (last(app, warning.live, warning.last_ns), style)
        }
        Shown::Worst => (
            figure::time(warning.worst_ns.or(warning.wall_ns), Level::Debug),
            plain,
        ),
    }
}

/// What tells this one apart from the others of its kind: the error, else the task, else the message.
fn what(warning: &Warning, muted: bool) -> String {
    let likely = if warning.certainty == "likely" {
        "likely: "
    } else {
        ""
    };
    let muted = if muted { "muted: " } else { "" };
    let text = match (&warning.error, &warning.task) {
        (Some(error), _) => error
            .display
            .clone()
            .or_else(|| error.debug.clone())
            .unwrap_or_else(|| error.type_name.clone()),
        (None, Some(task)) if !task.name.is_empty() => task.name.clone(),
        (None, Some(task)) => format!("task {}", task.id),
        (None, None) if warning.kind.as_str() == kinds::WORKER_BLOCKED => blocked(warning),
        (None, None) => warning.message.clone(),
    };
    format!("{muted}{likely}{text}")
}

/// How long, in which function, which thread: the column is often cut, and the message begins with the thread.
fn blocked(warning: &Warning) -> String {
    let function = warning
        .site
        .as_ref()
        .map_or("", |site| last_names(&site.type_name));
    let mut text = warning.wall_ns.map(format::duration).unwrap_or_default();
    if !function.is_empty() {
        text.push_str(" in ");
        text.push_str(function);
    }
    if let Some(thread) = &warning.observed.thread {
        text.push_str(" on ");
        text.push_str(&thread.name);
    }
    if let (true, Some(verdict)) = (function.is_empty(), &warning.verdict) {
        text.push_str(", ");
        text.push_str(&verdict_words(verdict));
    }
    text
}

/// Of a function's path the function and what it belongs to. One that begins with a type in brackets stays whole.
fn last_names(function: &str) -> &str {
    if function.contains(['<', ' ']) {
        return function;
    }
    function
        .rmatch_indices("::")
        .nth(1)
        .map_or(function, |(at, separator)| {
            &function[at + separator.len()..]
        })
}

fn count(n: u64) -> String {
    if n == 0 {
        "-".to_owned()
    } else {
        format::count(n)
    }
}

fn last(app: &App, live: bool, last_ns: u64) -> String {
    if live {
        "right now".to_owned()
    } else {
        figure::ago(app.now_ns(), last_ns)
    }
}

fn empty(app: &App, theme: Theme, area: Rect, buf: &mut Buffer) {
    let (what, next) = if !app.loaded {
        ("waiting for the first update", "")
    } else if app.warnings.all().next().is_some() {
        (
            "every warning is filtered or muted",
            "Esc clears the filter, f goes through the kinds, M shows what is muted",
        )
    } else if app.snapshot.target.level == Level::Debug {
        ("nothing to warn about", "warnings come here as they happen")
    } else {
        (
            "nothing to warn about, as far as level quiet sees",
            "L switches to debug: slow polls with their stacks, times, wakes",
        )
    };
    boxes::message(theme, area, what, next, buf);
}

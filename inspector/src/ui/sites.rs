//! Tasks grouped by the place that spawns them, requests by their names there, and that site's life below.

use pollscope_proto::order::Order;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::table::{self, Column, Lie, growing, left, right};
use super::tasks::time;
use super::theme::mark;
use super::{Theme, boxes, figure, histogram, selected, spark};
use crate::app::geometry::{Panes, list_rows};
use crate::app::{App, path};
use crate::format;
use crate::model::{Level, Outcomes, SiteRow};

#[derive(Clone, Copy, PartialEq)]
enum Shown {
    Of(Order),
    /// The size of one future; [`Order::Bytes`] is that of all alive.
    Size,
    History,
}

use Shown::{History, Of, Size};

const COLUMNS: &[Column<Shown>] = &[
    left(Of(Order::Warned), "W", 2, 0),
    growing(Of(Order::Site), "SPAWN SITE", 22, 60, 0),
    right(Of(Order::Live), "LIVE", 7, 0),
    right(Of(Order::Growth), "Δ/MIN", 7, 0),
    right(Of(Order::Age), "OLDEST", 7, 2),
    right(Of(Order::Lifetime), "P50 LIFE", 9, 4),
    right(Of(Order::Spawned), "SPAWNED", 8, 8),
    right(Of(Order::Busy), "BUSY", 8, 1),
    right(Of(Order::Max), "MAX POLL", 9, 3),
    right(Size, "SIZE", 8, 6),
    right(Of(Order::Bytes), "BYTES", 9, 5),
    left(History, "LIVE, LAST 60 s", 16, 7),
];

pub(super) fn draw(app: &App, theme: Theme, panes: Panes, buf: &mut Buffer) {
    let (shown, all) = (app.sites.len() as u64, app.sites.all().count() as u64);
    let s = if all == 1 { "" } else { "s" };
    let count = format!("{} spawn site{s}", figure::of(shown, all));
    let tasks = figure::plural(app.snapshot.totals.tasks, "task");
    let title = Line::from(vec![
        Span::styled(count, theme.bold()),
        Span::styled(format!("   of {tasks}"), theme.dim()),
    ]);
    let sort = app.sites_sort;
    let note = Line::styled(format!("by {} {}", sort.by, sort.arrow()), theme.dim());
    let inner = boxes::draw(theme, panes.main, title, note, false, buf);
    if inner.height < 2 {
        return;
    }
    let slots = table::layout(COLUMNS, inner.width);
    let sorted = |column| (column == Of(sort.by)).then(|| sort.arrow());
    table::head(theme, &slots, inner, sorted, buf);
    let body = Rect {
        y: inner.y + 1,
        height: inner.height - 1,
        ..inner
    };
    if app.sites.is_empty() {
        let (what, next) = if app.loaded {
            (
                "no spawn site matches",
                "Esc clears the filter, f shows those without warnings",
            )
        } else {
            ("waiting for the first update", "")
        };
        return boxes::message(theme, body, what, next, buf);
    }
    let level = app.snapshot.target.level;
    let rows = app.sites.visible(list_rows(app));
    for (strip, (cursor, gone, row)) in table::strips(body).zip(rows) {
        let text = |column, width| cell(theme, row, level, column, width);
        table::row(theme, &slots, strip, Lie { cursor, gone }, text, buf);
    }
    if let Some(row) = app.sites.selected() {
        life(theme, row, level, panes.lower, buf);
    }
}

fn cell(theme: Theme, row: &SiteRow, level: Level, column: Shown, width: usize) -> (String, Style) {
    let plain = theme.text();
    match column {
        Of(Order::Warned) => (mark(row.warned).to_owned(), theme.warned(row.warned)),
        Of(Order::Live) => (figure::grouped(row.live), plain),
        Of(Order::Growth) => (growth(row.live_per_min), plain),
        Of(Order::Age) => (age(row.age_ns.as_ref().map(|age| age.max)), plain),
        Of(Order::Lifetime) => (
            lifetime(row.lifetime_ns.as_ref().map(|life| life.p50)),
            plain,
        ),
        Of(Order::Spawned) => (format::count(row.spawned), plain),
        Of(Order::Busy) => time(theme, row.busy_ns, level),
        Of(Order::Max) => time(theme, row.poll_ns.as_ref().map(|poll| poll.max), level),
        Of(Order::Bytes) => (format::bytes(row.live_bytes), plain),
        Of(_) => (path::row(row, width), theme.bold()),
        Size => (format::bytes(row.future_bytes), plain),
        History => {
            let recent = &row.history_live[row.history_live.len().saturating_sub(60)..];
            (spark::line(recent, row.live_peak, width), theme.chart())
        }
    }
}

/// Most tasks live for less than a second.
fn lifetime(ns: Option<u64>) -> String {
    ns.map_or_else(|| "-".to_owned(), format::duration)
}

fn age(ns: Option<u64>) -> String {
    ns.map_or_else(|| "-".to_owned(), format::age)
}

fn growth(per_min: f64) -> String {
    if per_min.abs() < 0.05 || !per_min.is_finite() {
        "0".to_owned()
    } else if per_min.abs() >= 10.0 {
        format!("{per_min:+.0}")
    } else {
        format!("{per_min:+.1}")
    }
}

/// How those ended that ended, where not all are well, and how many polls were slow.
fn ends(row: &SiteRow) -> Option<String> {
    let Outcomes {
        ok,
        error,
        panic,
        aborted,
    } = row.outcomes.unwrap_or_default();
    let counted = [("error", error), ("panic", panic), ("aborted", aborted)];
    let slow = row.slow_polls.filter(|slow| *slow > 0);
    let mut words: Vec<_> = counted
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(word, count)| format!("{} {word}", format::count(count)))
        .collect();
    if !words.is_empty() {
        words.insert(0, format!("{} ok", format::count(ok)));
    }
    words.extend(slow.map(|slow| figure::plural(slow, "slow poll")));
    (!words.is_empty()).then(|| words.join(", "))
}

/// How old its tasks are, and what their polls cost.
fn life(theme: Theme, row: &SiteRow, level: Level, area: Rect, buf: &mut Buffer) {
    if area.height < 4 {
        return;
    }
    let half = area.width / 2;
    let left = Rect {
        width: half,
        ..area
    };
    let right = Rect {
        x: area.x + half,
        width: area.width - half,
        ..area
    };
    totals(theme, row, level, left, buf);
    ages(theme, row, right, buf);
}

fn totals(theme: Theme, row: &SiteRow, level: Level, area: Rect, buf: &mut Buffer) {
    let title = path::row(row, usize::from(area.width).saturating_sub(6));
    let title = Line::styled(title, theme.bold());
    let inner = boxes::padding(boxes::draw(theme, area, title, Line::default(), false, buf));
    let pair = |label: &'static str, value: String| {
        Line::from(vec![
            Span::styled(format!("{label:<9}"), theme.dim()),
            Span::raw(value),
        ])
    };
    let room = usize::from(inner.width).saturating_sub(9);
    let mut lines = vec![
        match &*row.name {
            "" => pair("future", row.site.type_name.clone()),
            // Its name is the title.
            _ => pair("made at", path::site(&row.site, room)),
        },
        pair(
            "live",
            format!(
                "{} now, {} at most, {} a minute",
                figure::grouped(row.live),
                figure::grouped(row.live_peak),
                growth(row.live_per_min)
            ),
        ),
        pair(
            "ended",
            format!(
                "{} of {} spawned",
                figure::grouped(row.ended),
                figure::grouped(row.spawned)
            ),
        ),
    ];
    if let Some(ends) = ends(row) {
        lines.push(pair("", ends));
    }
    for (label, times) in [("poll", &row.poll_ns), ("sched", &row.scheduled_ns)] {
        let mut spans = vec![Span::styled(format!("{label:<9}"), theme.dim())];
        match times {
            Some(times) => {
                let values = [
                    ("p50", times.p50),
                    ("p90", times.p90),
                    ("p99", times.p99),
                    ("max", times.max),
                ];
                selected::quantiles(&mut spans, theme, &values, room);
            }
            None if level == Level::Debug => {
                spans.push(Span::styled("none timed yet", theme.dim()));
            }
            None => spans.push(Span::styled("off: needs level debug (L)", theme.dim())),
        }
        lines.push(Line::from(spans));
    }
    let history = spark::line(&row.history_live, row.live_peak, room);
    if !history.is_empty() {
        lines.push(Line::from(vec![
            Span::styled("history  ", theme.dim()),
            Span::styled(history, theme.chart()),
        ]));
    }
    boxes::lines(inner, lines, buf);
}

fn ages(theme: Theme, row: &SiteRow, area: Rect, buf: &mut Buffer) {
    let title = Line::styled("Age of its live tasks", theme.bold());
    let inner = boxes::padding(boxes::draw(theme, area, title, Line::default(), false, buf));
    match &row.age_ns {
        Some(ages) if !ages.buckets.is_empty() => {
            histogram::draw(theme, ages, histogram::Unit::Age, 0, 0, inner, buf);
        }
        Some(ages) => {
            let mut spans = Vec::new();
            let values = [("p50", ages.p50), ("p90", ages.p90), ("max", ages.max)];
            let room = usize::from(inner.width);
            selected::quantiles(&mut spans, theme, &values, room);
            boxes::lines(inner, [Line::from(spans)], buf);
        }
        None => boxes::lines(
            inner,
            [Line::styled("no task of it is alive", theme.dim())],
            buf,
        ),
    }
}

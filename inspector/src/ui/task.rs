//! All about one task: in boxes where there is room, else in tabs.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::stack::{self, Manner};
use super::theme::mark;
use super::warning::verdict_words;
use super::{Theme, boxes, figure, histogram, selected};
use crate::app::page::{Page, Part, TaskPage};
use crate::app::warnings::place as place_of;
use crate::app::{App, path};
use crate::format;
use crate::model::{Level, Place, Severity, Task, TaskDetail, TaskState, Waker};

pub(super) fn draw(app: &App, theme: Theme, area: Rect, buf: &mut Buffer) {
    let Some(Page::Task(page)) = app.pages.last() else {
        return;
    };
    let Some(detail) = &page.detail else {
        return waiting(theme, page, area, buf);
    };
    // Inside the border and the blank beside it.
    let width = usize::from(area.width.saturating_sub(4));
    let facts = facts(app, theme, page, detail, width);
    let height = (facts.len() as u16 + 2).min(area.height);
    let top = Rect { height, ..area };
    let task = &detail.task;
    let title = Line::from(vec![
        Span::styled(format!("Task {}  ", task.id), theme.dim()),
        Span::styled(task.title(), theme.bold()),
    ]);
    let note = if page.gone {
        Line::styled("done: the last that was known", theme.dim())
    } else {
        Line::default()
    };
    let inner = boxes::padding(boxes::draw(theme, top, title, note, false, buf));
    boxes::lines(inner, facts, buf);

    let rest = Rect {
        y: top.bottom(),
        height: area.height - height,
        ..area
    };
    if rest.width >= 100 && rest.height >= 20 {
        in_boxes(app, theme, page, detail, rest, buf);
    } else if rest.height >= 3 {
        in_tabs(app, theme, page, detail, rest, buf);
    }
}

/// Why there is nothing to show of the task.
pub(super) fn why_empty(page: &TaskPage) -> &'static str {
    match (page.gone, page.unanswered) {
        (true, _) => "the task ended",
        (false, true) => "the target did not answer: asking again",
        (false, false) => "asking the target",
    }
}

fn waiting(theme: Theme, page: &TaskPage, area: Rect, buf: &mut Buffer) {
    let title = Line::styled(format!("Task {}", page.id), theme.bold());
    let inner = boxes::draw(theme, area, title, Line::default(), false, buf);
    if page.gone {
        let what = format!("there is no task {} any more", page.id);
        boxes::message(
            theme,
            inner,
            &what,
            "it ended and nobody holds its handle; Esc goes back",
            buf,
        );
    } else {
        boxes::message(theme, inner, why_empty(page), "Esc goes back", buf);
    }
}

/// The state in words; that the task is no more goes before what it was when that was known last.
pub(super) fn state(page: &TaskPage, task: &Task) -> String {
    match (task.state, task.current_poll_ns) {
        _ if page.gone => "done".to_owned(),
        (TaskState::Running, Some(ns)) => format!("running for {}", format::duration(ns)),
        _ => figure::state(task).to_owned(),
    }
}

pub(super) fn facts<'a>(
    app: &App,
    theme: Theme,
    page: &TaskPage,
    detail: &TaskDetail,
    width: usize,
) -> Vec<Line<'a>> {
    const BY: &str = " by";
    let task = &detail.task;
    let level = app.snapshot.target.level;
    let label = |text: &str| Span::styled(format!("{text:<8}"), theme.dim());
    let dim = |text: &str| Span::styled(text.to_owned(), theme.dim());

    let thread = app
        .snapshot
        .threads
        .iter()
        .find(|thread| thread.tid == task.tid);
    let state = state(page, task);
    let mut first = vec![label("state"), Span::styled(state, theme.state(task.state))];
    if let Some(thread) = thread {
        first.push(Span::raw(format!(" on {}", thread.name)));
    }
    if let Some(verdict) = &detail.verdict {
        first.push(dim(", "));
        first.push(Span::raw(verdict_words(verdict)));
    }
    first.push(dim(&format!("   poll {}", figure::grouped(task.polls))));
    let handle = match detail.handle.as_str() {
        "" => String::new(),
        handle => format!("   handle {handle}"),
    };
    first.push(dim(&handle));

    let mut second = vec![
        label("spawned"),
        Span::raw(format!("{} ago", format::age(task.age_ns))),
    ];
    if let Some(thread) = &detail.created.thread {
        second.push(dim(" on "));
        second.push(Span::raw(thread.name.clone()));
    }
    second.push(dim(" at "));
    let by = task.parent.map(|id| {
        let name = detail.parent.as_ref().map(crate::model::Task::title);
        (format!(" {id} "), name.unwrap_or_default())
    });
    // Half is the place's, unless the parent needs less than the rest.
    let used: usize = second.iter().map(Span::width).sum();
    let room = width.saturating_sub(used);
    let by_room = by
        .as_ref()
        .map_or(0, |(id, name)| BY.width() + id.width() + name.width());
    let site = path::site(&task.site, room.saturating_sub(by_room).max(room / 2));
    let rest = room.saturating_sub(site.width());
    second.push(Span::raw(site));
    if let Some((id, name)) = by {
        let name = path::cut(&name, rest.saturating_sub(BY.width() + id.width()));
        second.extend([dim(BY), Span::raw(id + &name)]);
    }

    let mut third = vec![label("times")];
    for (name, ns) in [
        ("busy", task.busy_ns),
        ("scheduled", task.scheduled_ns),
        ("idle", task.idle_ns),
        ("max poll", task.max_poll_ns),
    ] {
        let style = if ns.is_some() {
            theme.text()
        } else {
            theme.dim()
        };
        third.push(dim(&format!("{name} ")));
        third.push(Span::styled(
            format!("{}   ", figure::time(ns, level)),
            style,
        ));
    }
    if level < Level::Debug {
        third = vec![label("times"), dim("off: needs level debug (L)")];
    }
    let size = format::bytes(task.future_bytes);
    let mut lines = vec![
        Line::from(first),
        Line::from(second),
        Line::from(third),
        Line::from(vec![
            label("future"),
            Span::raw(task.type_name.clone()),
            dim(&format!("   {size}")),
        ]),
    ];
    lines.extend(circumstances(theme, task));
    lines
}

/// What not every task has: that nobody asked how it ended, who aborted it, and the span and labels it runs in.
fn circumstances<'a>(theme: Theme, task: &Task) -> Vec<Line<'a>> {
    let label = |text: &str| Span::styled(format!("{text:<8}"), theme.dim());
    let dim = |text: &str| Span::styled(text.to_owned(), theme.dim());
    let mut lines = Vec::new();
    if let Some(what) = task.unread() {
        let what = Span::styled(what, theme.severity(Severity::Warn));
        lines.push(Line::from(vec![label("failed"), what]));
    }
    if let Some(aborter) = &task.aborted_by {
        let by = Span::raw(aborter.to_string());
        lines.push(Line::from(vec![label("aborted"), dim("by "), by]));
    }
    if !task.span.is_empty() {
        lines.push(Line::from(vec![label("in"), Span::raw(task.span.clone())]));
    }
    if !task.labels.is_empty() {
        let mut spans = vec![label("labels")];
        for (key, value) in &task.labels {
            spans.push(dim(&format!("{key} ")));
            spans.push(Span::raw(format!("{value}   ")));
        }
        lines.push(Line::from(spans));
    }
    lines
}

fn in_boxes(
    app: &App,
    theme: Theme,
    page: &TaskPage,
    detail: &TaskDetail,
    area: Rect,
    buf: &mut Buffer,
) {
    let half = area.width / 2;
    let upper = area.height / 2;
    let wakers = 6.min(area.height - upper);
    let (right, below) = (area.x + half, area.y + upper);
    let rest = area.width - half;
    let places = [
        (Part::Created, Rect::new(area.x, area.y, half, upper)),
        (Part::Now, Rect::new(right, area.y, rest, upper)),
        (
            Part::Polls,
            Rect::new(area.x, below, half, area.height - upper),
        ),
        (Part::Wakers, Rect::new(right, below, rest, wakers)),
        (
            Part::Warnings,
            Rect::new(right, below + wakers, rest, area.height - upper - wakers),
        ),
    ];
    for (part, area) in places {
        if area.height < 3 {
            continue;
        }
        let (title, note) = titles(theme, part, detail);
        let focused = page.part == part;
        let inner = boxes::draw(theme, area, title, note, focused, buf);
        content(app, theme, page, detail, part, boxes::padding(inner), buf);
    }
}

fn in_tabs(
    app: &App,
    theme: Theme,
    page: &TaskPage,
    detail: &TaskDetail,
    area: Rect,
    buf: &mut Buffer,
) {
    let mut spans = Vec::new();
    for part in Part::ALL {
        let style = if part == page.part {
            theme.accent()
        } else {
            theme.dim()
        };
        let text = if part == page.part {
            format!("[{}]", part.title())
        } else {
            format!(" {} ", part.title())
        };
        spans.push(Span::styled(text, style));
    }
    let note = Line::styled("Tab", theme.dim());
    let inner = boxes::draw(theme, area, Line::from(spans), note, false, buf);
    content(
        app,
        theme,
        page,
        detail,
        page.part,
        boxes::padding(inner),
        buf,
    );
}

fn titles<'a>(theme: Theme, part: Part, detail: &TaskDetail) -> (Line<'a>, Line<'a>) {
    let plain = |text: &'static str| Line::styled(text, theme.bold());
    let none = Line::default();
    match part {
        Part::Created if detail.created.exemplar => (
            plain("Created here"),
            Line::styled("another task's of this site", theme.dim()),
        ),
        Part::Created => (plain("Created here"), none),
        Part::Now => (plain("Where it is now"), none),
        Part::Polls => {
            let count = detail.site_poll_ns.as_ref().map_or(0, |poll| poll.count);
            let note = Line::styled(figure::plural(count, "poll"), theme.dim());
            (
                plain("Poll times of its site"),
                if count > 0 { note } else { none },
            )
        }
        Part::Wakers => (plain("Wakers"), none),
        Part::Warnings => {
            let count = detail.warnings.len() as u64;
            let note = if count > 0 { "Enter opens" } else { "" };
            (
                Line::styled(format!("Warnings {count}"), theme.bold()),
                Line::styled(note, theme.dim()),
            )
        }
    }
}

pub(super) fn content(
    app: &App,
    theme: Theme,
    page: &TaskPage,
    detail: &TaskDetail,
    part: Part,
    area: Rect,
    buf: &mut Buffer,
) {
    let scroll = page.scroll[part as usize];
    let level = app.snapshot.target.level;
    match part {
        Part::Created => frames(app, theme, &detail.created, scroll, area, buf),
        Part::Now => match &detail.now {
            Some(now) => frames(app, theme, now, scroll, area, buf),
            None => parked(theme, detail, area, buf),
        },
        Part::Polls => polls(app, theme, detail, scroll, area, buf),
        Part::Wakers => boxes::lines(area, wakers(app, theme, detail, level), buf),
        Part::Warnings => warnings(app, theme, page, detail, area, buf),
    }
}

fn frames(app: &App, theme: Theme, place: &Place, scroll: usize, area: Rect, buf: &mut Buffer) {
    if place.backtrace.is_empty() {
        let why = match app.snapshot.target.level {
            Level::Debug => {
                "none was taken: the task is older than the level, or its site is sampled"
            }
            _ => "off: needs level debug when the task is spawned (L)",
        };
        let lines = figure::wrap(why, usize::from(area.width));
        return boxes::lines(
            area,
            lines
                .into_iter()
                .map(|text| Line::styled(text, theme.dim())),
            buf,
        );
    }
    let manner = Manner {
        width: usize::from(area.width),
        all: app.all_frames,
        wrap: app.wrap,
        folds: true,
    };
    let lines = stack::lines(theme, place, manner);
    boxes::lines(area, lines.into_iter().skip(scroll), buf);
}

/// There is a stack only of a poll that runs.
fn parked(theme: Theme, detail: &TaskDetail, area: Rect, buf: &mut Buffer) {
    let (what, why) = match detail.task.state {
        TaskState::Running => ("in a poll", "its stack could not be taken this time"),
        TaskState::Scheduled => (
            "woken, waiting for a worker",
            "it has no stack of its own now",
        ),
        TaskState::Idle => ("waiting to be woken", "it has no stack of its own now"),
        TaskState::Unpolled => ("never polled", "nothing has run it yet"),
        TaskState::Done => ("done", "its future is gone"),
    };
    let lines = [
        Line::styled(what, theme.state(detail.task.state)),
        Line::styled(why, theme.dim()),
    ];
    boxes::lines(area, lines, buf);
}

fn polls(
    app: &App,
    theme: Theme,
    detail: &TaskDetail,
    scroll: usize,
    area: Rect,
    buf: &mut Buffer,
) {
    let Some(poll) = &detail.site_poll_ns else {
        let why = match app.snapshot.target.level {
            Level::Debug => "no poll of this site was timed yet",
            _ => "off: needs level debug (L)",
        };
        return boxes::lines(area, [Line::styled(why, theme.dim())], buf);
    };
    if poll.buckets.is_empty() {
        let text = "only the quantiles are known";
        boxes::lines(area, [Line::styled(text, theme.dim())], buf);
    }
    let chart = Rect {
        height: area.height.saturating_sub(2),
        ..area
    };
    let threshold = app.snapshot.target.slow_poll_ns;
    histogram::draw(
        theme,
        poll,
        histogram::Unit::Duration,
        threshold,
        scroll,
        chart,
        buf,
    );
    let mut spans = Vec::new();
    let values = [
        ("p50", poll.p50),
        ("p90", poll.p90),
        ("p99", poll.p99),
        ("max", poll.max),
    ];
    selected::quantiles(&mut spans, theme, &values, usize::from(area.width));
    let last = Rect {
        y: area.bottom().saturating_sub(1),
        height: area.height.min(1),
        ..area
    };
    boxes::lines(last, [Line::from(spans)], buf);
}

fn wakers<'a>(app: &App, theme: Theme, detail: &TaskDetail, level: Level) -> Vec<Line<'a>> {
    let task = &detail.task;
    if detail.wakers.is_none() && task.wakes.is_none() {
        let why = match level {
            Level::Debug => "no figures yet: they are kept from its next poll on",
            _ => "off: needs level debug (L)",
        };
        return vec![Line::styled(why, theme.dim())];
    }
    let dim = |text: &str| Span::styled(text.to_owned(), theme.dim());
    let mut lines = Vec::new();
    if let Some(wakers) = detail.wakers {
        let live = wakers.clones.saturating_sub(wakers.drops);
        let style = if live == 0 && task.state == TaskState::Idle {
            theme.severity(Severity::Warn)
        } else {
            Style::new()
        };
        lines.push(Line::from(vec![
            dim("wakers  "),
            Span::styled(format!("{} alive", figure::grouped(live)), style),
            dim(&format!(
                "   {} clones, {} drops",
                format::count(wakers.clones),
                format::count(wakers.drops)
            )),
        ]));
    }
    let mut woken = vec![
        dim("woken   "),
        Span::raw(format!("{} times", figure::count(task.wakes, level))),
    ];
    if let (Some(wakes), Some(own)) = (task.wakes, task.self_wakes)
        && wakes > 0
    {
        let share = format::percent(own as f64 / wakes as f64);
        woken.push(dim(&format!(", {share} by itself")));
    }
    lines.push(Line::from(woken));
    lines.push(Line::from(last_wake(app, theme, detail)));
    lines
}

/// When it was woken last, and by whom, as far as that is known.
fn last_wake<'a>(app: &App, theme: Theme, detail: &TaskDetail) -> Vec<Span<'a>> {
    let dim = |text: &str| Span::styled(text.to_owned(), theme.dim());
    let mut last = vec![dim("last    ")];
    match (detail.since_wake_ns, &detail.last_waker) {
        (Some(ns), _) => last.push(Span::raw(format!("{} ago ", format::duration(ns)))),
        (None, None) => last.push(dim("never")),
        (None, Some(_)) => {}
    }
    match &detail.last_waker {
        Some(Waker::Task(id)) => {
            let known = app.tasks.loaded().find(|task| task.id == *id);
            let name = known.map(crate::model::Task::title).unwrap_or_default();
            last.push(dim("by task "));
            last.push(Span::raw(format!("{id} {name}")));
        }
        Some(Waker::Thread(thread)) => {
            last.push(dim("by thread "));
            last.push(Span::raw(format!("{} {}", thread.tid, thread.name)));
        }
        None => {}
    }
    last
}

fn warnings(
    app: &App,
    theme: Theme,
    page: &TaskPage,
    detail: &TaskDetail,
    area: Rect,
    buf: &mut Buffer,
) {
    if detail.warnings.is_empty() {
        return boxes::lines(area, [Line::styled("none", theme.dim())], buf);
    }
    let cursor = page.scroll[Part::Warnings as usize];
    let height = usize::from(area.height).max(1);
    let top = (cursor + 1).saturating_sub(height);
    let focused = page.part == Part::Warnings;
    let lines = detail
        .warnings
        .iter()
        .enumerate()
        .skip(top)
        .take(height)
        .map(|(at, id)| {
            let arrow = if at == cursor && focused {
                "▸ "
            } else {
                "  "
            };
            let Some(warning) = app.warnings.get(*id) else {
                return Line::styled(format!("{arrow}warning {id}"), theme.dim());
            };
            let shape = mark(Some(warning.severity));
            let title = format!("{shape:<2} {:<14}", warning.kind.title());
            let worst = figure::time(warning.worst_ns.or(warning.wall_ns), Level::Debug);
            let worst = format!(" {worst:>8}  ");
            let ago = format!("{:<10} ", figure::ago(app.now_ns(), warning.last_ns));
            let used = arrow.width() + title.width() + worst.width() + ago.width();
            let shown = place_of(warning).map_or_else(String::new, |site| {
                path::site(site, usize::from(area.width).saturating_sub(used))
            });
            Line::from(vec![
                Span::styled(arrow, theme.accent()),
                Span::styled(title, theme.severity(warning.severity)),
                Span::raw(worst),
                Span::styled(ago + &shown, theme.dim()),
            ])
        });
    boxes::lines(area, lines, buf);
}

//! Screens below 60x12: a header, rows without boxes, nothing else. Below 20x4: a word.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::theme::mark;
use super::warning::verdict_words;
use super::{Theme, boxes, chrome, figure, picker, task, threads};
use crate::app::geometry::{Panes, list_rows};
use crate::app::health::health;
use crate::app::keymap::Place;
use crate::app::page::{Page, TaskPage, WarningPage};
use crate::app::warnings::{Line as Row, place};
use crate::app::{App, path, tasks};
use crate::format;
use crate::model::{Found, FoundState};

/// From so many rows on a page has room for more than its title.
const ROOMY: u16 = 9;

pub(super) fn too_small(theme: Theme, area: Rect, buf: &mut Buffer) {
    let text = figure::fit("too small", usize::from(area.width));
    boxes::lines(area, [Line::styled(text, theme.bold())], buf);
}

pub(super) fn header(app: &App, theme: Theme, area: Rect, buf: &mut Buffer) {
    let (word, style) = chrome::state(app, theme);
    if app.place() == Place::Picker {
        let line = Line::from(vec![
            Span::styled("pollscope ", theme.accent()),
            Span::styled(word, style),
        ]);
        return boxes::lines(area, [line], buf);
    }
    let health = health(app);
    let shape = match (mark(health.severity), health.severity) {
        ("", _) | (_, None) => Span::raw(""),
        (shape, Some(severity)) => Span::styled(format!(" {shape}"), theme.severity(severity)),
    };
    let room = usize::from(area.width).saturating_sub(figure::fit(&word, 20).chars().count() + 4);
    let name = figure::fit(&app.snapshot.target.name, room);
    let line = Line::from(vec![
        Span::styled(name, theme.bold()),
        Span::raw(" "),
        Span::styled(word, style),
        shape,
    ]);
    boxes::lines(area, [line], buf);
}

pub(super) fn body(app: &App, theme: Theme, panes: Panes, buf: &mut Buffer) {
    let area = panes.main;
    match app.pages.last() {
        Some(Page::Task(page)) => return task_page(app, theme, page, area, buf),
        Some(Page::Warning(page)) => return warning_page(app, theme, page, area, buf),
        None => {}
    }
    if panes.lower.height > 0 {
        boxes::lines(panes.lower, stack(app, theme, panes.lower), buf);
    }
    let width = usize::from(area.width);
    let height = list_rows(app);
    let lines: Vec<(bool, Line<'_>)> = match app.place() {
        Place::Picker => {
            let rows = app.picker.visible(height);
            rows.map(|(cursor, _, row)| (cursor, process(theme, row, width)))
                .collect()
        }
        Place::Tasks => {
            let rows = app.tasks.visible(height);
            rows.map(|(cursor, row)| {
                (
                    cursor,
                    row.map_or_else(Line::default, |row| task(app, theme, row, width)),
                )
            })
            .collect()
        }
        Place::Sites => {
            let rows = app.sites.visible(height);
            rows.map(|(cursor, _, row)| {
                let place = path::row(row, width.saturating_sub(10));
                (cursor, Line::raw(format!("{:>6}  {place}", row.live)))
            })
            .collect()
        }
        Place::Warnings => {
            let rows = app.warnings.list.visible(height);
            rows.map(|(cursor, _, row)| (cursor, warning(theme, row, width)))
                .collect()
        }
        Place::Threads => {
            let rows = app.threads.list.visible(height);
            rows.map(|(cursor, _, row)| {
                let name = figure::fit(&row.name, width.saturating_sub(14));
                // Where a stack was taken, what it told: there may be no room for the stack itself.
                let stack = app.threads.stacks.get(&row.tid);
                let told = stack.and_then(|stack| stack.verdict.as_ref());
                let now = told.map_or_else(|| row.now.clone(), verdict_words);
                (cursor, Line::raw(format!("{name} {now}")))
            })
            .collect()
        }
        Place::Task | Place::Warning => Vec::new(),
    };
    if lines.is_empty() {
        let text = if app.loaded || app.discovered {
            "nothing to show"
        } else {
            "waiting"
        };
        return boxes::lines(area, [Line::styled(text, theme.dim())], buf);
    }
    for (at, (cursor, line)) in lines.into_iter().take(usize::from(area.height)).enumerate() {
        let strip = Rect {
            y: area.y + at as u16,
            height: 1,
            ..area
        };
        let mark = if cursor { "▸" } else { " " };
        let mut spans = vec![Span::styled(mark, theme.accent())];
        spans.extend(line.spans);
        let line = Line::from(spans);
        boxes::lines(strip, [line], buf);
        if cursor {
            buf.set_style(strip, theme.cursor());
        }
    }
}

/// Its PID and name, and what stands in the way of attaching to it.
fn process<'a>(theme: Theme, row: &Found, width: usize) -> Line<'a> {
    let pid = row
        .pid
        .map_or_else(|| "-".to_owned(), |pid| pid.to_string());
    let (state, style) = match row.state {
        FoundState::Ready => (String::new(), theme.text()),
        _ => picker::state(theme, &row.state),
    };
    let name = figure::fit(&row.name, width.saturating_sub(10 + state.len()));
    Line::from(vec![
        Span::raw(format!("{pid:>7} {name} ")),
        Span::styled(state, style),
    ])
}

fn task<'a>(app: &App, theme: Theme, row: &tasks::Row, width: usize) -> Line<'a> {
    let task = &row.task;
    let busy = figure::time(task.busy_ns, app.snapshot.target.level);
    let shape = mark(task.warned);
    let style = theme.state(task.state);
    // The state is a word where there is room for one, and always where it says that the task is no more.
    let state = match figure::state(task) {
        state if width >= 40 => format!(" {state:<11}"),
        _ if row.fate == tasks::Fate::Gone => " done".to_owned(),
        _ => String::new(),
    };
    let room = width.saturating_sub(13 + state.width());
    let name = if task.name.is_empty() {
        path::site(&task.site, room)
    } else {
        figure::fit(&task.name, room)
    };
    let pad = " ".repeat(room.saturating_sub(name.width()));
    Line::from(vec![
        Span::styled(format!("{shape:<2} "), theme.warned(task.warned)),
        Span::styled(name, style),
        Span::styled(format!("{pad}{state}"), style),
        Span::raw(format!(" {busy:>8}")),
    ])
}

fn warning<'a>(theme: Theme, row: &Row, width: usize) -> Line<'a> {
    match row {
        Row::Kind(row) => Line::styled(
            format!("{} ×{}", row.kind.title(), format::count(row.count)),
            theme.bold(),
        ),
        Row::One(warning) => {
            let count = format!(" ×{}", format::count(warning.count));
            let room = width.saturating_sub(4 + count.width());
            let shown = place(warning)
                .map_or_else(|| "place unknown".to_owned(), |site| path::site(site, room));
            Line::from(vec![
                Span::styled(
                    format!("{:<2} ", mark(Some(warning.severity))),
                    theme.severity(warning.severity),
                ),
                Span::raw(shown),
                Span::styled(count, theme.dim()),
            ])
        }
    }
}

/// The stack of the thread under the cursor.
fn stack<'a>(app: &App, theme: Theme, area: Rect) -> Vec<Line<'a>> {
    let width = usize::from(area.width);
    let title = match (&app.threads.list.selected(), app.threads.asking) {
        (Some(thread), false) => format!("─ {} ", thread.name),
        (_, true) => "─ asking ".to_owned(),
        (None, false) => String::new(),
    };
    let rule = "─".repeat(width.saturating_sub(title.width()));
    let mut lines = vec![Line::styled(
        figure::fit(&(title + &rule), width),
        theme.dim(),
    )];
    if let Some(taken) = app.threads.stack() {
        lines.extend(threads::frames(
            app,
            theme,
            Some(&taken.place),
            &taken.missing,
            width,
        ));
    }
    lines
}

/// What it is, its facts where there is room for them, and the part that has the keys.
fn task_page(app: &App, theme: Theme, page: &TaskPage, area: Rect, buf: &mut Buffer) {
    let width = usize::from(area.width);
    let Some(detail) = &page.detail else {
        let text = task::why_empty(page);
        return boxes::lines(area, [Line::styled(text, theme.dim())], buf);
    };
    let mut lines = if area.height >= ROOMY {
        let title = format!("{} {}", detail.task.id, detail.task.title());
        let mut lines = vec![Line::styled(figure::fit(&title, width), theme.bold())];
        let mut facts = task::facts(app, theme, page, detail, width).into_iter();
        let state = facts.next();
        let is_cut = state.as_ref().is_some_and(|line| line.width() > width);
        lines.extend(state.map(|line| boxes::fit(line, width)));
        if let Some(verdict) = detail.verdict.as_ref().filter(|_| is_cut) {
            let text = format!("        {}", verdict_words(verdict));
            lines.push(Line::raw(figure::fit(&text, width)));
        }
        lines.extend(facts.map(|line| boxes::fit(line, width)));
        lines
    } else {
        let state = task::state(page, &detail.task);
        let title = format!("{} {}", detail.task.id, detail.task.title());
        let room = width.saturating_sub(state.width() + 1);
        vec![Line::from(vec![
            Span::styled(figure::fit(&title, room), theme.bold()),
            Span::styled(format!(" {state}"), theme.state(detail.task.state)),
        ])]
    };
    lines.push(Line::styled(
        format!("[{}]", page.part.title()),
        theme.accent(),
    ));
    let (top, rest) = split(area, lines.len());
    boxes::lines(top, lines, buf);
    task::content(app, theme, page, detail, page.part, rest, buf);
}

/// What it is and how long it took, and the place that has the keys with all that is told there.
fn warning_page(app: &App, theme: Theme, page: &WarningPage, area: Rect, buf: &mut Buffer) {
    let width = usize::from(area.width);
    let Some(warning) = app.warnings.get(page.id) else {
        let text = "this warning is no longer known";
        return boxes::lines(area, [Line::styled(text, theme.dim())], buf);
    };
    let severity = theme.severity(warning.severity);
    let title = format!(
        "{} {} ×{}",
        mark(Some(warning.severity)),
        warning.kind.title(),
        format::count(warning.count)
    );
    let mut lines = vec![Line::styled(figure::fit(&title, width), severity)];
    if area.height >= ROOMY {
        let text = figure::wrap(&warning.message, width);
        lines.extend(text.into_iter().take(3).map(Line::raw));
    }
    let words = warning.kind.words();
    let (here, there, place) = if page.second {
        (words.observed, words.created, &warning.observed)
    } else {
        (words.created, words.observed, &warning.created)
    };
    let sides = vec![
        Span::styled(format!("[{here}]"), theme.accent()),
        Span::styled(format!("  {there} (Tab)"), theme.dim()),
    ];
    lines.push(boxes::fit(Line::from(sides), width));
    let (top, rest) = split(area, lines.len());
    boxes::lines(top, lines, buf);
    let told = super::warning::side(app, theme, warning, place, page.second, rest);
    let scroll = page.scroll[usize::from(page.second)];
    boxes::lines(rest, told.into_iter().skip(scroll), buf);
}

fn split(area: Rect, lines: usize) -> (Rect, Rect) {
    let height = area.height.min(lines as u16);
    let top = Rect { height, ..area };
    let rest = Rect {
        y: area.y + height,
        height: area.height - height,
        ..area
    };
    (top, rest)
}

//! Screens below 60x12: a header, rows without boxes, nothing else. Below 20x4: a word.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::theme::mark;
use super::{Theme, boxes, chrome, figure};
use crate::app::geometry::list_rows;
use crate::app::health::health;
use crate::app::keymap::Place;
use crate::app::page::{Page, Part};
use crate::app::warnings::{Line as Row, place};
use crate::app::{App, path};
use crate::format;
use crate::model::Severity;

pub(super) fn too_small(theme: Theme, area: Rect, buf: &mut Buffer) {
    let text = figure::fit("too small", usize::from(area.width));
    boxes::lines(area, [Line::styled(text, theme.bold())], buf);
}

pub(super) fn header(app: &App, theme: Theme, area: Rect, buf: &mut Buffer) {
    if app.place() == Place::Picker {
        return boxes::lines(area, [Line::styled("pollscope", theme.accent())], buf);
    }
    let (word, style) = chrome::state(app, theme);
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

pub(super) fn body(app: &App, theme: Theme, area: Rect, buf: &mut Buffer) {
    let width = usize::from(area.width);
    let height = list_rows(app);
    let lines: Vec<(bool, Line<'_>)> = match app.place() {
        Place::Picker => {
            let rows = app.picker.visible(height);
            rows.map(|(cursor, _, row)| {
                let pid = row
                    .pid
                    .map_or_else(|| "-".to_owned(), |pid| pid.to_string());
                (cursor, Line::raw(format!("{pid:>7} {}", row.name)))
            })
            .collect()
        }
        Place::Tasks => {
            let rows = app.tasks.visible(height);
            rows.map(|(cursor, row)| {
                (
                    cursor,
                    row.map_or_else(Line::default, |row| task(app, theme, &row.task, width)),
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
                (cursor, Line::raw(format!("{name} {}", row.now)))
            })
            .collect()
        }
        Place::Task | Place::Warning => page(app, theme, width)
            .into_iter()
            .map(|line| (false, line))
            .collect(),
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

fn task<'a>(app: &App, theme: Theme, task: &crate::model::Task, width: usize) -> Line<'a> {
    let busy = figure::time(task.busy_ns, app.snapshot.target.level);
    let shape = mark(task.warned);
    let name = if task.name.is_empty() {
        path::site(&task.site, width.saturating_sub(13))
    } else {
        figure::fit(&task.name, width.saturating_sub(13))
    };
    let pad = " ".repeat(width.saturating_sub(13 + name.chars().count()));
    Line::from(vec![
        Span::styled(format!("{shape:<2} "), theme.warned(task.warned)),
        Span::styled(name, theme.state(task.state)),
        Span::raw(format!("{pad} {busy:>8}")),
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

/// The part of the page that has the keys.
fn page<'a>(app: &App, theme: Theme, width: usize) -> Vec<Line<'a>> {
    let manner = super::stack::Manner {
        width: width.saturating_sub(1),
        all: app.all_frames,
        wrap: app.wrap,
        folds: true,
    };
    match app.pages.last() {
        Some(Page::Task(page)) => {
            let Some(detail) = &page.detail else {
                let text = if page.gone {
                    "the task ended"
                } else {
                    "asking the target"
                };
                return vec![Line::styled(text, theme.dim())];
            };
            let state = figure::state(&detail.task);
            let mut lines = vec![Line::raw(format!(
                "{} {} {state}",
                detail.task.id,
                detail.task.title()
            ))];
            let place = match (page.part, &detail.now) {
                (Part::Created, _) | (_, None) => &detail.created,
                (_, Some(now)) => now,
            };
            let frames = super::stack::lines(theme, place, manner);
            lines.extend(frames.into_iter().skip(page.scroll[page.part as usize]));
            lines
        }
        Some(Page::Warning(page)) => {
            let Some(warning) = app.warnings.get(page.id) else {
                return vec![Line::styled("this warning is no longer known", theme.dim())];
            };
            let words = warning.kind.words();
            let (title, place) = if page.second {
                (words.observed, &warning.observed)
            } else {
                (words.created, &warning.created)
            };
            let mut lines = vec![Line::styled(title, theme.severity(Severity::Warn))];
            let frames = super::stack::lines(theme, place, manner);
            lines.extend(
                frames
                    .into_iter()
                    .skip(page.scroll[usize::from(page.second)]),
            );
            lines
        }
        None => Vec::new(),
    }
}

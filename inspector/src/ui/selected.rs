//! The task under the cursor in three lines, below the list.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::theme::mark;
use super::{Theme, boxes, figure};
use crate::app::tasks::{Fate, Row};
use crate::app::{App, path};
use crate::format;
use crate::model::{Level, SiteRow, Task, TaskState};

pub(super) fn draw(app: &App, theme: Theme, area: Rect, buf: &mut Buffer) {
    if area.height < 3 {
        return;
    }
    let Some(row) = app.tasks.selected() else {
        boxes::draw(theme, area, Line::default(), Line::default(), false, buf);
        return;
    };
    let task = &row.task;
    let title = Line::from(vec![
        Span::styled(task.title(), theme.bold()),
        Span::styled(format!("  {}", task.id), theme.dim()),
    ]);
    let note = Line::styled("Enter opens", theme.dim());
    let inner = boxes::padding(boxes::draw(theme, area, title, note, false, buf));
    let site = app
        .snapshot
        .sites
        .iter()
        .find(|site| site.site.id == task.site.id);
    let lines = [
        whereabouts(app, theme, row, inner.width),
        figures(theme, app.snapshot.target.level, site),
        warnings(app, theme, task),
    ];
    boxes::lines(inner, lines, buf);
}

fn whereabouts<'a>(app: &App, theme: Theme, row: &Row, width: u16) -> Line<'a> {
    let task = &row.task;
    let now = match row.fate {
        Fate::Gone => "done: it ended while the cursor was on it".to_owned(),
        Fate::Elsewhere => format!("{}, sorted elsewhere meanwhile", figure::state(task)),
        Fate::Here | Fate::Asked => match (task.state, task.current_poll_ns) {
            (TaskState::Running, Some(ns)) => {
                let thread = app
                    .snapshot
                    .threads
                    .iter()
                    .find(|thread| thread.tid == task.tid);
                let on = thread.map_or_else(String::new, |thread| format!(" on {}", thread.name));
                format!("running for {}{on}", format::duration(ns))
            }
            _ => figure::state(task).to_owned(),
        },
    };
    let parent = match task.parent {
        Some(id) => format!(" by task {id}"),
        None => String::new(),
    };
    let room = usize::from(width).saturating_sub(now.len() + parent.len() + 14);
    let mut spans = vec![
        Span::styled(now, theme.state(task.state)),
        Span::styled("   spawned at ", theme.dim()),
        Span::raw(path::site(&task.site, room)),
        Span::styled(parent, theme.dim()),
    ];
    if !task.span.is_empty() {
        spans.push(Span::styled("   in ", theme.dim()));
        spans.push(Span::raw(task.span.clone()));
    }
    for label in task.labels() {
        spans.push(Span::styled("   ", theme.dim()));
        spans.push(Span::raw(label));
    }
    Line::from(spans)
}

fn figures<'a>(theme: Theme, level: Level, site: Option<&SiteRow>) -> Line<'a> {
    let Some(poll) = site.and_then(|site| site.poll_ns.as_ref()) else {
        return match level {
            Level::Debug => Line::styled("no poll of this site was timed yet", theme.dim()),
            _ => Line::styled("poll times are off: needs level debug (L)", theme.dim()),
        };
    };
    let mut spans = vec![Span::styled("polls of its site  ", theme.dim())];
    quantiles(
        &mut spans,
        theme,
        &[
            ("p50", poll.p50),
            ("p90", poll.p90),
            ("p99", poll.p99),
            ("max", poll.max),
        ],
        usize::MAX,
    );
    if let Some(wait) = site.and_then(|site| site.scheduled_ns.as_ref()) {
        spans.push(Span::styled("   from wake to poll  ", theme.dim()));
        let values = [("p50", wait.p50), ("p99", wait.p99)];
        quantiles(&mut spans, theme, &values, usize::MAX);
    }
    Line::from(spans)
}

/// Adds quantiles as far as they fit into `room` cells: those in the middle go first, since a duration that was cut
/// reads as another one.
pub(super) fn quantiles(
    spans: &mut Vec<Span<'_>>,
    theme: Theme,
    values: &[(&str, u64)],
    room: usize,
) {
    let mut texts: Vec<(&str, String)> = values
        .iter()
        .map(|(name, ns)| (*name, format::duration(*ns)))
        .collect();
    let width = |texts: &[(&str, String)]| {
        let cells = |(name, text): &(&str, String)| name.width() + 1 + text.width();
        texts.iter().map(cells).sum::<usize>() + 2 * texts.len().saturating_sub(1)
    };
    while texts.len() > 1 && width(&texts) > room {
        texts.remove((texts.len() - 1) / 2);
    }
    for (at, (name, text)) in texts.into_iter().enumerate() {
        let blank = if at == 0 { "" } else { "  " };
        spans.push(Span::styled(format!("{blank}{name} "), theme.dim()));
        spans.push(Span::raw(text));
    }
}

fn warnings<'a>(app: &App, theme: Theme, task: &Task) -> Line<'a> {
    let mut spans = Vec::new();
    let of_task = |warning: &&crate::model::Warning| {
        warning.task.as_ref().is_some_and(|told| told.id == task.id)
    };
    for warning in app.warnings.audible().filter(of_task) {
        let shape = mark(Some(warning.severity));
        let text = format!("{shape} {} ×{}", warning.kind.title(), warning.count);
        spans.push(Span::styled(text, theme.severity(warning.severity)));
        let ago = figure::ago(app.now_ns(), warning.last_ns);
        spans.push(Span::styled(format!(" {ago}   "), theme.dim()));
    }
    if spans.is_empty() {
        let text = if task.warned.is_some() {
            "warnings of its site: see 2 Warnings"
        } else {
            "no warnings"
        };
        return Line::styled(text, theme.dim());
    }
    Line::from(spans)
}

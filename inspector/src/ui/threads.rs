//! Threads: what each does now; below, the target itself and the stack of the thread under the cursor.

use pollscope_proto::order::Order;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::stack::{self, Manner};
use super::table::{self, Column, Lie, growing, left, right};
use super::warning::verdict_words;
use super::{Theme, boxes, figure, spark};
use crate::app::geometry::{Panes, list_rows};
use crate::app::{App, path};
use crate::format;
use crate::model::{Level, Place, Rights, Thread, Warning};

#[derive(Clone, Copy, PartialEq)]
enum Shown {
    Mark,
    Of(Order),
    Role,
    History,
}

use Shown::{History, Mark, Of, Role};

const COLUMNS: &[Column<Shown>] = &[
    left(Mark, "", 2, 0),
    growing(Of(Order::Name), "THREAD", 12, 20, 0),
    right(Of(Order::Id), "TID", 7, 2),
    left(Role, "ROLE", 8, 3),
    growing(Of(Order::State), "NOW", 16, 44, 0),
    right(Of(Order::Current), "FOR", 8, 0),
    right(Of(Order::Busy), "BUSY", 6, 0),
    left(History, "LAST 60 s", 12, 1),
    right(Of(Order::Polls), "POLLS", 8, 4),
];

pub(super) fn draw(app: &App, theme: Theme, panes: Panes, buf: &mut Buffer) {
    let (shown, all) = (app.threads.list.len(), app.snapshot.threads.len());
    let mut spans = vec![Span::styled(
        format!("Threads {}", figure::of(shown as u64, all as u64)),
        theme.bold(),
    )];
    for runtime in app.snapshot.runtimes.iter().take(4) {
        let workers = figure::plural(u64::from(runtime.workers), "worker");
        spans.push(Span::styled(format!("   {} ", runtime.name), theme.text()));
        spans.push(Span::styled(
            format!("{}, {workers}", runtime.flavor),
            theme.dim(),
        ));
    }
    let sort = app.threads.sort;
    let note = Line::styled(format!("by {} {}", sort.by, sort.arrow()), theme.dim());
    let inner = boxes::draw(theme, panes.main, Line::from(spans), note, false, buf);
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
    if app.threads.list.is_empty() {
        let (what, next) = if app.loaded {
            ("no thread matches", "Esc clears the filter")
        } else {
            ("waiting for the first update", "")
        };
        return boxes::message(theme, body, what, next, buf);
    }
    let rows = app.threads.list.visible(list_rows(app));
    for (strip, (cursor, gone, row)) in table::strips(body).zip(rows) {
        let stuck = stuck(app, row);
        let text = |column, width| cell(app, theme, row, stuck, column, width);
        table::row(theme, &slots, strip, Lie { cursor, gone }, text, buf);
    }
    if panes.lower.height >= 3 {
        below(app, theme, panes.lower, buf);
    }
}

/// The warning about the poll that this thread is stuck in.
fn stuck<'a>(app: &'a App, thread: &Thread) -> Option<&'a Warning> {
    app.warnings.all().find(|warning| {
        let observed = warning.observed.thread.as_ref();
        warning.live
            && observed.is_some_and(|told| told.tid == thread.tid)
            && !app.warnings.is_muted(warning)
    })
}

fn cell(
    app: &App,
    theme: Theme,
    row: &Thread,
    warning: Option<&Warning>,
    column: Shown,
    width: usize,
) -> (String, Style) {
    let plain = theme.text();
    let stuck = warning.map(|warning| warning.severity);
    match column {
        Mark => (super::theme::mark(stuck).to_owned(), theme.warned(stuck)),
        Of(Order::Id) => (row.tid.to_string(), theme.dim()),
        Role => (row.role.clone(), theme.dim()),
        Of(Order::State) => now(app, theme, row, warning),
        Of(Order::Current) if row.current_task.is_some() || row.current_poll_ns > 0 => {
            (format::duration(row.current_poll_ns), theme.warned(stuck))
        }
        Of(Order::Current) => ("-".to_owned(), theme.dim()),
        Of(Order::Busy) => match row.busy_ratio {
            Some(ratio) => (format::percent(ratio), plain),
            None => (
                figure::missing(app.snapshot.target.level).to_owned(),
                theme.dim(),
            ),
        },
        Of(Order::Polls) => (format::count(row.polls), plain),
        Of(_) => (row.name.clone(), theme.bold()),
        History => {
            let all = &row.history_busy_permille;
            let recent: Vec<u64> = all[all.len().saturating_sub(60)..]
                .iter()
                .map(|&permille| u64::from(permille))
                .collect();
            (spark::line(&recent, 1000, width), theme.chart())
        }
    }
}

fn now(app: &App, theme: Theme, row: &Thread, stuck: Option<&Warning>) -> (String, Style) {
    let Some(id) = row.current_task else {
        let style = if row.now == "parked" {
            theme.dim()
        } else {
            theme.text()
        };
        return (row.now.clone(), style);
    };
    let known = app.tasks.loaded().find(|task| task.id == id);
    let name = known.map(crate::model::Task::title).or_else(|| {
        let told = stuck.and_then(|warning| warning.task.as_ref());
        told.map(|task| task.name.clone())
    });
    let text = format!("task {id} {}", name.unwrap_or_default());
    (text, theme.warned(stuck.map(|warning| warning.severity)))
}

fn below(app: &App, theme: Theme, area: Rect, buf: &mut Buffer) {
    if area.width < 100 {
        return stack_box(app, theme, area, buf);
    }
    let side = 46;
    let target = Rect {
        width: side,
        ..area
    };
    let stack = Rect {
        x: area.x + side,
        width: area.width - side,
        ..area
    };
    target_box(app, theme, target, buf);
    stack_box(app, theme, stack, buf);
}

/// The target, what it can see, and what we cost it.
fn target_box(app: &App, theme: Theme, area: Rect, buf: &mut Buffer) {
    let title = Line::styled("Target", theme.bold());
    let inner = boxes::padding(boxes::draw(theme, area, title, Line::default(), false, buf));
    let snapshot = &app.snapshot;
    let target = &snapshot.target;
    let pair = |label: &str, value: String| {
        Line::from(vec![
            Span::styled(format!("{label:<11}"), theme.dim()),
            Span::raw(value),
        ])
    };
    let level = match target.level {
        Level::Off => "off",
        Level::Quiet => "quiet (L: debug)",
        Level::Debug => "debug (L: quiet)",
    };
    let rights = match target.rights {
        Rights::Read => "read",
        Rights::Debug => "read, debug",
        Rights::Abort => "read, debug, abort",
    };
    let unseen = match snapshot.uninstrumented_tasks {
        0 => "none known".to_owned(),
        n => format!(
            "{} of libraries (see README, Requests)",
            figure::plural(n, "task")
        ),
    };
    let dropped = snapshot.dropped;
    let lost = match dropped.events + dropped.warnings + dropped.tasks {
        0 => "nothing".to_owned(),
        _ => format!(
            "{} events, {} warnings, {} tasks",
            figure::grouped(dropped.events),
            figure::grouped(dropped.warnings),
            figure::grouped(dropped.tasks)
        ),
    };
    let room = usize::from(inner.width).saturating_sub(11);
    let cost = format!(
        "{} of a core, {}",
        format::percent(snapshot.self_cost.cpu_ratio),
        format::bytes(snapshot.self_cost.rss_bytes)
    );
    let slow = format!("from {}", format::duration(target.slow_poll_ns));
    let mut lines = vec![pair("executable", path::cut(&target.exe, room))];
    for (label, value) in [
        ("level", level.to_owned()),
        ("slow poll", slow),
        ("rights", rights.to_owned()),
        ("not seen", unseen),
        ("lost", lost),
        ("our cost", cost),
        ("sees", target.capabilities.join(", ")),
    ] {
        for (at, text) in figure::wrap(&value, room).into_iter().enumerate() {
            lines.push(pair(if at == 0 { label } else { "" }, text));
        }
    }
    boxes::lines(inner, lines, buf);
}

fn stack_box(app: &App, theme: Theme, area: Rect, buf: &mut Buffer) {
    let Some(thread) = app.threads.list.selected() else {
        boxes::draw(theme, area, Line::default(), Line::default(), false, buf);
        return;
    };
    let title = Line::from(vec![
        Span::styled(thread.name.clone(), theme.bold()),
        Span::styled(format!("  tid {}", thread.tid), theme.dim()),
    ]);
    let taken = app
        .threads
        .taken
        .map(|at| app.now.since_start.saturating_sub(at));
    let (note, place, verdict, missing) = match (app.threads.stack(), stuck(app, thread)) {
        (Some(stack), _) => {
            let ago = taken.unwrap_or_default().as_nanos() as u64;
            (
                format!("stack taken {}", figure::ago(ago, 0)),
                Some(&stack.place),
                stack.verdict.as_ref(),
                stack.missing.as_str(),
            )
        }
        (None, Some(warning)) => (
            "stack of the poll it is stuck in".to_owned(),
            Some(&warning.observed),
            warning.verdict.as_ref(),
            "",
        ),
        (None, None) => (String::new(), None, None, ""),
    };
    let note = if app.threads.asking {
        "asking".to_owned()
    } else {
        note
    };
    let inner = boxes::draw(
        theme,
        area,
        title,
        Line::styled(note, theme.dim()),
        false,
        buf,
    );
    let inner = boxes::padding(inner);
    let mut lines = Vec::new();
    if let Some(verdict) = verdict {
        lines.push(Line::from(vec![
            Span::styled("state  ", theme.dim()),
            Span::raw(verdict_words(verdict)),
        ]));
        lines.push(Line::default());
    }
    lines.extend(frames(app, theme, place, missing, usize::from(inner.width)));
    boxes::lines(inner, lines, buf);
}

/// The frames, or why there are none.
pub(super) fn frames<'a>(
    app: &App,
    theme: Theme,
    place: Option<&Place>,
    missing: &str,
    width: usize,
) -> Vec<Line<'a>> {
    if let Some(place) = place.filter(|place| !place.backtrace.is_empty()) {
        let manner = Manner {
            width,
            all: app.all_frames,
            wrap: app.wrap,
            folds: true,
        };
        return stack::lines(theme, place, manner);
    }
    let text = if !missing.is_empty() {
        format!("no stack: {missing}")
    } else if app.snapshot.target.rights < Rights::Debug {
        "stacks need the right `debug`: attach through the socket".to_owned()
    } else {
        "s takes the stacks of all threads now".to_owned()
    };
    figure::wrap(&text, width)
        .into_iter()
        .map(|text| Line::styled(text, theme.dim()))
        .collect()
}

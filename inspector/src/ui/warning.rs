//! One warning: where it began beside where it went wrong, the source of both, what it means and what to do.

use pollscope_proto::kinds;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::stack::{self, Manner};
use super::theme::mark;
use super::{Theme, boxes, figure};
use crate::app::page::Page;
use crate::app::{App, SourceKey, path};
use crate::format;
use crate::model::{Level, Place, Site, Verdict, Warning};

/// From here on the two places stand side by side.
const SIDE_BY_SIDE: u16 = 100;
/// Frames of which each place shows at least so many, before the source gets room.
const FRAMES: usize = 4;

/// Draws the warning that is told about.
pub(super) fn draw(app: &App, theme: Theme, area: Rect, buf: &mut Buffer) {
    if area.height < 3 {
        return;
    }
    let Some(warning) = app.told_warning() else {
        let inner = boxes::draw(theme, area, Line::default(), Line::default(), false, buf);
        let text = if app.pages.is_empty() {
            ""
        } else {
            "this warning is no longer known"
        };
        return boxes::message(theme, inner, text, "", buf);
    };
    let (focus, scroll) = match app.pages.last() {
        Some(Page::Warning(page)) => (Some(page.second), page.scroll),
        _ => (None, [0, 0]),
    };
    let (first, second) = if area.width >= SIDE_BY_SIDE {
        split(area, area.width / 2, area.height)
    } else if focus.is_some() || area.height >= 16 {
        // The second place has the facts and the advice below its frames.
        split(area, area.width, (area.height / 3).max(5))
    } else {
        return brief(app, theme, warning, area, buf);
    };
    let sides = [
        (first, &warning.created, false, scroll[0]),
        (second, &warning.observed, true, scroll[1]),
    ];
    for (area, place, second, scroll) in sides {
        let title = title(theme, warning, second, app.warnings.is_muted(warning));
        let note = match line_of(place, second) {
            Some((file, line)) => {
                let room = usize::from(area.width).saturating_sub(title.width() + 8);
                Line::styled(path::place(&file, line, room), theme.dim())
            }
            None => Line::default(),
        };
        let inner = boxes::draw(theme, area, title, note, focus == Some(second), buf);
        let inner = boxes::padding(inner);
        let lines = side(app, theme, warning, place, second, inner);
        boxes::lines(inner, lines.into_iter().skip(scroll), buf);
    }
}

/// The line of source that the place is about.
fn line_of(place: &Place, second: bool) -> Option<SourceKey> {
    if second {
        path::of_stack(place)
    } else {
        path::of_beginning(place)
    }
}

/// Side by side, or one above the other where the width is the whole.
fn split(area: Rect, width: u16, height: u16) -> (Rect, Rect) {
    let first = Rect {
        width,
        height,
        ..area
    };
    let second = if width < area.width {
        Rect {
            x: area.x + width,
            width: area.width - width,
            ..area
        }
    } else {
        Rect {
            y: area.y + height,
            height: area.height - height,
            ..area
        }
    };
    (first, second)
}

fn title<'a>(theme: Theme, warning: &Warning, second: bool, muted: bool) -> Line<'a> {
    let words = warning.kind.words();
    if second {
        let shape = mark(Some(warning.severity));
        let muted = if muted { " (muted)" } else { "" };
        let text = format!("{shape} {}{muted}", words.observed);
        return Line::styled(text, theme.severity(warning.severity));
    }
    Line::styled(words.created, theme.bold())
}

/// All that one side tells, fitted to the box: frames give way to the facts below them, those to the advice.
pub(super) fn side<'a>(
    app: &App,
    theme: Theme,
    warning: &Warning,
    place: &Place,
    second: bool,
    area: Rect,
) -> Vec<Line<'a>> {
    let width = usize::from(area.width);
    let mut facts = facts(app, theme, warning, place, second, width);
    if second {
        let source = source(app, theme, line_of(place, true), width, 3);
        if usize::from(area.height) > facts.len() + source.len() + FRAMES + 6 {
            facts.push(Line::default());
            facts.extend(source);
        }
        facts.push(Line::default());
        facts.extend(advice(theme, warning, width));
    } else {
        let source = source(app, theme, line_of(place, false), width, 5);
        if !source.is_empty() {
            facts.push(Line::default());
            facts.extend(source);
        }
    }
    let mut lines = frames(app, theme, warning, second, width, true);
    let on_page = !app.pages.is_empty();
    let room = usize::from(area.height)
        .saturating_sub(facts.len() + 1)
        .max(FRAMES);
    if lines.len() > room && !app.all_frames {
        lines = frames(app, theme, warning, second, width, false);
    }
    if !on_page && !app.all_frames && lines.len() > room {
        lines.truncate(room.saturating_sub(1));
        lines.push(Line::styled("   ⋯ Enter shows the rest", theme.dim()));
    }
    lines.push(Line::default());
    lines.extend(facts);
    lines
}

fn frames<'a>(
    app: &App,
    theme: Theme,
    warning: &Warning,
    second: bool,
    width: usize,
    folds: bool,
) -> Vec<Line<'a>> {
    let place = if second {
        &warning.observed
    } else {
        &warning.created
    };
    if !place.backtrace.is_empty() {
        let manner = Manner {
            width,
            all: app.all_frames,
            wrap: app.wrap,
            folds,
        };
        let mut lines = stack::lines(theme, place, manner);
        if let Some(lack) = app.snapshot.target.symbols_lack().filter(|_| folds) {
            // Whoever misses names is told here, too: a narrow header has no room for it.
            if place.backtrace.iter().all(|frame| frame.file.is_empty()) {
                lines.push(Line::styled(format!("   {lack}"), theme.dim()));
            }
        }
        return lines;
    }
    let mut lines = Vec::new();
    if let Some(site) = place.site.as_ref().filter(|site| !site.file.is_empty()) {
        lines.push(Line::styled(
            format!("   {}", path::site(site, width.saturating_sub(3))),
            theme.text(),
        ));
    }
    let why = if second && warning.kind.as_str() == kinds::TASK_LEAK {
        "a task that waits has no stack: Enter, then t shows one of them"
    } else if second && warning.kind.as_str() == kinds::SCHED_DELAY {
        "no single place is to blame: v on the tasks shows who has the workers"
    } else if app.snapshot.target.level == Level::Debug {
        "no backtrace was taken"
    } else {
        "backtrace off: needs level debug (L)"
    };
    let text = figure::wrap(why, width.saturating_sub(3));
    lines.extend(
        text.into_iter()
            .map(|text| Line::styled(format!("   {text}"), theme.dim())),
    );
    lines
}

fn fact<'a>(theme: Theme, label: &str, value: String) -> Line<'a> {
    Line::from(vec![
        Span::styled(format!("{label:<8}"), theme.dim()),
        Span::raw(value),
    ])
}

fn facts<'a>(
    app: &App,
    theme: Theme,
    warning: &Warning,
    place: &Place,
    second: bool,
    width: usize,
) -> Vec<Line<'a>> {
    let mut lines = Vec::new();
    if place.exemplar {
        lines.push(Line::styled(
            "this backtrace is another task's of the same site",
            theme.dim(),
        ));
    }
    if let Some(thread) = &place.thread {
        lines.push(fact(
            theme,
            "thread",
            format!("{} (tid {})", thread.name, thread.tid),
        ));
    }
    if !second {
        if let Some(task) = &warning.task {
            lines.push(fact(theme, "task", format!("{} {}", task.id, task.name)));
        }
        return lines;
    }
    let when = if warning.live {
        "right now".to_owned()
    } else {
        figure::ago(app.now_ns(), warning.last_ns)
    };
    let first = figure::ago(app.now_ns(), warning.first_ns);
    let seen = if warning.count > 1 {
        format!("{when}, ×{} since {first}", format::count(warning.count))
    } else {
        when
    };
    lines.push(fact(theme, "seen", seen));
    if let Some(verdict) = &warning.verdict {
        lines.push(fact(theme, "state", verdict_words(verdict)));
    }
    if let Some(wall) = warning.wall_ns {
        let mut text = format::duration(wall);
        if let Some(cpu) = warning.cpu_ns {
            text.push_str(&format_args!(", {} of it on CPU", format::duration(cpu)).to_string());
        }
        if let Some(limit) = warning.threshold_ns {
            text.push_str(&format_args!(" (threshold {})", format::duration(limit)).to_string());
        }
        lines.push(fact(
            theme,
            if warning.live { "so far" } else { "took" },
            text,
        ));
    }
    if let Some(future) = warning.instead_of_names() {
        lines.push(fact(theme, "future", future.to_owned()));
    }
    if let Some(sub) = &warning.sub_future {
        let at = sub.site.as_ref().map_or_else(String::new, Site::short);
        let text = format!("{} {at}", sub.type_name);
        lines.push(fact(theme, "within", text.trim_end().to_owned()));
    }
    if let Some(delayed) = warning.delayed.as_ref().filter(|delayed| delayed.tasks > 0) {
        let tasks = figure::plural(delayed.tasks, "other task");
        let text = format!("{tasks}, by {} at most", format::duration(delayed.max_ns));
        lines.push(fact(theme, "delayed", text));
    }
    if let Some(error) = &warning.error {
        let said = error.display.as_deref().or(error.debug.as_deref());
        let text = match said {
            Some(said) => format!("{said} ({})", error.type_name),
            None => error.type_name.clone(),
        };
        for (at, text) in figure::wrap(&text, width.saturating_sub(8))
            .into_iter()
            .take(3)
            .enumerate()
        {
            lines.push(fact(theme, if at == 0 { "error" } else { "" }, text));
        }
    }
    lines
}

/// The verdict in words.
pub(super) fn verdict_words(verdict: &Verdict) -> String {
    match (verdict.state.as_str(), &verdict.syscall) {
        ("on_cpu", _) => "computing, on a CPU".to_owned(),
        ("syscall", Some(call)) => format!("in the system call {call}"),
        ("syscall", None) => "in a system call".to_owned(),
        ("lock", _) => "waiting for a lock".to_owned(),
        ("lock_starved", _) => "waiting for a lock whose holder may get no CPU".to_owned(),
        ("parked", _) => "parked: it waits to be woken".to_owned(),
        ("stopped", _) => "stopped by a signal".to_owned(),
        ("descheduled", _) => "ready, but the kernel runs something else".to_owned(),
        ("throttled", _) => "throttled by its cgroup's CPU limit".to_owned(),
        (other, _) => other.to_owned(),
    }
}

/// At most `most` lines of the source around the place, where the file could be read here.
fn source<'a>(
    app: &App,
    theme: Theme,
    key: Option<SourceKey>,
    width: usize,
    most: u32,
) -> Vec<Line<'a>> {
    let Some(key) = key else {
        return Vec::new();
    };
    let Some(excerpt) = app.sources.get(&key) else {
        return Vec::new();
    };
    let around = key.1.saturating_sub(most / 2)..=key.1.saturating_add(most / 2);
    let numbered = (excerpt.first..).zip(&excerpt.lines);
    numbered
        .filter(|(number, _)| around.contains(number))
        .map(|(number, text)| {
            let here = number == key.1;
            let (mark, style) = if here {
                ("▸", theme.bold())
            } else {
                (" ", theme.dim())
            };
            Line::from(vec![
                Span::styled(format!("{number:>4} {mark} "), theme.dim()),
                Span::styled(figure::fit(text, width.saturating_sub(7)), style),
            ])
        })
        .collect()
}

fn advice<'a>(theme: Theme, warning: &Warning, width: usize) -> Vec<Line<'a>> {
    let words = warning.kind.words();
    let likely = if warning.certainty == "likely" {
        "Likely: "
    } else {
        ""
    };
    let mut lines: Vec<Line<'_>> = figure::wrap(&format!("{likely}{}", words.meaning), width)
        .into_iter()
        .map(|text| Line::styled(text, theme.text()))
        .collect();
    for (at, text) in figure::wrap(words.fix, width.saturating_sub(5))
        .into_iter()
        .enumerate()
    {
        lines.push(Line::from(vec![
            Span::styled(if at == 0 { "Fix  " } else { "     " }, theme.good()),
            Span::styled(text, theme.text()),
        ]));
    }
    lines
}

/// Both places in one box, on a small screen.
fn brief(app: &App, theme: Theme, warning: &Warning, area: Rect, buf: &mut Buffer) {
    let kind = warning.kind.title();
    let shape = mark(Some(warning.severity));
    let title = Line::styled(format!("{shape} {kind}"), theme.severity(warning.severity));
    let note = Line::styled(
        format!("×{}  Enter opens", format::count(warning.count)),
        theme.dim(),
    );
    let inner = boxes::padding(boxes::draw(theme, area, title, note, false, buf));
    let width = usize::from(inner.width);
    let words = warning.kind.words();
    let advice: Vec<Line<'_>> = figure::wrap(words.fix, width.saturating_sub(5))
        .into_iter()
        .enumerate()
        .map(|(at, text)| {
            let label = if at == 0 { "Fix  " } else { "     " };
            Line::from(vec![Span::styled(label, theme.good()), Span::raw(text)])
        })
        .collect();
    let room = usize::from(inner.height).saturating_sub(advice.len());
    let mut lines = Vec::new();
    for (words, place, second, share) in [
        (words.created, &warning.created, false, room / 2),
        (words.observed, &warning.observed, true, room - room / 2),
    ] {
        let thread = place.thread.as_ref().map_or("", |thread| &thread.name);
        let mut part = vec![Line::from(vec![
            Span::styled(words, theme.bold()),
            Span::styled(format!("  {thread}"), theme.dim()),
        ])];
        part.extend(frames(app, theme, warning, second, width, false));
        part.truncate(share);
        part.resize(share, Line::default());
        lines.extend(part);
    }
    lines.extend(advice);
    boxes::lines(inner, lines, buf);
}

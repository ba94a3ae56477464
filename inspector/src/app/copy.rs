//! What `y`, `Y` and `o` take from the screen: a place, everything told of the item, a source line.

use std::fmt::Write as _;

use super::keymap::Place as At;
use super::page::Page;
use super::{App, SourceKey, path, warnings};
use crate::format;
use crate::model::{Frame, Place, Site, Task, Thread, Warning};

/// The place of the item under the cursor: `file:line`, or an address.
pub fn place(app: &App) -> Option<String> {
    match app.place() {
        At::Picker => app.picker.selected().map(|found| found.address.clone()),
        At::Tasks | At::Task => app.told_task().map(|task| task.site.short()),
        At::Sites => app.sites.selected().map(|row| row.site.short()),
        At::Warnings | At::Warning => app
            .told_warning()
            .and_then(warnings::place)
            .map(Site::short),
        At::Threads => {
            let place = source(app).map(|(file, line)| format!("{file}:{line}"));
            let name = |row: &Thread| format!("{} (tid {})", row.name, row.tid);
            place.or_else(|| app.threads.list.selected().map(name))
        }
    }
    .filter(|text| !text.is_empty())
}

/// The source line that the item is about.
pub fn source(app: &App) -> Option<SourceKey> {
    let site = |site: &Site| (!site.file.is_empty()).then(|| (site.file.clone(), site.line));
    match app.place() {
        At::Picker => None,
        At::Tasks => site(&app.told_task()?.site),
        At::Sites => site(&app.sites.selected()?.site),
        At::Task => match app.pages.last()? {
            Page::Task(page) => {
                let detail = page.detail.as_ref()?;
                let now = detail.now.as_ref().and_then(path::of_stack);
                now.filter(|_| page.part == super::page::Part::Now)
                    .or_else(|| site(&detail.task.site))
            }
            Page::Warning(_) => None,
        },
        At::Warnings => {
            let warning = app.told_warning()?;
            path::of_stack(&warning.observed).or_else(|| path::of_beginning(&warning.created))
        }
        At::Warning => match app.pages.last()? {
            Page::Warning(page) => {
                let warning = app.warnings.get(page.id)?;
                if page.second {
                    path::of_stack(&warning.observed)
                } else {
                    path::of_beginning(&warning.created)
                }
            }
            Page::Task(_) => None,
        },
        At::Threads => path::of_stack(&app.threads.stack()?.place),
    }
}

/// Everything told of the item, as lines of text to paste.
pub fn everything(app: &App) -> Option<String> {
    let mut text = String::new();
    match app.place() {
        At::Picker => {
            let found = app.picker.selected()?;
            let pid = found.pid.unwrap_or_default();
            line(
                &mut text,
                &format!("{} (pid {pid}) at {}", found.name, found.address),
            );
            line(&mut text, &found.exe);
        }
        At::Tasks => of_task(&mut text, app.told_task()?),
        At::Task => {
            let Page::Task(page) = app.pages.last()? else {
                return None;
            };
            let detail = page.detail.as_ref()?;
            of_task(&mut text, &detail.task);
            stack(&mut text, "created", &detail.created);
            if let Some(now) = &detail.now {
                stack(&mut text, "now", now);
            }
        }
        At::Sites => {
            let row = app.sites.selected()?;
            line(
                &mut text,
                &format!("{}  {}", row.site.short(), row.site.type_name),
            );
            if !row.name.is_empty() {
                line(&mut text, &format!("requests {}", row.name));
            }
            let (live, spawned, ended) = (row.live, row.spawned, row.ended);
            line(
                &mut text,
                &format!("live {live}  spawned {spawned}  ended {ended}"),
            );
        }
        At::Warnings | At::Warning => of_warning(&mut text, app.told_warning()?),
        At::Threads => {
            let row = app.threads.list.selected()?;
            line(
                &mut text,
                &format!("{} (tid {}) {} {}", row.name, row.tid, row.role, row.now),
            );
            if let Some(dump) = app.threads.stack() {
                stack(&mut text, "stack", &dump.place);
            }
        }
    }
    (!text.is_empty()).then_some(text)
}

fn line(to: &mut String, text: &str) {
    to.push_str(text);
    to.push('\n');
}

fn of_task(to: &mut String, task: &Task) {
    line(to, &format!("task {} {}", task.id, task.title()));
    line(to, &format!("site {}", task.site.short()));
    line(to, &format!("type {}", task.type_name));
    let age = format::age(task.age_ns);
    line(
        to,
        &format!("state {:?}, age {age}, polls {}", task.state, task.polls).to_lowercase(),
    );
}

fn of_warning(to: &mut String, warning: &Warning) {
    line(
        to,
        &format!(
            "{} ×{}: {}",
            warning.kind.as_str(),
            warning.count,
            warning.message
        ),
    );
    if let Some(error) = &warning.error {
        let said = error.display.as_ref().or(error.debug.as_ref());
        line(
            to,
            &format!("{} {}", error.type_name, said.map_or("", String::as_str)),
        );
    }
    stack(to, "created", &warning.created);
    stack(to, "observed", &warning.observed);
}

fn stack(to: &mut String, title: &str, place: &Place) {
    let site = place.site.as_ref().map(Site::short).unwrap_or_default();
    let thread = place.thread.as_ref().map_or("", |thread| &thread.name);
    line(to, &format!("{title}: {site} {thread}"));
    for (at, frame) in place.backtrace.iter().enumerate() {
        let _ = writeln!(to, "  {at:2} {}", of_frame(frame));
    }
}

fn of_frame(frame: &Frame) -> String {
    if frame.function.is_empty() {
        return format!("{}+{:#x}", frame.module, frame.offset);
    }
    if frame.file.is_empty() {
        return frame.function.clone();
    }
    format!("{} at {}:{}", frame.function, frame.file, frame.line)
}

//! What each command does to the state.

use super::keymap::{Command, Place};
use super::link::{Frozen, Link, events};
use super::list::Step;
use super::page::{Page, Part, TaskPage, WarningPage};
use super::popup::{Popup, Prompt, Question};
use super::warnings::LineKey;
use super::{App, Effect, Notice, Screen, copy, data, geometry, sort};
use crate::model::{Change, FoundState, Level, Rights, TaskState, Warning};

/// Pages one can lie on another; walking on replaces the topmost.
const PAGES: usize = 16;

pub(super) fn run(app: &mut App, command: Command, effects: &mut Vec<Effect>) {
    if let Err(why) = app.allows(command) {
        app.say(Notice::bad(why));
        return;
    }
    let page = geometry::list_rows(app).max(1) as isize;
    match command {
        Command::Down | Command::NextMatch => walk(app, Step::By(1)),
        Command::Up | Command::PreviousMatch => walk(app, Step::By(-1)),
        Command::First => walk(app, Step::First),
        Command::Last => walk(app, Step::Last),
        Command::PageDown => walk(app, Step::By(page)),
        Command::PageUp => walk(app, Step::By(-page)),
        Command::HalfDown => walk(app, Step::By((page / 2).max(1))),
        Command::HalfUp => walk(app, Step::By(-(page / 2).max(1))),
        Command::Fold | Command::Unfold => {
            let filter = &app.filters.warnings.filter;
            app.warnings.fold(command == Command::Fold, filter);
        }
        Command::Next => sibling(app, 1, effects),
        Command::Previous => sibling(app, -1, effects),
        Command::Open => open(app, effects),
        Command::Back => back(app, effects),
        Command::ShowTasks => show(app, Screen::Tasks),
        Command::ShowWarnings => show(app, Screen::Warnings),
        Command::ShowThreads => show(app, Screen::Threads),
        Command::NextPane => pane(app, 1),
        Command::PreviousPane => pane(app, -1),
        Command::Filter => app.filter_mut().editing = true,
        Command::GoTo => app.prompt = Some(Prompt::new(Question::TaskId)),
        Command::Address => app.prompt = Some(Prompt::new(Question::Address)),
        Command::SortNext => resort(app, 1),
        Command::SortPrevious => resort(app, -1),
        Command::Reverse => resort(app, 0),
        Command::Group => group(app),
        Command::OnlyWarned => {
            app.tasks.only_warned = !app.tasks.only_warned;
            refiltered(app);
        }
        Command::NextKind => {
            let text = app.warnings.next_kind(&app.filters.warnings.filter);
            app.say(Notice::good(text));
        }
        Command::Export => export(app, effects),
        Command::Finished => {
            app.tasks.finished = !app.tasks.finished;
            refiltered(app);
        }
        Command::Freeze => freeze(app, effects),
        Command::AllFrames => app.all_frames = !app.all_frames,
        Command::Wrap => app.wrap = !app.wrap,
        Command::Level => toggle_level(app, effects),
        Command::Abort => ask_to_abort(app),
        Command::Stacks => {
            app.threads.asking = true;
            effects.push(Effect::Dump);
        }
        Command::TaskOf => open_task_of_warning(app, effects),
        Command::Mute => {
            let filter = &app.filters.warnings.filter;
            let aimed = app.aimed_warning().map(|warning| warning.id);
            if let Some(text) = aimed.and_then(|id| app.warnings.toggle_mute(id, filter)) {
                app.say(Notice::good(text));
            }
        }
        Command::ShowMuted => {
            let filter = &app.filters.warnings.filter;
            app.warnings.toggle_show_muted(filter);
        }
        Command::CopySite => copy(app, copy::place(app), effects),
        Command::CopyAll => copy(app, copy::everything(app), effects),
        Command::Editor => match copy::source(app) {
            Some((file, line)) => effects.push(Effect::Edit { file, line }),
            None => app.say(Notice::bad("there is no source line to open")),
        },
        Command::Picker => {
            data::forget(app);
            app.link = Link::None;
            app.screen = Screen::Picker;
            effects.extend([Effect::Disconnect, Effect::Rescan]);
        }
        Command::Rescan => effects.push(Effect::Rescan),
        Command::RemoveStale => {
            if let Some(found) = app.picker.selected() {
                effects.push(Effect::RemoveStale(found.address.clone()));
            }
        }
        Command::Help => {
            app.popup = Some(Popup::Help {
                query: tui_input::Input::default(),
                top: 0,
            });
        }
        Command::Redraw => effects.push(Effect::Redraw),
        Command::Suspend => effects.push(Effect::Suspend),
        Command::Quit => effects.push(Effect::Quit),
    }
}

/// A screen is sent only what it shows: a report is asked for. Of a moment that is held or the last there was, what is
/// held of it is all there is.
fn export(app: &App, effects: &mut Vec<Effect>) {
    if app.link.is_live() && app.frozen.is_none() {
        return effects.push(Effect::Report);
    }
    let mut held = app.snapshot.clone();
    held.tasks = app.tasks.loaded().cloned().collect();
    effects.push(Effect::Write(held));
}

fn toggle_level(app: &mut App, effects: &mut Vec<Effect>) {
    let level = match app.snapshot.target.level {
        Level::Debug => Level::Quiet,
        Level::Off | Level::Quiet => Level::Debug,
    };
    effects.push(Effect::Configure(Change {
        level: Some(level),
        ..Change::default()
    }));
}

fn ask_to_abort(app: &mut App) {
    if let Some(task) = app.told_task() {
        let name = task.title();
        app.popup = Some(Popup::Abort { id: task.id, name });
    }
}

fn open_task_of_warning(app: &mut App, effects: &mut Vec<Effect>) {
    let task = app.told_warning().and_then(|warning| warning.task.as_ref());
    match task.map(|task| task.id) {
        Some(id) => open_task(app, id, effects),
        None => app.say(Notice::bad("this warning is about no task")),
    }
}

fn copy(app: &mut App, text: Option<String>, effects: &mut Vec<Effect>) {
    if let Some(text) = text {
        app.say(Notice::good(format!("copied {}", first_line(&text))));
        effects.push(Effect::Copy(text));
    }
}

fn first_line(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    match text.lines().count() {
        0 | 1 => line.to_owned(),
        n => format!("{n} lines: {line}…"),
    }
}

impl App {
    /// Whether the command can do something now; else why not. Help and footer list only what can.
    pub fn allows(&self, command: Command) -> Result<(), String> {
        let target = &self.snapshot.target;
        match command {
            Command::Level | Command::Abort | Command::Stacks if !self.link.is_live() => {
                Err("not connected".to_owned())
            }
            Command::Level if target.level == Level::Off => {
                Err("the target runs with POLLSCOPE=off: it cannot be switched".to_owned())
            }
            Command::Level | Command::Stacks if target.rights < Rights::Debug => {
                Err("needs the right `debug`: attach through the socket".to_owned())
            }
            Command::Abort if target.rights < Rights::Abort => Err(
                "needs the right `abort`: start the target with POLLSCOPE_RIGHTS=abort".to_owned(),
            ),
            Command::Abort => match self.told_task() {
                Some(task) if task.state != TaskState::Done => Ok(()),
                _ => Err("there is no running task to abort".to_owned()),
            },
            Command::RemoveStale => match self.picker.selected() {
                Some(found) if found.state == FoundState::Stale => Ok(()),
                _ => Err("only the socket of a process that is gone can be removed".to_owned()),
            },
            // A filter hides what does not match: with one, the rows are the matches.
            Command::NextMatch | Command::PreviousMatch if self.filter().filter.is_empty() => {
                Err("no filter is set: / sets one".to_owned())
            }
            Command::Export if !self.loaded => Err("there is nothing to write yet".to_owned()),
            Command::Mute => match (self.aimed_warning(), self.pages.is_empty()) {
                (Some(_), _) => Ok(()),
                (None, true) => Err("choose a warning, not its heading".to_owned()),
                (None, false) => Err("this warning is no longer known".to_owned()),
            },
            _ => Ok(()),
        }
    }
}

impl App {
    /// The warning that a key means which does something to one: that of the page, else that under the cursor.
    fn aimed_warning(&self) -> Option<&Warning> {
        match self.pages.last() {
            Some(Page::Warning(page)) => self.warnings.get(page.id),
            Some(Page::Task(_)) => None,
            None => self.warnings.selected(),
        }
    }
}

fn walk(app: &mut App, step: Step) {
    let frozen = app.frozen.is_some();
    let overflow = geometry::overflow(app);
    let warnings = app.page_warnings();
    let moved = match (app.pages.last_mut(), app.screen) {
        (Some(Page::Task(page)), _) => {
            let last = if page.part == Part::Warnings {
                warnings
            } else {
                overflow + 1
            };
            let at = &mut page.scroll[page.part as usize];
            *at = step.from(*at, last);
            false
        }
        (Some(Page::Warning(page)), _) => {
            let at = &mut page.scroll[usize::from(page.second)];
            *at = step.from(*at, overflow + 1);
            false
        }
        (None, Screen::Picker) => app.picker.step(step),
        (None, Screen::Tasks) if app.grouped => app.sites.step(step),
        (None, Screen::Tasks) => app.tasks.step(step, frozen),
        (None, Screen::Warnings) => app.warnings.list.step(step),
        (None, Screen::Threads) => app.threads.list.step(step),
    };
    if moved {
        app.moved = Some(app.now.since_start);
        app.threads.scroll = 0;
    }
}

fn show(app: &mut App, screen: Screen) {
    app.pages.clear();
    app.screen = screen;
}

fn pane(app: &mut App, by: isize) {
    const TABS: [Screen; 3] = [Screen::Tasks, Screen::Warnings, Screen::Threads];
    match app.pages.last_mut() {
        Some(Page::Task(page)) => page.part = page.part.step(by),
        Some(Page::Warning(page)) => page.second = !page.second,
        None => {
            let at = TABS.iter().position(|&tab| tab == app.screen).unwrap_or(0);
            app.screen = TABS[(at as isize + by).rem_euclid(3) as usize];
        }
    }
}

fn back(app: &mut App, effects: &mut Vec<Effect>) {
    if app.pages.pop().is_some() {
        return;
    }
    if app.screen == Screen::Picker && matches!(app.link, Link::Opening(_)) {
        app.link = Link::None;
        effects.push(Effect::Disconnect);
        return;
    }
    if app.filter_mut().clear() {
        refiltered(app);
    } else if app.screen == Screen::Tasks && app.tasks.site.take().is_some() {
        app.grouped = true;
        unfill(app);
    }
}

fn open(app: &mut App, effects: &mut Vec<Effect>) {
    match app.place() {
        Place::Picker => {
            if let Some(found) = app.picker.selected() {
                let address = found.address.clone();
                match found.state.clone() {
                    FoundState::Ready | FoundState::Asking => attach(app, address, effects),
                    FoundState::Stale => {
                        app.say(Notice::bad("its process is gone; x removes the socket"));
                    }
                    FoundState::Unusable(why) => app.say(Notice::bad(why)),
                }
            }
        }
        Place::Tasks => {
            if let Some(id) = app.tasks.selected_id() {
                open_task(app, id, effects);
            }
        }
        Place::Sites => {
            if let Some(row) = app.sites.selected() {
                app.tasks.site = Some((row.site.id, row.title()));
                app.grouped = false;
                refiltered(app);
            }
        }
        Place::Task => open_from_task(app, effects),
        Place::Warnings => {
            if let Some(warning) = app.warnings.selected() {
                let id = warning.id;
                open_warning(app, id);
            } else if let Some(line) = app.warnings.list.selected() {
                let fold = !app.warnings.is_folded(line.kind());
                app.warnings.fold(fold, &app.filters.warnings.filter);
            }
        }
        Place::Threads => {
            let task = app.threads.list.selected().and_then(|row| row.current_task);
            match task {
                Some(id) => open_task(app, id, effects),
                None => app.say(Notice::bad("this thread runs no task now")),
            }
        }
        Place::Warning => {}
    }
}

/// From a task one goes on to the warning under the cursor, or to the parent.
fn open_from_task(app: &mut App, effects: &mut Vec<Effect>) {
    let Some(Page::Task(page)) = app.pages.last() else {
        return;
    };
    let Some(detail) = &page.detail else { return };
    if page.part == Part::Warnings {
        let at = page.scroll[Part::Warnings as usize];
        if let Some(&id) = detail.warnings.get(at) {
            open_warning(app, id);
        }
    } else if let Some(parent) = detail.task.parent {
        open_task(app, parent, effects);
    } else {
        app.say(Notice::bad(
            "it was spawned outside of a task: there is no parent",
        ));
    }
}

pub(super) fn open_task(app: &mut App, id: u64, effects: &mut Vec<Effect>) {
    let mut page = TaskPage::new(id);
    page.asked = Some(app.now.since_start);
    page.waiting = true;
    push(app, Page::Task(Box::new(page)));
    effects.push(Effect::OpenTask(id));
}

fn open_warning(app: &mut App, id: u32) {
    app.warnings.show(id, &app.filters.warnings.filter);
    push(
        app,
        Page::Warning(WarningPage {
            id,
            ..WarningPage::default()
        }),
    );
}

fn push(app: &mut App, page: Page) {
    if app.pages.len() >= PAGES {
        app.pages.remove(0);
    }
    app.pages.push(page);
}

pub(super) fn attach(app: &mut App, address: String, effects: &mut Vec<Effect>) {
    app.link = Link::Opening(address.clone());
    effects.push(Effect::Attach(address));
}

/// `[` and `]`: the page of the row before or after, without a way back through the list.
fn sibling(app: &mut App, by: isize, effects: &mut Vec<Effect>) {
    match app.pages.last() {
        Some(Page::Task(page)) => {
            let part = page.part;
            app.tasks.step(Step::By(by), app.frozen.is_some());
            if let Some(id) = app.tasks.selected_id().filter(|&id| id != page.id) {
                app.pages.pop();
                open_task(app, id, effects);
                if let Some(Page::Task(page)) = app.pages.last_mut() {
                    page.part = part;
                }
            }
        }
        Some(Page::Warning(page)) => {
            // A page whose warning was muted is in the list no more: the cursor is on the one after it already.
            let mut moved =
                by > 0 && app.warnings.list.selected_key() != Some(LineKey::One(page.id));
            while moved || app.warnings.list.step(Step::By(by)) {
                moved = false;
                if let Some(warning) = app.warnings.selected() {
                    let id = warning.id;
                    app.pages.pop();
                    open_warning(app, id);
                    return;
                }
            }
        }
        None => {}
    }
}

fn resort(app: &mut App, by: isize) {
    let (current, columns) = match app.place() {
        Place::Tasks => (&mut app.tasks.sort, sort::TASKS),
        Place::Sites => (&mut app.sites_sort, sort::SITES),
        Place::Threads => (&mut app.threads.sort, sort::THREADS),
        _ => return,
    };
    if by == 0 {
        current.reverse();
    } else {
        current.step(columns, by);
    }
    refiltered(app);
}

fn group(app: &mut App) {
    app.grouped = !app.grouped;
    if app.tasks.site.take().is_some() {
        refiltered(app);
    }
}

/// After a change of what is shown, or in which order.
pub(super) fn refiltered(app: &mut App) {
    // What moved the cursor before does not hold back the order that was asked for now.
    app.moved = None;
    match app.screen {
        Screen::Picker => {
            let filter = &app.filters.picker.filter;
            app.picker.rearrange(|rows| {
                (0..rows.len())
                    .filter(|&at| filter.matches(rows[at]))
                    .collect()
            });
        }
        Screen::Tasks => {
            let (line, warned, order) = (&app.filters.tasks, app.tasks.only_warned, app.sites_sort);
            app.sites
                .rearrange(|rows| data::arrange_sites(rows, line, warned, order));
            app.sites.rewind();
            app.tasks.rewind();
            unfill(app);
        }
        Screen::Warnings => app.warnings.refilter(&app.filters.warnings.filter),
        Screen::Threads => app.threads.rearrange(&app.filters.threads),
    }
}

/// The target sorts and filters: a frozen screen takes one more update for other rows.
fn unfill(app: &mut App) {
    let live = app.link.is_live();
    if let Some(frozen) = &mut app.frozen {
        frozen.filled = !live;
    }
}

fn freeze(app: &mut App, effects: &mut Vec<Effect>) {
    match app.frozen.take() {
        Some(frozen) => {
            if let Some((number, snapshot)) = frozen.latest {
                data::show(app, number, snapshot, effects);
            }
        }
        None if app.loaded => {
            app.frozen = Some(Frozen {
                since: app.now.clock,
                held: 0,
                base: events(&app.snapshot),
                latest: None,
                // Who cannot be asked has no other rows to give.
                filled: !app.link.is_live(),
            });
        }
        None => {}
    }
}

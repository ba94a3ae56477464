//! What the target and discovery told: how it becomes state.

use std::time::Duration;

use super::action::{Asked, SourceKey};
use super::link::{Link, Lost, events};
use super::page::Page;
use super::popup::Popup;
use super::{Action, App, Effect, Excerpt, Notice, Screen, path, sort};
use crate::model::{Runtime, SiteRow, Snapshot, Target, Task, TaskDetail, ThreadStack, Warning};

/// While the cursor moves, rows keep their places for this long.
const HOLD: Duration = Duration::from_secs(1);
/// How often the detail of an open task is asked for.
const REFRESH: Duration = Duration::from_secs(1);
/// Excerpts kept; past that the oldest questions are asked again when needed.
const SOURCES: usize = 256;

pub(super) fn take(app: &mut App, told: Action, effects: &mut Vec<Effect>) {
    match told {
        Action::Found(found) => {
            app.discovered = true;
            let filter = &app.filters.picker.filter;
            app.picker.replace(found, false, |rows| {
                (0..rows.len())
                    .filter(|&at| filter.matches(rows[at]))
                    .collect()
            });
            app.dirty = true;
        }
        Action::Connected(target, runtimes) => connected(app, *target, runtimes),
        Action::Snapshot(number, snapshot) => arrived(app, number, snapshot, effects),
        Action::Lost { why } => lost(app, why),
        Action::Reconnecting { attempt, wait } => {
            if let Link::Lost(lost) = &mut app.link {
                lost.retry = Some((attempt, app.now.since_start + wait));
                app.dirty = true;
            }
        }
        Action::Successor(target) => succeeded(app, target, effects),
        Action::Detail(id, detail) => detailed(app, id, detail.as_deref()),
        Action::Reported(snapshot) => effects.push(Effect::Write(snapshot)),
        Action::Dump(stacks) => dumped(app, stacks),
        Action::Unanswered(asked, why) => unanswered(app, asked, why),
        Action::Source(key, excerpt) => {
            app.sources.insert(key, excerpt);
            app.dirty = true;
        }
        _ => {}
    }
}

fn connected(app: &mut App, target: Target, runtimes: Vec<Runtime>) {
    let known = &app.snapshot.target;
    let same = known.pid == target.pid && known.start_time_ticks == target.start_time_ticks;
    if !same || app.screen == Screen::Picker {
        let rules = (known.name == target.name).then(|| app.warnings.rules().clone());
        forget(app);
        // What was muted of a program stays so when it is started anew.
        app.warnings.keep_rules(rules);
    }
    if app.screen == Screen::Picker {
        app.screen = Screen::Tasks;
    }
    if matches!(app.popup, Some(Popup::Successor(_) | Popup::Abort { .. })) {
        app.popup = None;
    }
    app.snapshot.target = target;
    app.snapshot.runtimes = runtimes;
    app.link = Link::Live;
    app.heard = app.now.since_start;
    // While there was no connection, questions went nowhere.
    forget_questions(app);
    app.dirty = true;
}

/// The same program started anew is followed by itself, as one watches a service restart. Asked is where that would
/// take away what is being read, a frozen screen or an open page, and where it is another program.
fn succeeded(app: &mut App, target: Box<Target>, effects: &mut Vec<Effect>) {
    let known = &app.snapshot.target;
    let same_program = known.name == target.name && known.exe == target.exe;
    if same_program && app.frozen.is_none() && app.pages.is_empty() {
        let text = format!("{} runs again: pid {}", target.name, target.pid);
        app.say(Notice::good(text));
        effects.push(Effect::Switch(true));
    } else {
        app.popup = Some(Popup::Successor(target));
        app.dirty = true;
    }
}

/// Nothing of one process is shown as if it were another's.
pub(super) fn forget(app: &mut App) {
    *app.snapshot = Snapshot::default();
    app.loaded = false;
    app.frozen = None;
    app.pages.clear();
    app.tasks = app.tasks.emptied();
    app.sites = super::List::default();
    app.warnings = super::Warnings::default();
    app.threads = super::Threads {
        sort: app.threads.sort,
        ..super::Threads::default()
    };
    app.sources.clear();
}

fn lost(app: &mut App, why: String) {
    app.dirty = true;
    match &mut app.link {
        // The picker's attempt failed: it stays where it is and says why.
        Link::Opening(_) | Link::None => {
            app.link = Link::None;
            app.say(Notice::bad(why));
        }
        Link::Live => {
            forget_questions(app);
            app.link = Link::Lost(Lost {
                since: app.now.clock,
                why,
                retry: None,
                given_up: false,
            });
        }
        // Since when is a matter of the first loss, not of the last failed attempt.
        Link::Lost(lost) => lost.why = why,
    }
}

fn arrived(app: &mut App, number: u64, mut snapshot: Box<Snapshot>, effects: &mut Vec<Effect>) {
    app.heard = app.now.since_start;
    round(&mut snapshot);
    refresh_page(app, effects);
    let fills = number == app.asked.number;
    if let Some(frozen) = &mut app.frozen {
        let held = events(&snapshot).saturating_sub(frozen.base);
        app.dirty |= held != frozen.held;
        frozen.held = held;
        if frozen.filled || !fills {
            frozen.latest = Some((number, snapshot));
            return;
        }
        frozen.filled = true;
        frozen.since = app.now.clock;
    }
    show(app, number, snapshot, effects);
}

/// Shows an update.
pub(super) fn show(app: &mut App, number: u64, snapshot: Box<Snapshot>, effects: &mut Vec<Effect>) {
    if app.loaded && !app.unsorted && *snapshot == *app.snapshot {
        return;
    }
    let at = app.now.since_start;
    let hold = app.loaded
        && app
            .moved
            .is_some_and(|moved| at.saturating_sub(moved) < HOLD)
        && at.saturating_sub(app.sorted) < HOLD;
    if !hold {
        app.sorted = at;
    }
    app.unsorted = hold;

    if number == app.asked.number
        && let Some(view) = app.asked.view.as_ref().filter(|view| view.limit > 0)
    {
        let (offset, matched) = (view.offset as usize, snapshot.matched as usize);
        let missing = app
            .tasks
            .replace(snapshot.tasks.clone(), offset, matched, hold);
        effects.extend(missing.map(Effect::OpenTask));
    }
    let (line, only_warned, sort) = (&app.filters.tasks, app.tasks.only_warned, app.sites_sort);
    app.sites.replace(snapshot.sites.clone(), hold, |rows| {
        arrange_sites(rows, line, only_warned, sort)
    });
    app.warnings.replace(
        snapshot.warnings.clone(),
        &app.filters.warnings.filter,
        hold,
    );
    app.threads
        .replace(snapshot.threads.clone(), &app.filters.threads, hold);
    app.snapshot = snapshot;
    app.loaded = true;
    app.dirty = true;
}

/// The spawn sites that pass, in order.
pub(super) fn arrange_sites(
    rows: &[&SiteRow],
    line: &super::FilterLine,
    only_warned: bool,
    sort: super::Sort,
) -> Vec<usize> {
    let mut shown: Vec<usize> = (0..rows.len())
        .filter(|&at| line.filter.matches(rows[at]))
        .filter(|&at| !only_warned || rows[at].warned.is_some())
        .collect();
    sort::sites(sort, rows, &mut shown);
    shown
}

/// Cuts what no screen shows, so that an update which changes nothing visible compares equal.
fn round(snapshot: &mut Snapshot) {
    const SECOND: u64 = 1_000_000_000;
    snapshot.now_ns -= snapshot.now_ns % SECOND;
    snapshot.target.uptime_s = snapshot.target.uptime_s.floor();
    let ratio = &mut snapshot.self_cost.cpu_ratio;
    *ratio = (*ratio * 1000.0).round() / 1000.0;
    for task in &mut snapshot.tasks {
        task.age_ns -= task.age_ns % SECOND;
    }
    for age in snapshot
        .sites
        .iter_mut()
        .filter_map(|row| row.age_ns.as_mut())
    {
        age.max -= age.max % SECOND;
        age.p50 -= age.p50 % SECOND;
    }
}

fn refresh_page(app: &mut App, effects: &mut Vec<Effect>) {
    let at = app.now.since_start;
    if let Some(Page::Task(page)) = app.pages.last_mut()
        && !page.gone
        && !page.waiting
        // What is frozen stays as it is, but a page that has nothing to show yet gets it.
        && (app.frozen.is_none() || page.detail.is_none())
        && page
            .asked
            .is_none_or(|asked| at.saturating_sub(asked) >= REFRESH)
    {
        page.asked = Some(at);
        page.waiting = true;
        effects.push(Effect::OpenTask(page.id));
    }
}

fn detailed(app: &mut App, id: u64, detail: Option<&TaskDetail>) {
    app.tasks
        .answer(id, detail.as_ref().map(|detail| &detail.task));
    app.dirty = true;
    let frozen = app.frozen.is_some();
    for page in &mut app.pages {
        let Page::Task(page) = page else { continue };
        if page.id != id {
            continue;
        }
        (page.waiting, page.unanswered) = (false, false);
        match detail {
            Some(detail) if !frozen || page.detail.is_none() => page.detail = Some(detail.clone()),
            Some(_) => {}
            None => page.gone = true,
        }
    }
}

/// Nobody waits for the answer any more; of a task it is asked for again.
fn unanswered(app: &mut App, asked: Asked, why: Option<String>) {
    match asked {
        Asked::Stacks => app.threads.asking = false,
        Asked::Task(id) => {
            for page in &mut app.pages {
                if let Page::Task(page) = page
                    && page.id == id
                {
                    (page.waiting, page.unanswered) = (false, true);
                }
            }
        }
    }
    app.dirty = true;
    if let Some(why) = why {
        app.say(Notice::bad(why));
    }
}

/// What was asked over a connection that is no more will not be answered.
fn forget_questions(app: &mut App) {
    app.threads.asking = false;
    for page in &mut app.pages {
        if let Page::Task(page) = page {
            page.waiting = false;
        }
    }
}

fn dumped(app: &mut App, stacks: Vec<ThreadStack>) {
    app.threads.asking = false;
    app.threads.taken = Some(app.now.since_start);
    app.threads.scroll = 0;
    app.threads.stacks = stacks
        .into_iter()
        .map(|stack| (stack.thread.tid, stack))
        .collect();
    app.dirty = true;
}

/// Asks for the source lines of the warning that is told about.
pub(super) fn want_sources(app: &mut App, effects: &mut Vec<Effect>) {
    let Some(warning) = app.told_warning() else {
        return;
    };
    let places = [
        path::of_beginning(&warning.created),
        path::of_stack(&warning.observed),
    ];
    let wanted: Vec<SourceKey> = places.into_iter().flatten().collect();
    for key in wanted {
        if app.sources.contains_key(&key) {
            continue;
        }
        if app.sources.len() >= SOURCES {
            app.sources.clear();
        }
        app.sources.insert(key.clone(), Excerpt::default());
        effects.push(Effect::ReadSource(key));
    }
}

impl App {
    /// The warning whose stacks are on the screen.
    pub fn told_warning(&self) -> Option<&Warning> {
        match (self.pages.last(), self.screen) {
            (Some(Page::Warning(page)), _) => self.warnings.get(page.id),
            (None, Screen::Warnings) => self.warnings.told(),
            _ => None,
        }
    }

    /// The task that is told about, if any is.
    pub fn told_task(&self) -> Option<&Task> {
        match (self.pages.last(), self.screen) {
            (Some(Page::Task(page)), _) => page.detail.as_ref().map(|detail| &detail.task),
            (None, Screen::Tasks) if !self.grouped => self.tasks.selected().map(|row| &row.task),
            _ => None,
        }
    }
}

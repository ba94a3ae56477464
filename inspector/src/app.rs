//! The inspector's state. Everything that changes it comes through [`update`]; everything that is drawn is a
//! function of it. Nothing here does I/O: what the world has to do is returned as effects.

pub mod action;
mod commands;
pub mod copy;
mod data;
pub mod filter;
#[cfg(test)]
pub mod fixture;
pub mod geometry;
pub mod health;
pub mod help;
pub mod keymap;
mod keys;
pub mod link;
pub mod list;
pub mod page;
pub mod path;
pub mod popup;
pub mod sort;
pub mod tasks;
#[cfg(test)]
mod tests;
pub mod threads;
pub mod view;
pub mod warnings;

use std::collections::HashMap;
use std::time::Duration;

pub use action::{Action, Asked, Effect, Excerpt, Notice, Now, SourceKey, TimeOfDay};
use filter::FilterLine;
use keymap::Place;
use link::{Frozen, Link};
use list::{List, Row};
use page::Page;
use pollscope_proto::order::Order;
use popup::{Popup, Prompt};
use sort::Sort;
use tasks::Tasks;
use threads::Threads;
use warnings::Warnings;

use crate::model::{Found, SiteRow, Snapshot};

/// How long a notice stays.
const NOTICE: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Screen {
    Picker,
    Tasks,
    Warnings,
    Threads,
}

impl Row for Found {
    type Key = String;

    fn key(&self) -> String {
        self.address.clone()
    }
}

impl Row for SiteRow {
    type Key = u32;

    fn key(&self) -> u32 {
        self.site.id
    }
}

/// The whole state.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent switches, each with a key of its own"
)]
pub struct App {
    pub now: Now,
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    pub screen: Screen,
    /// What lies over the screen, the topmost last: Esc takes one away.
    pub pages: Vec<Page>,
    pub popup: Option<Popup>,
    pub prompt: Option<Prompt>,
    pub notice: Option<(Notice, Duration)>,

    pub link: Link,
    pub frozen: Option<Frozen>,
    /// The last update that is shown.
    pub snapshot: Box<Snapshot>,
    /// Whether there was one since the connection was made.
    pub loaded: bool,
    /// When the target was heard of last: an update, or that it is connected.
    heard: Duration,
    /// The seconds that the header counts, as they were drawn last.
    counted: link::Seconds,

    pub picker: List<Found>,
    /// Whether discovery has answered once.
    pub discovered: bool,
    pub tasks: Tasks,
    pub sites: List<SiteRow>,
    pub sites_sort: Sort,
    /// Spawn sites instead of tasks.
    pub grouped: bool,
    pub warnings: Warnings,
    pub threads: Threads,
    /// One filter for tasks and sites, one for each other screen: kept when leaving and coming back.
    pub filters: Filters,

    pub all_frames: bool,
    pub wrap: bool,
    /// Source lines, as far as they were asked for.
    pub sources: HashMap<SourceKey, Excerpt>,

    asked: view::Asked,
    /// When the cursor moved last, and when rows were sorted last.
    moved: Option<Duration>,
    sorted: Duration,
    /// Rows were held in place: the next update must sort them even if it brings nothing new.
    unsorted: bool,
    dirty: bool,
}

#[derive(Debug, Default)]
pub struct Filters {
    pub picker: FilterLine,
    pub tasks: FilterLine,
    pub warnings: FilterLine,
    pub threads: FilterLine,
}

impl App {
    /// A state without a target: the picker, before discovery has answered.
    pub fn new(size: (u16, u16), now: Now) -> Self {
        Self {
            now,
            size,
            screen: Screen::Picker,
            pages: Vec::new(),
            popup: None,
            prompt: None,
            notice: None,
            link: Link::None,
            frozen: None,
            snapshot: Box::default(),
            loaded: false,
            heard: Duration::ZERO,
            counted: link::Seconds::default(),
            picker: List::default(),
            discovered: false,
            tasks: Tasks::default(),
            sites: List::default(),
            sites_sort: Sort::by(Order::Live),
            grouped: false,
            warnings: Warnings::default(),
            threads: Threads::default(),
            filters: Filters::default(),
            all_frames: false,
            wrap: false,
            sources: HashMap::new(),
            asked: view::Asked::default(),
            moved: None,
            sorted: Duration::ZERO,
            unsorted: false,
            dirty: true,
        }
    }

    /// Where key presses go.
    pub fn place(&self) -> Place {
        match self.pages.last() {
            Some(Page::Task(_)) => Place::Task,
            Some(Page::Warning(_)) => Place::Warning,
            None => self.below(),
        }
    }

    /// The screen under the pages.
    pub fn below(&self) -> Place {
        match self.screen {
            Screen::Picker => Place::Picker,
            Screen::Tasks if self.grouped => Place::Sites,
            Screen::Tasks => Place::Tasks,
            Screen::Warnings => Place::Warnings,
            Screen::Threads => Place::Threads,
        }
    }

    /// The filter line of the screen.
    pub fn filter(&self) -> &FilterLine {
        match self.screen {
            Screen::Picker => &self.filters.picker,
            Screen::Tasks => &self.filters.tasks,
            Screen::Warnings => &self.filters.warnings,
            Screen::Threads => &self.filters.threads,
        }
    }

    fn filter_mut(&mut self) -> &mut FilterLine {
        match self.screen {
            Screen::Picker => &mut self.filters.picker,
            Screen::Tasks => &mut self.filters.tasks,
            Screen::Warnings => &mut self.filters.warnings,
            Screen::Threads => &mut self.filters.threads,
        }
    }

    /// Whether something changed since the last call: then the screen is to be drawn.
    pub fn take_dirty(&mut self) -> bool {
        std::mem::take(&mut self.dirty)
    }

    /// When the screen changes by itself, if nothing happens before.
    pub fn wakes_at(&self) -> Option<Duration> {
        let notice = self.notice.as_ref().map(|(_, until)| *until);
        notice
            .into_iter()
            .chain(self.link.changes_at(self.now, self.heard))
            .min()
    }

    /// Whole seconds since the target was heard of, once they are more than between any two updates.
    pub fn silent_s(&self) -> Option<u64> {
        self.link.seconds(self.now, self.heard).silent
    }

    /// The terminal lost what was drawn.
    pub fn redraw(&mut self) {
        self.dirty = true;
    }

    fn say(&mut self, notice: Notice) {
        self.notice = Some((notice, self.now.since_start + NOTICE));
        self.dirty = true;
    }

    /// The target's clock as it was at the update that is shown.
    pub fn now_ns(&self) -> u64 {
        self.snapshot.now_ns
    }
}

/// The one way in. Returns what the world has to do.
pub fn update(app: &mut App, now: Now, action: Action) -> Vec<Effect> {
    app.now = now;
    let mut effects = Vec::new();
    match action {
        Action::Key(event) => {
            app.dirty = true;
            keys::press(app, event, &mut effects);
        }
        Action::Paste(text) => keys::paste(app, &text),
        Action::Resize(columns, rows) => {
            app.dirty = true;
            app.size = (columns, rows);
        }
        Action::Tick => {}
        Action::Notice(notice) => app.say(notice),
        told => data::take(app, told, &mut effects),
    }
    if app
        .notice
        .as_ref()
        .is_some_and(|(_, until)| *until <= now.since_start)
    {
        app.notice = None;
        app.dirty = true;
    }
    let counted = app.link.seconds(now, app.heard);
    app.dirty |= counted != app.counted;
    app.counted = counted;
    geometry::fit(app);
    data::want_sources(app, &mut effects);
    view::ask(app, &mut effects);
    effects
}

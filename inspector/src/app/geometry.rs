//! How the screen is divided. Both sides need it: drawing, and the state, which scrolls by pages and asks the
//! target only for the rows that can be seen.

use ratatui::layout::Rect;

use super::keymap::Place;
use super::page::{Page, Part};
use super::{App, help};

/// How much can be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Below 20x4: a word.
    TooSmall,
    /// Below 60x12: rows without boxes.
    Compact,
    Normal,
}

pub const fn class((columns, rows): (u16, u16)) -> Class {
    if columns < 20 || rows < 4 {
        Class::TooSmall
    } else if columns < 60 || rows < 12 {
        Class::Compact
    } else {
        Class::Normal
    }
}

/// Where things are; what is not shown is empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Panes {
    pub header: Rect,
    pub tabs: Rect,
    pub main: Rect,
    pub lower: Rect,
    /// The filter or a prompt.
    pub line: Rect,
    pub footer: Rect,
}

pub fn panes(app: &App) -> Panes {
    let place = app.place();
    let is_page = matches!(place, Place::Task | Place::Warning);
    let line = app.prompt.is_some() || !is_page && app.filter().is_shown();
    panes_of(app, place, line)
}

fn panes_of(app: &App, place: Place, line: bool) -> Panes {
    let (columns, rows) = app.size;
    let row = |y: u16, height: u16| Rect::new(0, y, columns, height);
    let class = class(app.size);
    let mut panes = Panes {
        header: row(0, rows.min(1)),
        ..Panes::default()
    };
    if class == Class::TooSmall {
        return panes;
    }
    let mut top = 1;
    let mut bottom = rows;
    if class == Class::Normal || rows > 4 {
        bottom -= 1;
        panes.footer = row(bottom, 1);
    }
    if line {
        bottom -= 1;
        panes.line = row(bottom, 1);
    }
    if class == Class::Normal && place != Place::Picker {
        panes.tabs = row(1, 1);
        top = 2;
    }
    let body = bottom.saturating_sub(top);
    let lower = match (class, place) {
        (Class::Normal, _) => lower_height(app, place, body),
        // Stacks were asked for: they get half of the rows, where that is enough for one.
        (Class::Compact, Place::Threads) if app.threads.has_stacks() && body >= 8 => body / 2,
        _ => 0,
    };
    panes.main = row(top, body - lower);
    panes.lower = row(bottom - lower, lower);
    panes
}

/// What the box below the list takes of `body` rows.
fn lower_height(app: &App, place: Place, body: u16) -> u16 {
    match place {
        Place::Picker if body >= 30 => 18,
        Place::Picker if body >= 18 => 8,
        Place::Tasks if body >= 26 => 5,
        Place::Sites if body >= 26 => 9,
        Place::Warnings if body >= 14 => body * 56 / 100,
        Place::Threads if body >= 14 => {
            let list = app.threads.list.len().min(usize::from(body)) as u16 + 3;
            body - list.clamp(6, body / 2)
        }
        _ => 0,
    }
}

/// How many rows of the list are on the screen, or would be without the page over it.
pub fn list_rows(app: &App) -> usize {
    let line = app.prompt.is_some() || app.filter().is_shown();
    rows(app, line)
}

/// The same without the line for a filter or a prompt: what is asked of the target does not change as it comes
/// and goes.
pub(super) fn most_rows(app: &App) -> usize {
    rows(app, false)
}

fn rows(app: &App, line: bool) -> usize {
    let main = panes_of(app, app.below(), line).main;
    let frame = match class(app.size) {
        Class::TooSmall => return 1,
        Class::Compact => 0,
        Class::Normal => 3,
    };
    usize::from(main.height.saturating_sub(frame)).max(1)
}

/// Scrolls every list the least that shows its cursor.
pub(super) fn fit(app: &mut App) {
    let height = list_rows(app);
    app.picker.fit(height);
    app.tasks.fit(height);
    app.sites.fit(height);
    app.warnings.list.fit(height);
    app.threads.list.fit(height);
}

/// How far the part of a page that has the keys can be scrolled: until its last frame is on top.
pub(super) fn overflow(app: &App) -> usize {
    let frames = match app.pages.last() {
        Some(Page::Task(page)) => {
            let detail = page.detail.as_ref();
            match page.part {
                Part::Created => detail.map(|detail| detail.created.backtrace.len()),
                Part::Now => detail.and_then(|detail| Some(detail.now.as_ref()?.backtrace.len())),
                // The finest rows of the chart: two buckets each, from the first to the last that hold something.
                Part::Polls => detail.and_then(|detail| {
                    let buckets = &detail.site_poll_ns.as_ref()?.buckets;
                    let first = buckets.iter().position(|&count| count > 0)?;
                    let last = buckets.iter().rposition(|&count| count > 0)?;
                    Some((last - first + 1).div_ceil(2))
                }),
                Part::Wakers | Part::Warnings => None,
            }
        }
        Some(Page::Warning(page)) => app.warnings.get(page.id).map(|warning| {
            let place = if page.second {
                &warning.observed
            } else {
                &warning.created
            };
            // The source lines and the explanation are below the frames, and broken into more lines on a narrow screen.
            let below = if class(app.size) == Class::Normal {
                12
            } else {
                40
            };
            place.backtrace.len() + below
        }),
        None => None,
    };
    frames.unwrap_or(0).saturating_sub(1)
}

/// The area of the help, and how far it can be scrolled.
pub fn help_area(app: &App) -> Rect {
    let (columns, rows) = app.size;
    if class(app.size) != Class::Normal {
        return Rect::new(0, 0, columns, rows);
    }
    let width = columns.saturating_sub(4).min(118);
    let height = rows.saturating_sub(2).min(36);
    Rect::new((columns - width) / 2, (rows - height) / 2, width, height)
}

pub(super) fn help_overflow(app: &App, query: &str) -> usize {
    let area = help_area(app);
    let lines = help::columns(app, query, area.width)
        .iter()
        .map(Vec::len)
        .max();
    lines
        .unwrap_or(0)
        .saturating_sub(usize::from(area.height.saturating_sub(4)))
}

impl App {
    /// How many warnings the task on the page has.
    pub(super) fn page_warnings(&self) -> usize {
        match self.pages.last() {
            Some(Page::Task(page)) => page
                .detail
                .as_ref()
                .map_or(0, |detail| detail.warnings.len()),
            _ => 0,
        }
    }
}

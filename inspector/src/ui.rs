//! Drawing: a pure function of the state. One file per pane; none of them reads anything but the state.

mod boxes;
mod chrome;
mod compact;
mod figure;
mod help;
mod histogram;
mod picker;
mod popup;
mod selected;
mod sites;
mod spark;
mod stack;
#[cfg(test)]
mod svg;
mod table;
mod task;
mod tasks;
#[cfg(test)]
mod tests;
pub mod theme;
mod threads;
mod warning;
mod warnings;

use ratatui::Frame;
use ratatui::buffer::Buffer;

use crate::app::App;
use crate::app::geometry::{self, Class, Panes};
use crate::app::keymap::Place;
pub use theme::Theme;

/// Draws the whole screen.
pub fn draw(app: &App, theme: Theme, frame: &mut Frame<'_>) {
    let area = frame.area();
    let panes = clipped(geometry::panes(app), area);
    let buf = frame.buffer_mut();
    match geometry::class(app.size) {
        Class::TooSmall => return compact::too_small(theme, area, buf),
        Class::Compact => {
            compact::header(app, theme, panes.header, buf);
            compact::body(app, theme, panes, buf);
        }
        Class::Normal => {
            chrome::header(app, theme, panes.header, buf);
            chrome::tabs(app, theme, panes.tabs, buf);
            body(app, theme, panes, buf);
        }
    }
    let cursor = chrome::line(app, theme, panes.line, buf);
    chrome::footer(app, theme, panes.footer, buf);
    let cursor = popup::draw(app, theme, area, buf).or(cursor);
    if let Some(at) = cursor.filter(|at| area.contains(*at)) {
        frame.set_cursor_position(at);
    }
}

fn body(app: &App, theme: Theme, panes: Panes, buf: &mut Buffer) {
    match app.place() {
        Place::Picker => picker::draw(app, theme, panes, buf),
        Place::Tasks => {
            tasks::draw(app, theme, panes.main, buf);
            selected::draw(app, theme, panes.lower, buf);
        }
        Place::Sites => sites::draw(app, theme, panes, buf),
        Place::Task => task::draw(app, theme, panes.main, buf),
        Place::Warnings => {
            warnings::draw(app, theme, panes.main, buf);
            warning::draw(app, theme, panes.lower, buf);
        }
        Place::Warning => warning::draw(app, theme, panes.main, buf),
        Place::Threads => threads::draw(app, theme, panes, buf),
    }
}

/// The terminal may have become smaller than the state knows: nothing is drawn outside of it.
fn clipped(panes: Panes, area: ratatui::layout::Rect) -> Panes {
    Panes {
        header: panes.header.intersection(area),
        tabs: panes.tabs.intersection(area),
        main: panes.main.intersection(area),
        lower: panes.lower.intersection(area),
        line: panes.line.intersection(area),
        footer: panes.footer.intersection(area),
    }
}

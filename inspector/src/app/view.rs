//! What the screen needs of the target: derived from the state after every action, asked for when it changed.

use super::{App, Effect, Screen, geometry};
use crate::model::View;

/// As many rows as are fetched once when the screen is frozen, so that one can walk through them.
const FROZEN_ROWS: u32 = 50_000;

/// The view that was asked for last.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// Counts views; 0: none yet.
    pub(super) number: u64,
    pub(super) view: Option<View>,
}

/// Asks for another view if the state wants to see something else than it did.
pub(super) fn ask(app: &mut App, effects: &mut Vec<Effect>) {
    if !app.link.is_live() {
        app.asked.view = None;
        return;
    }
    let view = wanted(app);
    if app.asked.view.as_ref() != Some(&view) {
        app.asked.number += 1;
        effects.push(Effect::SetView(app.asked.number, view.clone()));
        app.asked.view = Some(view);
    }
}

fn wanted(app: &App) -> View {
    let (offset, limit) = match &app.frozen {
        // A frozen screen shows no other rows than it has. Of what goes on meanwhile only the counts are shown.
        Some(frozen) if frozen.filled => (0, 0),
        // Whatever screen it was frozen on: the rows of another time would be shown as those of the freeze.
        Some(_) => {
            let first = (app.tasks.top() as u32).saturating_sub(FROZEN_ROWS / 2);
            (first, FROZEN_ROWS)
        }
        None if app.screen != Screen::Tasks || app.grouped => (0, 0),
        None => app.tasks.window(geometry::most_rows(app)),
    };
    let mut filter = app.filters.tasks.filter.to_string();
    if app.tasks.only_warned {
        if !filter.is_empty() {
            filter.push(' ');
        }
        filter.push_str("warned:any");
    }
    View {
        filter,
        order: app.tasks.sort.by.as_str().to_owned(),
        descending: app.tasks.sort.descending,
        offset,
        limit,
        sites: true,
        threads: true,
        warnings: true,
        history: app.grouped || app.screen == Screen::Threads,
        done: app.tasks.finished,
        site: app.tasks.site.as_ref().map(|(id, _)| *id),
        ..View::default()
    }
}

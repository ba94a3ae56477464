//! The help, made from the keymap: only keys that work here and now.

use super::App;
use super::keymap::{BINDINGS, Binding, Command, Group, Place};
use super::page::{Page, Part};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    Heading(&'static str),
    Key { keys: String, words: &'static str },
    Blank,
    Note(&'static str),
}

/// The bindings that can do something at this place.
pub fn working(app: &App, place: Place) -> impl Iterator<Item = &'static Binding> {
    BINDINGS
        .iter()
        .filter(move |binding| binding.is_at(place) && app.allows(binding.command).is_ok())
}

/// What the footer says of the binding here, if anything.
pub fn hint(app: &App, binding: &Binding) -> Option<&'static str> {
    match (binding.command, app.pages.last()) {
        (Command::Open, Some(Page::Task(page))) if page.part == Part::Warnings => {
            Some("the warning")
        }
        _ => binding.hint,
    }
}

/// The lines of the help in as many columns as fit, searched for `query`.
pub fn columns(app: &App, query: &str, width: u16) -> Vec<Vec<Line>> {
    let query = query.to_lowercase();
    let place = app.place();
    let group = |group: Group, title: &'static str| -> Vec<Line> {
        let keys: Vec<Line> = working(app, place)
            .filter(|binding| binding.group == group)
            .map(|binding| Line::Key {
                keys: binding.labels(),
                words: binding.help,
            })
            .filter(|line| found(line, &query))
            .collect();
        if keys.is_empty() {
            return keys;
        }
        let mut lines = vec![Line::Heading(title)];
        lines.extend(keys);
        lines.push(Line::Blank);
        lines
    };
    let (moves, sees, acts) = (
        group(Group::Move, "Move"),
        group(Group::See, "See"),
        group(Group::Act, "Act"),
    );
    let notes = notes(place, &query);
    if width >= 108 {
        let mut middle = sees;
        middle.extend(notes);
        return vec![moves, middle, acts];
    }
    if width >= 66 {
        let (mut left, mut right) = (moves, acts);
        left.extend(notes);
        right.splice(0..0, sees);
        return vec![left, right];
    }
    vec![[moves, sees, acts, notes].concat()]
}

fn found(line: &Line, query: &str) -> bool {
    match line {
        Line::Key { keys, words } => {
            query.is_empty()
                || words.to_lowercase().contains(query)
                || keys.to_lowercase().contains(query)
        }
        Line::Note(text) => query.is_empty() || text.to_lowercase().contains(query),
        Line::Heading(_) | Line::Blank => true,
    }
}

const MARKS: &[&str] = &[
    "? note   ! warning   !! serious",
    "▸ cursor   done: it ended",
];

const FILTER: &[&str] = &[
    "text         name, site, type",
    "\"a b\"        with blanks",
    "busy>1s      max age polls",
    "state:idle   kind warned",
    "site:a.rs    name type span",
    "crate:api    label:order=42",
    "!term        not",
];

fn notes(place: Place, query: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    let sections: &[(&'static str, &'static [&'static str])] = match place {
        Place::Task | Place::Warning => &[("Marks", MARKS)],
        _ => &[("Filter", FILTER), ("Marks", MARKS)],
    };
    for (title, notes) in sections {
        let notes: Vec<Line> = notes
            .iter()
            .map(|&note| Line::Note(note))
            .filter(|line| found(line, query))
            .collect();
        if !notes.is_empty() {
            lines.push(Line::Heading(title));
            lines.extend(notes);
            lines.push(Line::Blank);
        }
    }
    lines
}

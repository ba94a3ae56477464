//! The header's one line about the target: the one thing most wrong, or that nothing is.

use super::App;
use super::warnings::place;
use crate::format;
use crate::model::{Level, Severity, Warning};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// `None`: nothing is wrong.
    pub severity: Option<Severity>,
    pub text: String,
}

/// What to say of the target.
pub fn health(app: &App) -> Health {
    let stuck: Vec<&Warning> = app
        .warnings
        .audible()
        .filter(|warning| warning.live && warning.severity > Severity::Info)
        .collect();
    if let Some(worst) = stuck.iter().max_by_key(|warning| warning.wall_ns) {
        return blocked(worst, stuck.len());
    }
    let worst = app
        .warnings
        .audible()
        .filter(|warning| warning.severity > Severity::Info)
        .max_by_key(|warning| (warning.severity, warning.last_ns));
    if let Some(warning) = worst {
        let ago = match app.now_ns().saturating_sub(warning.last_ns) {
            0..1_000_000_000 => "now".to_owned(),
            ns => format!("{} ago", format::age(ns)),
        };
        return Health {
            severity: Some(warning.severity),
            text: format!("{}{}, {ago}", title(warning), at(warning)),
        };
    }
    let dropped = app.snapshot.dropped;
    if dropped.warnings > 0 || dropped.tasks > 0 {
        return Health {
            severity: Some(Severity::Warn),
            text: format!(
                "tables full: {} warnings and {} tasks were not recorded",
                dropped.warnings, dropped.tasks
            ),
        };
    }
    let text = match app.snapshot.target.level {
        Level::Debug => "nothing is wrong",
        Level::Quiet => "nothing is wrong, as far as level quiet sees",
        Level::Off => "the target runs with POLLSCOPE=off",
    };
    Health {
        severity: None,
        text: text.to_owned(),
    }
}

fn blocked(worst: &Warning, count: usize) -> Health {
    let what = if count == 1 {
        "blocked".to_owned()
    } else {
        format!("{count} blocked, one")
    };
    let since = worst
        .wall_ns
        .map_or_else(String::new, |wall| format!(" {}", format::duration(wall)));
    Health {
        severity: Some(worst.severity),
        text: format!("{what}{since}{}", at(worst)),
    }
}

fn title(warning: &Warning) -> String {
    let title = warning.kind.as_str().replace('_', " ");
    match warning.worst_ns.or(warning.wall_ns) {
        Some(worst) => format!("{title} {}", format::duration(worst)),
        None => title,
    }
}

fn at(warning: &Warning) -> String {
    place(warning).map_or_else(String::new, |site| {
        format!(" at {}", super::path::file_and_line(&site.file, site.line))
    })
}

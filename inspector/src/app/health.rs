//! The header's one line about the target: the one thing most wrong, or that nothing is.

use pollscope_proto::kinds;
use unicode_width::UnicodeWidthStr;

use super::warnings::place;
use super::{App, path};
use crate::format;
use crate::model::{Level, Severity, Site, TaskKind, Warning};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// `None`: nothing is wrong.
    pub severity: Option<Severity>,
    pub text: String,
    /// How long it took, with what stands before it; or empty.
    took: String,
    /// `file.rs:line`, or a route, or empty.
    place: String,
    /// How long ago, or empty.
    ago: String,
}

impl Health {
    fn plain(severity: Option<Severity>, text: String) -> Self {
        Self {
            severity,
            text,
            took: String::new(),
            place: String::new(),
            ago: String::new(),
        }
    }

    /// All of it if `width` columns hold it. Else it loses when it was, then how long it took, then the start of the
    /// place, then what it was: never the line number, by which the place is found.
    pub fn fit(&self, width: usize) -> String {
        if self.place.is_empty() {
            return self.text.clone();
        }
        let ago = if self.ago.is_empty() { "" } else { ", " };
        let took = format!("{}{} at {}", self.text, self.took, self.place);
        let short = format!("{} at ", self.text);
        for whole in [
            format!("{took}{ago}{}", self.ago),
            took,
            format!("{short}{}", self.place),
        ] {
            if whole.width() <= width {
                return whole;
            }
        }
        // `…rs:118` can still be recognized, less cannot.
        let line = self.place.rfind(':').map_or(0, |at| self.place.len() - at);
        match width.saturating_sub(short.width()) {
            room if room >= line + 3 => format!("{short}{}", path::cut(&self.place, room)),
            _ => path::cut(&self.place, width),
        }
    }
}

/// What to say of the target.
pub fn health(app: &App) -> Health {
    let stuck: Vec<&Warning> = app
        .warnings
        .all()
        .filter(|warning| is_stuck(warning) && !app.warnings.is_muted(warning))
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
            text: warning.kind.as_str().replace('_', " "),
            took: warning
                .worst_ns
                .or(warning.wall_ns)
                .map_or_else(String::new, |worst| format!(" {}", format::duration(worst))),
            place: at(warning),
            ago,
        };
    }
    let dropped = app.snapshot.dropped;
    if dropped.warnings > 0 || dropped.tasks > 0 {
        let text = format!(
            "tables full: {} warnings and {} tasks were not recorded",
            dropped.warnings, dropped.tasks
        );
        return Health::plain(Some(Severity::Warn), text);
    }
    let text = match app.snapshot.target.level {
        Level::Debug => "nothing is wrong",
        Level::Quiet => "nothing is wrong, as far as level quiet sees",
        Level::Off => "the target runs with POLLSCOPE=off",
    };
    Health::plain(None, text.to_owned())
}

/// Whether a thread is held now. Others that last, such as tasks that leak, hold nobody up.
fn is_stuck(warning: &Warning) -> bool {
    let held = [kinds::SLOW_POLL, kinds::WORKER_BLOCKED, kinds::SLOW_DROP];
    warning.live && warning.severity > Severity::Info && held.contains(&warning.kind.as_str())
}

fn blocked(worst: &Warning, count: usize) -> Health {
    let (text, before) = match count {
        1 => ("blocked".to_owned(), ""),
        n => (format!("{n} blocked"), ", one"),
    };
    let since = |wall| format!("{before} {}", format::duration(wall));
    Health {
        severity: Some(worst.severity),
        text,
        took: worst.wall_ns.map_or_else(String::new, since),
        place: at(worst),
        ago: String::new(),
    }
}

/// Of a request its route: one line makes all of them.
fn at(warning: &Warning) -> String {
    let is_request = |site: &Site| site.kind == TaskKind::Request;
    if warning.site.as_ref().is_some_and(is_request)
        && let Some(task) = warning.task.as_ref().filter(|task| !task.name.is_empty())
    {
        return task.name.clone();
    }
    place(warning).map_or_else(String::new, |site| {
        path::file_and_line(&site.file, site.line)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{TaskRef, WarningKind};

    #[test]
    fn only_what_holds_a_thread_is_stuck() {
        let of = |kind: &str, severity| Warning {
            kind: WarningKind(kind.to_owned()),
            severity,
            live: true,
            ..Warning::default()
        };
        for kind in ["slow_poll", "worker_blocked", "slow_drop"] {
            assert!(is_stuck(&of(kind, Severity::Warn)), "{kind}");
            assert!(!is_stuck(&of(kind, Severity::Info)), "a note: {kind}");
        }
        for kind in ["task_leak", "sched_delay", "blocking_pool_full"] {
            assert!(!is_stuck(&of(kind, Severity::Error)), "{kind}");
        }
    }

    #[test]
    fn a_request_is_at_its_route() {
        let site = |kind| Site {
            file: "src/main.rs".to_owned(),
            line: 28,
            kind,
            ..Site::default()
        };
        let of = |kind| Warning {
            site: Some(site(kind)),
            task: Some(TaskRef {
                id: 7,
                name: "GET /orders/{id}".to_owned(),
            }),
            ..Warning::default()
        };
        assert_eq!(at(&of(TaskKind::Request)), "GET /orders/{id}");
        assert_eq!(at(&of(TaskKind::Task)), "main.rs:28");
    }

    #[test]
    fn of_a_health_that_is_cut_the_line_number_stays() {
        let health = Health {
            severity: Some(Severity::Warn),
            text: "slow poll".to_owned(),
            took: " 213 ms".to_owned(),
            place: "lost_error.rs:117".to_owned(),
            ago: "3s ago".to_owned(),
        };
        for (width, expected) in [
            (45, "slow poll 213 ms at lost_error.rs:117, 3s ago"),
            (44, "slow poll 213 ms at lost_error.rs:117"),
            (37, "slow poll 213 ms at lost_error.rs:117"),
            (36, "slow poll at lost_error.rs:117"),
            (29, "slow poll at …st_error.rs:117"),
            (20, "slow poll at …rs:117"),
            (19, "lost_error.rs:117"),
            (8, "….rs:117"),
        ] {
            assert_eq!(health.fit(width), expected, "{width}");
        }
        let healthy = Health::plain(None, "nothing is wrong".to_owned());
        assert_eq!(healthy.fit(5), "nothing is wrong", "who draws it cuts it");
    }
}

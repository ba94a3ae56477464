//! Values of arguments.

use std::str::FromStr;
use std::time::Duration;

use pollscope_proto::filter::time_ns;
use pollscope_proto::kinds;

use crate::model::{Change, Level, Severity, UNDETECTED, Warning, detected};

/// `5s`, `500ms`, `2m`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    time_ns(text)
        .map(Duration::from_nanos)
        .map_err(|expected| format!("expected {expected}"))
}

/// A kind of `--fail-on`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum FailOn {
    Any,
    Kind(String),
}

impl FailOn {
    /// The kind, where nothing of it can come from a target of this version.
    pub(super) fn matches_nothing(&self) -> Option<&str> {
        match self {
            Self::Kind(kind) if UNDETECTED.contains(&kind.as_str()) => Some(kind),
            _ => None,
        }
    }

    /// Notes match nothing: they are shown and never alarm.
    pub(super) fn matches(&self, warning: &Warning) -> bool {
        warning.severity > Severity::Info
            && match self {
                Self::Any => true,
                Self::Kind(kind) => warning.kind.as_str() == kind,
            }
    }
}

impl FromStr for FailOn {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "any" => Ok(Self::Any),
            kind if kinds::is_known(kind) => Ok(Self::Kind(kind.to_owned())),
            _ => {
                let kinds: Vec<&str> = detected().collect();
                Err(format!("`any`, or one of {}", kinds.join(", ")))
            }
        }
    }
}

/// A `KEY=VALUE` of `set`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Setting {
    Level(Level),
    SlowPoll(u64),
    Log(String),
    Depth(u32),
    Dedupe(bool),
}

const LOG_LEVELS: &[&str] = &["off", "error", "warn", "info", "debug"];

impl FromStr for Setting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (key, value) = text
            .split_once('=')
            .ok_or("expected KEY=VALUE, like level=debug")?;
        match (key, value) {
            ("level", "off") => Ok(Self::Level(Level::Off)),
            ("level", "quiet") => Ok(Self::Level(Level::Quiet)),
            ("level", "debug") => Ok(Self::Level(Level::Debug)),
            ("level", _) => Err("level is off, quiet or debug".to_owned()),
            ("slow_poll", "0") => Ok(Self::SlowPoll(0)),
            ("slow_poll", "off") => Ok(Self::SlowPoll(u64::MAX)),
            ("slow_poll", value) => match time_ns(value) {
                Ok(ns) => Ok(Self::SlowPoll(ns)),
                Err(expected) => Err(format!("slow_poll is {expected}, 0 for every poll, or off")),
            },
            ("log", value) if LOG_LEVELS.contains(&value) => Ok(Self::Log(value.to_owned())),
            ("log", _) => Err(format!("log is one of {}", LOG_LEVELS.join(", "))),
            ("depth", value) => match value.parse() {
                Ok(depth) if depth > 0 => Ok(Self::Depth(depth)),
                _ => Err("depth is a number of frames".to_owned()),
            },
            ("dedupe", "on") => Ok(Self::Dedupe(true)),
            ("dedupe", "off") => Ok(Self::Dedupe(false)),
            ("dedupe", _) => Err("dedupe is on or off".to_owned()),
            _ => Err("the keys are level, slow_poll, log, depth and dedupe".to_owned()),
        }
    }
}

/// All settings as one change; of two for one key the last holds.
pub(super) fn change(settings: &[Setting]) -> Change {
    let mut change = Change::default();
    for setting in settings {
        match setting {
            Setting::Level(level) => change.level = Some(*level),
            Setting::SlowPoll(ns) => change.slow_poll_ns = Some(*ns),
            Setting::Log(log) => change.log = Some(log.clone()),
            Setting::Depth(depth) => change.depth = Some(*depth),
            Setting::Dedupe(on) => change.dedupe = Some(*on),
        }
    }
    change
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_parse_or_say_what_they_want() {
        assert_eq!("level=debug".parse(), Ok(Setting::Level(Level::Debug)));
        assert_eq!("slow_poll=50ms".parse(), Ok(Setting::SlowPoll(50_000_000)));
        assert_eq!("slow_poll=0".parse(), Ok(Setting::SlowPoll(0)));
        assert_eq!("slow_poll=off".parse(), Ok(Setting::SlowPoll(u64::MAX)));
        assert_eq!("dedupe=off".parse(), Ok(Setting::Dedupe(false)));
        for (text, error) in [
            ("level", "expected KEY=VALUE, like level=debug"),
            ("level=loud", "level is off, quiet or debug"),
            (
                "slow_poll=50",
                "slow_poll is a time, like 100ms or 2m, 0 for every poll, or off",
            ),
            ("depth=0", "depth is a number of frames"),
            ("dedupe=1", "dedupe is on or off"),
            (
                "colour=red",
                "the keys are level, slow_poll, log, depth and dedupe",
            ),
        ] {
            assert_eq!(text.parse::<Setting>(), Err(error.to_owned()));
        }
    }

    #[test]
    fn notes_never_fail_a_report() {
        let mut warning = Warning {
            kind: crate::model::WarningKind("slow_poll".to_owned()),
            ..Warning::default()
        };
        assert!(!FailOn::Any.matches(&warning));
        warning.severity = Severity::Warn;
        assert!(FailOn::Any.matches(&warning));
        assert!("slow_poll".parse::<FailOn>().unwrap().matches(&warning));
        assert!(!"leaked_error".parse::<FailOn>().unwrap().matches(&warning));
        let error = "slowpoll".parse::<FailOn>().unwrap_err();
        assert!(
            error.contains("slow_poll") && !error.contains("dead_wait"),
            "{error}"
        );
        // It is a name of the contract: a script that has it goes on, and is told.
        let dead: FailOn = "deadlock".parse().unwrap();
        assert_eq!(dead.matches_nothing(), Some("deadlock"));
        assert_eq!(FailOn::Any.matches_nothing(), None);
    }
}

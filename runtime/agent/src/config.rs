//! Settings: what the program said, then what the environment says, then defaults.
//!
//! A value in the environment that cannot be read must neither stop the program nor pass unnoticed: it is left
//! out, and one line says so.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use pollscope_proto::limits::DEFAULT_PORT;

use crate::policy::Deny;

/// What a viewer may do over the socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rights {
    /// Look.
    Read,
    /// Change the level and take stacks.
    #[default]
    Debug,
    /// Abort tasks.
    Abort,
}

/// From which severity on findings are logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum LogLevel {
    /// Nothing.
    Off = 0,
    /// Errors only.
    Error = 1,
    /// Errors and warnings.
    #[default]
    Warn = 2,
    /// As `Warn`, and what pollscope itself does.
    Info = 3,
    /// As `Info`, and its details.
    Debug = 4,
}

impl LogLevel {
    /// One lowercase word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }
}

/// A setting that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    value: String,
    expected: &'static str,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot read {:?}: use {}", self.value, self.expected)
    }
}

impl std::error::Error for Unreadable {}

impl Unreadable {
    pub(crate) fn new(value: &str, expected: &'static str) -> Self {
        Self {
            value: value.to_owned(),
            expected,
        }
    }
}

impl FromStr for LogLevel {
    type Err = Unreadable;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text.trim().to_ascii_lowercase().as_str() {
            "off" | "none" | "0" => Self::Off,
            "error" => Self::Error,
            "warn" | "warning" => Self::Warn,
            "info" => Self::Info,
            "debug" | "trace" => Self::Debug,
            _ => return Err(Unreadable::new(text, "off, error, warn, info or debug")),
        })
    }
}

impl FromStr for Rights {
    type Err = Unreadable;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text.trim().to_ascii_lowercase().as_str() {
            "read" => Self::Read,
            "debug" => Self::Debug,
            "abort" => Self::Abort,
            _ => return Err(Unreadable::new(text, "read, debug or abort")),
        })
    }
}

/// What the program can say about the agent. What is `None` is left to the environment, then to the default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// A TCP address to listen on beside the Unix socket (`POLLSCOPE_BIND`). Default: none.
    pub bind: Option<SocketAddr>,
    /// Whether there is a Unix socket to attach to (`POLLSCOPE_SOCKET`). Default: yes, but in a process that a test
    /// runner made for one test.
    pub socket: Option<bool>,
    /// What is logged (`POLLSCOPE_LOG`). Default: warnings and errors.
    pub log: Option<LogLevel>,
    /// What the Unix socket allows (`POLLSCOPE_RIGHTS`). Default: `debug`.
    pub rights: Option<Rights>,
    /// The slow-poll threshold (`POLLSCOPE_SLOW_POLL`); zero: every poll, `Duration::MAX`: none. Default: 100 ms.
    pub slow_poll: Option<Duration>,
    /// How many of the user's frames of a backtrace are shown (`POLLSCOPE_BACKTRACE_DEPTH`). Default: 10.
    pub depth: Option<u32>,
    /// Of how many tasks and futures of a site one has a creation backtrace of its own
    /// (`POLLSCOPE_BACKTRACE_EVERY`); 1: each. Default: 256.
    pub backtrace_every: Option<u32>,
    /// Whether findings of one kind and site become one record with a count, logged at a pace (`POLLSCOPE_DEDUPE`);
    /// else each is a record and a line, as long as there is room. Default: yes.
    pub dedupe: Option<bool>,
    /// Whether stacks of sleeping threads may be read (`POLLSCOPE_PEEK`). Default: yes.
    pub peek: Option<bool>,
    /// Whether running threads may be signalled for their stack (`POLLSCOPE_SIGNAL`). Default: yes.
    pub signal: Option<bool>,
    /// Which findings are not tolerated (`POLLSCOPE_DENY`). Default: none.
    pub deny: Option<Deny>,
    /// Version of the Tokio that is watched, for the inspector's header.
    pub tokio_version: Option<&'static str>,
}

impl Settings {
    /// These settings, and where they say nothing, those.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            bind: self.bind.or(other.bind),
            socket: self.socket.or(other.socket),
            log: self.log.or(other.log),
            rights: self.rights.or(other.rights),
            slow_poll: self.slow_poll.or(other.slow_poll),
            depth: self.depth.or(other.depth),
            backtrace_every: self.backtrace_every.or(other.backtrace_every),
            dedupe: self.dedupe.or(other.dedupe),
            peek: self.peek.or(other.peek),
            signal: self.signal.or(other.signal),
            deny: self.deny.or(other.deny),
            tokio_version: self.tokio_version.or(other.tokio_version),
        }
    }

    /// What the environment says, and what of it could not be read.
    pub(crate) fn from_env(lookup: impl Fn(&str) -> Option<String>) -> (Self, Vec<String>) {
        let mut complaints = Vec::new();
        let settings = Self {
            bind: read(&lookup, "POLLSCOPE_BIND", parse_bind, &mut complaints),
            socket: read(&lookup, "POLLSCOPE_SOCKET", parse_switch, &mut complaints),
            log: read(&lookup, "POLLSCOPE_LOG", str::parse, &mut complaints),
            rights: read(&lookup, "POLLSCOPE_RIGHTS", str::parse, &mut complaints),
            slow_poll: read(
                &lookup,
                "POLLSCOPE_SLOW_POLL",
                parse_slow_poll,
                &mut complaints,
            ),
            depth: read(
                &lookup,
                "POLLSCOPE_BACKTRACE_DEPTH",
                parse_depth,
                &mut complaints,
            ),
            backtrace_every: read(
                &lookup,
                "POLLSCOPE_BACKTRACE_EVERY",
                parse_every,
                &mut complaints,
            ),
            dedupe: read(&lookup, "POLLSCOPE_DEDUPE", parse_switch, &mut complaints),
            peek: read(&lookup, "POLLSCOPE_PEEK", parse_switch, &mut complaints),
            signal: read(&lookup, "POLLSCOPE_SIGNAL", parse_switch, &mut complaints),
            deny: read(&lookup, "POLLSCOPE_DENY", str::parse, &mut complaints),
            tokio_version: None,
        };
        (settings, complaints)
    }
}

/// One variable. Unset and empty say nothing.
fn read<T>(
    lookup: impl Fn(&str) -> Option<String>,
    name: &str,
    parse: impl Fn(&str) -> Result<T, Unreadable>,
    complaints: &mut Vec<String>,
) -> Option<T> {
    let text = lookup(name)?;
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    parse(text)
        .map_err(|wrong| complaints.push(format!("{name}: {wrong}")))
        .ok()
}

/// An address to listen on: `IP:PORT`, `IP`, `PORT`, and `localhost` for the loopback. A bare IP means the default port.
///
/// # Errors
/// It is none of these. Other names are not looked up: that could block.
pub fn parse_bind(text: &str) -> Result<SocketAddr, Unreadable> {
    const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let numeric = text.trim().replace("localhost", "127.0.0.1");
    numeric
        .parse::<SocketAddr>()
        .ok()
        .or_else(|| {
            numeric
                .parse::<IpAddr>()
                .ok()
                .map(|ip| SocketAddr::new(ip, DEFAULT_PORT))
        })
        .or_else(|| {
            numeric
                .trim_start_matches(':')
                .parse::<u16>()
                .ok()
                .map(|port| SocketAddr::new(LOOPBACK, port))
        })
        .ok_or_else(|| Unreadable::new(text, "IP:PORT, IP or PORT"))
}

/// A threshold: `50ms`, `1.5s`, `200us`, a bare number of milliseconds, `0` for every poll, `off` for none.
///
/// # Errors
/// It is none of these.
pub fn parse_slow_poll(text: &str) -> Result<Duration, Unreadable> {
    let wrong = || {
        Unreadable::new(
            text,
            "a time such as 50ms or 1.5s, 0 for every poll, or off",
        )
    };
    let trimmed = text.trim().to_ascii_lowercase();
    if matches!(trimmed.as_str(), "off" | "none" | "never") {
        return Ok(Duration::MAX);
    }
    let unit = trimmed
        .find(|c: char| !(c.is_ascii_digit() || c == '.'))
        .unwrap_or(trimmed.len());
    let (number, unit) = trimmed.split_at(unit);
    let seconds_per_unit = match unit.trim() {
        "ns" => 1e-9,
        "us" | "µs" => 1e-6,
        "" | "ms" => 1e-3,
        "s" => 1.0,
        "m" | "min" => 60.0,
        _ => return Err(wrong()),
    };
    let number: f64 = number.parse().ok().ok_or_else(wrong)?;
    Duration::try_from_secs_f64(number * seconds_per_unit)
        .ok()
        .ok_or_else(wrong)
}

fn parse_depth(text: &str) -> Result<u32, Unreadable> {
    text.parse()
        .ok()
        .ok_or_else(|| Unreadable::new(text, "a number of frames"))
}

fn parse_every(text: &str) -> Result<u32, Unreadable> {
    let every = text.parse().ok().filter(|every| *every > 0);
    every.ok_or_else(|| Unreadable::new(text, "a number from 1"))
}

fn parse_switch(text: &str) -> Result<bool, Unreadable> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "on" | "true" | "yes" => Ok(true),
        "0" | "off" | "false" | "no" => Ok(false),
        _ => Err(Unreadable::new(text, "1 or 0")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> (Settings, Vec<String>) {
        Settings::from_env(|key| {
            pairs
                .iter()
                .find(|(name, _)| *name == key)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn what_can_be_read_is_taken_and_the_rest_is_said() {
        let (settings, complaints) = env(&[
            ("POLLSCOPE_BIND", "localhost:7000"),
            ("POLLSCOPE_LOG", " Error "),
            ("POLLSCOPE_RIGHTS", "abort"),
            ("POLLSCOPE_SLOW_POLL", "50ms"),
            ("POLLSCOPE_PEEK", "0"),
            ("POLLSCOPE_DEDUPE", "off"),
            ("POLLSCOPE_BACKTRACE_DEPTH", "3"),
            ("POLLSCOPE_BACKTRACE_EVERY", "1"),
            ("POLLSCOPE_DENY", "slow_poll"),
            ("POLLSCOPE_SIGNAL", "perhaps"),
        ]);
        assert_eq!(
            settings.bind,
            Some(SocketAddr::from(([127, 0, 0, 1], 7000)))
        );
        assert_eq!(settings.log, Some(LogLevel::Error));
        assert_eq!(settings.rights, Some(Rights::Abort));
        assert_eq!((settings.depth, settings.dedupe), (Some(3), Some(false)));
        assert_eq!(settings.backtrace_every, Some(1));
        assert_eq!(settings.deny, "slow_poll".parse().ok());
        assert_eq!(settings.slow_poll, Some(Duration::from_millis(50)));
        assert_eq!((settings.peek, settings.signal), (Some(false), None));
        assert_eq!(
            complaints,
            ["POLLSCOPE_SIGNAL: cannot read \"perhaps\": use 1 or 0"]
        );
    }

    #[test]
    fn unset_and_empty_say_nothing() {
        assert_eq!(env(&[]), (Settings::default(), Vec::new()));
        assert_eq!(
            env(&[("POLLSCOPE_LOG", " ")]),
            (Settings::default(), Vec::new())
        );
    }

    #[test]
    fn the_program_wins_over_the_environment() {
        let program = Settings {
            log: Some(LogLevel::Off),
            ..Settings::default()
        };
        let (environment, _) = env(&[("POLLSCOPE_LOG", "debug"), ("POLLSCOPE_PEEK", "0")]);
        let both = program.or(environment);
        assert_eq!((both.log, both.peek), (Some(LogLevel::Off), Some(false)));
    }

    #[test]
    fn thresholds_have_units() {
        for (text, expected) in [
            ("50ms", Duration::from_millis(50)),
            ("1.5s", Duration::from_millis(1500)),
            ("200us", Duration::from_micros(200)),
            ("20", Duration::from_millis(20)),
            ("0", Duration::ZERO),
            ("off", Duration::MAX),
        ] {
            assert_eq!(parse_slow_poll(text), Ok(expected), "{text}");
        }
        for text in ["fast", "5 parsecs", "-1ms", "1e400s", ""] {
            assert!(parse_slow_poll(text).is_err(), "{text}");
        }
    }

    #[test]
    fn addresses_need_not_be_whole() {
        for text in ["7001", ":7001", "localhost:7001"] {
            assert_eq!(
                parse_bind(text),
                Ok(SocketAddr::from(([127, 0, 0, 1], 7001))),
                "{text}"
            );
        }
        assert_eq!(
            parse_bind("::1"),
            Ok(SocketAddr::new(
                "::1".parse().expect("an address"),
                DEFAULT_PORT
            ))
        );
        assert_eq!(parse_bind("0.0.0.0:1").map(|at| at.port()), Ok(1));
        assert!(parse_bind("example.org:80").is_err());
    }
}

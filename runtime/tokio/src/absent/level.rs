//! Off, for good.

use std::fmt;
use std::str::FromStr;

/// How much is measured. In this build, which has no capture, nothing is: the level is off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Level {
    /// Nothing: no record, no thread, no socket.
    Off = 0,
    /// Records, outcomes, never-awaited futures, lost errors, and which poll runs now. No poll times.
    #[default]
    Quiet = 1,
    /// All of it: poll times, slow polls with stacks, creation backtraces, wakes.
    Debug = 2,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Off => "off",
            Self::Quiet => "quiet",
            Self::Debug => "debug",
        })
    }
}

/// A level that is not one of off, quiet, debug.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownLevel(pub String);

impl fmt::Display for UnknownLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown level {:?}: use off, quiet or debug", self.0)
    }
}

impl std::error::Error for UnknownLevel {}

impl FromStr for Level {
    type Err = UnknownLevel;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.trim().to_ascii_lowercase().as_str() {
            "off" => Ok(Self::Off),
            "quiet" => Ok(Self::Quiet),
            "debug" => Ok(Self::Debug),
            _ => Err(UnknownLevel(text.to_owned())),
        }
    }
}

/// What decided the level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    Explicit,
    Code,
}

#[inline]
pub fn level() -> Level {
    Level::Off
}

/// False: nothing can be switched on.
#[inline]
pub fn set_level(_: Level, _: Source) -> bool {
    false
}

#[inline]
pub fn slow_poll_ns() -> u64 {
    u64::MAX
}

#[inline]
pub fn set_slow_poll_ns(_: u64) {}

/// Nobody asks the environment.
#[inline]
pub fn from_env(_: impl Fn(&str) -> Option<String>) -> Result<Option<Level>, UnknownLevel> {
    Ok(None)
}

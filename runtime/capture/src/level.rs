//! What is measured: off, quiet or debug, and who said so.
//!
//! Explicit beats the environment, the environment beats the default (quiet). `off` is latched: once the first
//! task was spawned without a record nothing can be switched on, because nothing was started.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};

/// How much is measured.
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

impl Level {
    fn from_u8(value: u8) -> Self {
        match value {
            0 => Self::Off,
            2 => Self::Debug,
            _ => Self::Quiet,
        }
    }
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
#[repr(u8)]
pub enum Source {
    /// Nobody said anything: quiet.
    Default = 0,
    /// `POLLSCOPE` or `POLLSCOPE_DEBUG`.
    Env = 1,
    /// The program: a builder, `#[pollscope::main(debug)]`.
    Explicit = 2,
    /// The program, while it ran: `set_debug`.
    Code = 3,
    /// The inspector.
    Inspector = 4,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Default => "default",
            Self::Env => "env",
            Self::Explicit => "explicit",
            Self::Code => "code",
            Self::Inspector => "inspector",
        })
    }
}

/// The level in force. 1 (quiet) until something else is said.
static LEVEL: AtomicU8 = AtomicU8::new(Level::Quiet as u8);
static SOURCE: AtomicU8 = AtomicU8::new(Source::Default as u8);
/// A finished poll of at least this many nanoseconds is told of; the lesser of 10 ms and the threshold.
static NOTE_NS: AtomicU64 = AtomicU64::new(INFO_NS);
static DEBUG_SINCE_NS: AtomicU64 = AtomicU64::new(0);
/// The same in ticks; `FROM_START` where nothing was measured before.
static DEBUG_SINCE_TICKS: AtomicU64 = AtomicU64::new(FROM_START);
/// Above what stands for "within a poll" in a record, and below every reading of the clock.
const FROM_START: u64 = 2;
static SLOW_NS: AtomicU64 = AtomicU64::new(100_000_000);

/// Polls from here on are of interest to screens, though no warning yet.
pub const INFO_NS: u64 = 10_000_000;

/// The level in force: one relaxed load.
#[inline]
pub fn level() -> Level {
    Level::from_u8(LEVEL.load(Ordering::Relaxed))
}

/// What decided the level.
pub fn source() -> Source {
    match SOURCE.load(Ordering::Relaxed) {
        1 => Source::Env,
        2 => Source::Explicit,
        3 => Source::Code,
        4 => Source::Inspector,
        _ => Source::Default,
    }
}

/// Sets the level. False, and no change, where it would go to off or from off after the first use: what runs
/// with a record needs it to its end, and where nothing was started nothing can measure.
pub fn set_level(to: Level, source: Source) -> bool {
    if crate::registry::is_started() && (level() == Level::Off) != (to == Level::Off) {
        return false;
    }
    if to == Level::Debug && level() != Level::Debug {
        DEBUG_SINCE_NS.store(crate::clock::mono_ns(), Ordering::Relaxed);
        // Before the start the clock is not chosen yet, and nothing is older.
        if crate::registry::is_started() {
            DEBUG_SINCE_TICKS.store(crate::clock::ticks(), Ordering::Relaxed);
        }
    }
    LEVEL.store(to as u8, Ordering::Relaxed);
    SOURCE.store(source as u8, Ordering::Relaxed);
    crate::thread::level_changed();
    true
}

/// Monotonic nanoseconds of the last switch to debug; 0: there was none. What is older was not timed until then.
pub fn debug_since_ns() -> u64 {
    DEBUG_SINCE_NS.load(Ordering::Relaxed)
}

/// Ticks of the last switch to debug. What records say of wakes before that was said in another time of debug, and
/// nothing was noted between.
#[inline]
pub(crate) fn debug_since_ticks() -> u64 {
    DEBUG_SINCE_TICKS.load(Ordering::Relaxed)
}

/// The counter began again: what records say from here on is more than this, and less than what was said before.
#[cfg(target_arch = "x86_64")]
pub(crate) fn ticks_begin_again(at: u64) {
    if DEBUG_SINCE_TICKS.load(Ordering::Relaxed) > at {
        DEBUG_SINCE_TICKS.store(at, Ordering::Relaxed);
    }
}

/// Off for good, in the middle of everything: this process was forked from one that had us.
pub(crate) fn give_up() {
    LEVEL.store(Level::Off as u8, Ordering::Relaxed);
    // The only thread that a forked child has.
    if let Some(thread) = crate::thread::current_if_known() {
        thread.forget_debug();
    }
}

/// The slow-poll threshold in nanoseconds: 100 ms unless set. 0: every poll; `u64::MAX`: none.
pub fn slow_poll_ns() -> u64 {
    SLOW_NS.load(Ordering::Relaxed)
}

/// Sets the slow-poll threshold; it holds from the end of the polls that run now.
pub fn set_slow_poll_ns(ns: u64) {
    SLOW_NS.store(ns, Ordering::Relaxed);
    NOTE_NS.store(ns.min(INFO_NS), Ordering::Relaxed);
}

/// How many of the user's frames of a backtrace are shown.
static DEPTH: AtomicU32 = AtomicU32::new(DEFAULT_DEPTH);

/// As many as asyncio keeps.
pub const DEFAULT_DEPTH: u32 = 10;

/// How many of the user's frames of a backtrace are shown: 10 unless set.
pub fn depth() -> u32 {
    DEPTH.load(Ordering::Relaxed)
}

/// Sets how many of the user's frames of a backtrace are shown.
pub fn set_depth(frames: u32) {
    DEPTH.store(frames, Ordering::Relaxed);
}

/// One less than how many tasks and futures of a site are made for one creation backtrace: a power of two, less one.
static BETWEEN: AtomicU64 = AtomicU64::new(DEFAULT_BACKTRACE_EVERY - 1);

/// One creation backtrace is taken for so many tasks and futures of a site.
pub const DEFAULT_BACKTRACE_EVERY: u64 = 256;

/// Sets of how many tasks and futures of a site one has a creation backtrace of its own, in debug and past the first
/// eight of each thread: 256 unless set; 1: each. Rounded up to a power of two. The others show the site's first.
pub fn set_backtrace_every(every: u32) {
    let every = u64::from(every.max(1)).next_power_of_two();
    BETWEEN.store(every - 1, Ordering::Relaxed);
}

/// Whether the so-manieth of its site has a creation backtrace of its own.
#[inline]
pub(crate) fn has_backtrace(created: u64) -> bool {
    created & BETWEEN.load(Ordering::Relaxed) == 0
}

/// Whether findings of one site are put together: every one of them is told in full where not.
static DEDUPE: AtomicBool = AtomicBool::new(true);

/// Whether findings of one kind and site become one record: yes, unless set.
pub fn dedupes() -> bool {
    DEDUPE.load(Ordering::Relaxed)
}

/// Says whether findings of one kind and site become one record.
pub fn set_dedupe(on: bool) {
    DEDUPE.store(on, Ordering::Relaxed);
}

/// Whether each finding is told, not just the first of its site and samples.
#[inline]
pub(crate) fn is_told_in_full() -> bool {
    !dedupes() || crate::scope::is_used()
}

/// From how many nanoseconds on a finished poll is told of.
#[inline]
pub(crate) fn note_ns() -> u64 {
    NOTE_NS.load(Ordering::Relaxed)
}

/// What the environment says of the level.
///
/// `POLLSCOPE=off|quiet|debug` wins over `POLLSCOPE_DEBUG`, where "0", "false", "off" and "" mean nothing was
/// said, and anything else means debug (asyncio takes "0" for on; we do not).
///
/// # Errors
/// `POLLSCOPE` holds something else.
pub fn from_env(lookup: impl Fn(&str) -> Option<String>) -> Result<Option<Level>, UnknownLevel> {
    match lookup("POLLSCOPE").as_deref().map(str::trim) {
        None | Some("") => {}
        Some(text) => return text.parse().map(Some),
    }
    Ok(match lookup("POLLSCOPE_DEBUG").as_deref().map(str::trim) {
        None | Some("" | "0" | "false" | "off") => None,
        Some(_) => Some(Level::Debug),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> Result<Option<Level>, UnknownLevel> {
        from_env(|key| {
            pairs
                .iter()
                .find(|(k, _)| *k == key)
                .map(|(_, v)| (*v).to_owned())
        })
    }

    #[test]
    fn the_environment_decides_as_documented() {
        assert_eq!(env(&[]), Ok(None));
        assert_eq!(env(&[("POLLSCOPE", "debug")]), Ok(Some(Level::Debug)));
        assert_eq!(env(&[("POLLSCOPE", " Off ")]), Ok(Some(Level::Off)));
        assert_eq!(env(&[("POLLSCOPE_DEBUG", "1")]), Ok(Some(Level::Debug)));
        for no in ["0", "", "false", "off"] {
            assert_eq!(env(&[("POLLSCOPE_DEBUG", no)]), Ok(None), "{no:?}");
        }
        assert_eq!(
            env(&[("POLLSCOPE", "quiet"), ("POLLSCOPE_DEBUG", "1")]),
            Ok(Some(Level::Quiet))
        );
        let wrong = env(&[("POLLSCOPE", "abc")]).expect_err("not a level");
        assert_eq!(
            wrong.to_string(),
            "unknown level \"abc\": use off, quiet or debug"
        );
    }
}

//! How pollscope is started and set: the first spawn or runtime starts it, and a program may say more.

use std::time::Duration;

pub use crate::capture::Level;
pub use crate::capture::exception::Context;
use crate::capture::level::{self, Source};
use crate::capture::registry;

#[cfg(feature = "serve")]
pub use pollscope_agent::{LogLevel, Rights, Settings};

#[cfg(feature = "capture")]
pub(crate) mod aborts;
pub(crate) mod ids;
#[cfg(feature = "capture")]
mod misuse;
#[cfg(any(feature = "serve", test))]
mod version;

use crate::runtime::known::Registration;

/// Says what the capture needs to know of Tokio, and starts it, once. One load after that.
#[inline]
pub(crate) fn ensure_started() {
    #[cfg(feature = "capture")]
    if !registry::is_started() {
        start();
    }
}

#[cfg(feature = "capture")]
#[cold]
#[inline(never)]
fn start() {
    registry::set_task_id(ids::of_current_task);
    registry::set_abort(aborts::abort);
    registry::set_unlist(aborts::forget);
    registry::set_misuse(misuse::of_panic);
    aborts::read_env();
    #[cfg(feature = "serve")]
    {
        let tokio_version = version::of_tokio();
        pollscope_agent::configure(Settings {
            tokio_version,
            ..Settings::default()
        });
        registry::set_starter(pollscope_agent::start);
    }
    registry::start();
}

/// Says how the agent is to run, before it starts: it wins over the environment. Of two calls the first holds.
///
/// Once the agent runs, only the log level and the slow-poll threshold still change.
#[cfg(feature = "serve")]
pub fn configure(settings: Settings) {
    if let Some(rights) = settings.rights {
        aborts::say(rights == Rights::Abort);
    }
    pollscope_agent::configure(settings);
}

/// Sets what is called of what went wrong unseen: lost errors and panics, panics of callbacks and at shutdown, tasks
/// destroyed while pending. `None`: they go to the log again. Nothing is ever called without feature `serve`.
///
/// As asyncio's `set_exception_handler`. The handler is called on pollscope's log thread and in place of the log: one
/// that blocks holds up the log, never the program. It is called when a line would be logged (the first of each site,
/// then at tenfold counts and once a minute: see [`Context::count`]; each, where `dedupe` is off), at every log level.
/// One that panics is caught, and the context is logged with the words "unhandled error in exception handler". What it
/// does wrong itself is not told to it: there is no recursion.
///
/// ```
/// use pollscope_tokio::setup::{Context, default_exception_handler, set_exception_handler};
///
/// set_exception_handler(Some(|context: &Context| {
///     if context.exception.as_deref() != Some("connection reset") {
///         default_exception_handler(context);
///     }
/// }));
/// set_exception_handler(None::<fn(&Context)>);
/// ```
pub fn set_exception_handler<F>(handler: Option<F>)
where
    F: Fn(&Context) + Send + Sync + 'static,
{
    #[cfg(feature = "serve")]
    pollscope_agent::set_exception_handler(handler.map(|handler| Box::new(handler) as _));
    #[cfg(not(feature = "serve"))]
    drop(handler);
}

/// What is done with a context where no handler is set: it is logged. To be called from within a handler.
pub fn default_exception_handler(context: &Context) {
    #[cfg(feature = "serve")]
    pollscope_agent::default_exception_handler(context);
    #[cfg(not(feature = "serve"))]
    let _ = context;
}

/// Starts pollscope, unless something did. The first spawn or runtime would, too; this is for a program that wants
/// what was found told at its end, and its runtime known by name from the start.
///
/// At level off nothing is started. Takes up to 5 ms.
///
/// ```
/// let _guard = pollscope_tokio::setup::init();
/// ```
#[must_use = "what was found is told when the guard is dropped: keep it until the end of `main`"]
pub fn init() -> Guard {
    ensure_started();
    Guard {
        _runtime: Registration::of_current(),
    }
}

/// Tells what is left to tell when it is dropped, and closes the socket: see [`init`].
#[derive(Debug)]
pub struct Guard {
    _runtime: Option<Registration>,
}

impl Drop for Guard {
    fn drop(&mut self) {
        #[cfg(feature = "serve")]
        if runs() {
            pollscope_agent::close(PATIENCE);
        }
    }
}

/// Tells what was found and is not told yet; waits for it, half a second at most. Nothing without feature `serve`.
///
/// After it, right after the start too, the socket to attach to is there, if one could be opened in that time.
pub fn flush() {
    #[cfg(feature = "serve")]
    if runs() {
        pollscope_agent::flush(PATIENCE);
    }
}

/// A blocking subscriber must not keep a program from ending.
#[cfg(feature = "serve")]
const PATIENCE: Duration = Duration::from_millis(500);

#[cfg(feature = "serve")]
fn runs() -> bool {
    registry::is_started() && level() != Level::Off
}

/// The level in force.
pub fn level() -> Level {
    level::level()
}

/// Switches between debug and quiet while the program runs. What runs already is timed from its next poll on.
///
/// False, and no change, where the level was off at the first use: nothing was started that could measure.
pub fn set_debug(on: bool) -> bool {
    let set = level::set_level(if on { Level::Debug } else { Level::Quiet }, Source::Code);
    // The watchdog's next round may be a second off in quiet.
    #[cfg(feature = "serve")]
    if set && runs() {
        pollscope_agent::level_changed();
    }
    set
}

/// Sets from how long on a poll is slow: 100 ms unless set. Zero: every poll; `None`: none.
///
/// It holds from the end of the polls that run now.
pub fn set_slow_poll(threshold: Option<Duration>) {
    let ns = threshold.map_or(u64::MAX, |threshold| {
        u64::try_from(threshold.as_nanos()).unwrap_or(u64::MAX)
    });
    // The environment is read at the start: what the program says comes after, and wins.
    ensure_started();
    level::set_slow_poll_ns(ns);
}

/// What a builder, or an attribute's argument, says of how findings are shown and logged.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said {
    pub(crate) depth: Option<u32>,
    pub(crate) backtrace_every: Option<u32>,
    pub(crate) dedupe: Option<bool>,
    pub(crate) log: Option<String>,
}

/// Takes over what was said: it beats the environment.
#[cfg_attr(
    not(feature = "serve"),
    expect(clippy::unnecessary_wraps, reason = "as with the feature")
)]
pub(crate) fn say(said: &Said) -> std::io::Result<()> {
    #[cfg(feature = "serve")]
    {
        let log = said.log.as_deref().map(str::parse).transpose();
        pollscope_agent::configure(Settings {
            depth: said.depth,
            backtrace_every: said.backtrace_every,
            dedupe: said.dedupe,
            log: log.map_err(std::io::Error::other)?,
            ..Settings::default()
        });
    }
    #[cfg(not(feature = "serve"))]
    let _ = (said.depth, said.backtrace_every, said.dedupe, &said.log);
    Ok(())
}

/// What a builder, or an attribute's argument, says of what is not tolerated.
#[cfg_attr(
    not(feature = "serve"),
    expect(clippy::unnecessary_wraps, reason = "as with the feature")
)]
pub(crate) fn say_deny(kinds: &str) -> std::io::Result<()> {
    #[cfg(feature = "serve")]
    {
        let deny = kinds.parse().map_err(std::io::Error::other)?;
        pollscope_agent::configure(Settings {
            deny: Some(deny),
            ..Settings::default()
        });
    }
    #[cfg(not(feature = "serve"))]
    let _ = kinds;
    Ok(())
}

/// What a builder, or an attribute's argument, says of the level: it beats the environment.
///
/// `false` does not switch on what the environment switched off.
pub(crate) fn say_debug(on: bool) {
    let env = || {
        level::from_env(|key| std::env::var(key).ok())
            .ok()
            .flatten()
    };
    if on {
        level::set_level(Level::Debug, Source::Explicit);
    } else if level() != Level::Off && (registry::is_started() || env() != Some(Level::Off)) {
        level::set_level(Level::Quiet, Source::Explicit);
    }
}

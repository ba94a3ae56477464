//! How the agent starts, and what the program can ask of it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use pollscope_capture::level::{self, Level};
use pollscope_capture::{registry, stack};

use crate::config::{LogLevel, Settings};
use crate::finding::Finding;
use crate::state::Agent;
use crate::{collector, emit, ours, policy, serve, spans, summary, sys, watchdog};

static SETTINGS: Mutex<Option<Settings>> = Mutex::new(None);
static AGENT: OnceLock<Arc<Agent>> = OnceLock::new();

/// Says how the agent is to run, before it starts: what was said first holds, and all of it wins over the
/// environment. Once it runs, only the log level, the threshold, the
/// depth of backtraces and whether findings are put together still change.
pub fn configure(settings: Settings) {
    let mut said = SETTINGS.lock().unwrap_or_else(PoisonError::into_inner);
    if AGENT.get().is_some() {
        apply(&settings);
        return;
    }
    let before = said.take().unwrap_or_default();
    *said = Some(before.or(settings));
}

/// Starts the agent: collector and server, watchdog and emitter, each on a thread of its own.
///
/// In a process that a test runner made for one test nobody attaches, and mostly nobody asks what was found: there the
/// threads begin when somebody does. What is flushed before that is collected by whoever flushes.
///
/// Returns at once; never panics. A second call does nothing. Called by `pollscope-tokio` at the first use of
/// pollscope, through `pollscope_capture::registry::set_starter`.
pub fn start() {
    static STARTED: AtomicBool = AtomicBool::new(false);
    if STARTED.swap(true, Ordering::AcqRel) {
        return;
    }
    ours::guarded(|| {
        let (environment, complaints) = Settings::from_env(|name| std::env::var(name).ok());
        let said = SETTINGS
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
            .unwrap_or_default();
        let settings = said.or(environment);
        apply(&settings);
        stack::init();
        spans::install();
        let waits = policy::is_alone() && !asks(&settings);
        let agent = Arc::new(Agent::new(settings));
        let _ = AGENT.set(Arc::clone(&agent));
        if waits {
            emit::start_here();
        } else {
            begin(&agent);
        }
        for complaint in complaints {
            emit::note(LogLevel::Warn, complaint);
        }
        sys::at_exit(last_words);
        // It ends by a signal, whatever was found.
        registry::set_last_words(|| last_words(Some(libc::SIGABRT)));
    });
}

/// Whether anything is wanted that takes threads of our own.
fn asks(settings: &Settings) -> bool {
    let denies = settings.deny.as_ref().is_some_and(|deny| !deny.is_none());
    denies
        || settings.bind.is_some()
        || settings.socket == Some(true)
        || level::level() == Level::Debug
}

/// Somebody wants to know what goes wrong from now on: the threads begin, if they wait for that.
pub fn attend() {
    if let Some(agent) = running() {
        ours::guarded(|| begin(agent));
    }
}

/// Begins the threads, once.
fn begin(agent: &Arc<Agent>) {
    if agent.begun.swap(true, Ordering::AcqRel) {
        return;
    }
    emit::start();
    let (collecting, watching) = (Arc::clone(agent), Arc::clone(agent));
    let started = ours::spawn("pollscope", move || collect(&collecting))
        // The signals of the program are blocked there once it is known which are free.
        && ours::spawn_open("pollscope-dog", move || watchdog::run(&watching));
    if !started {
        emit::note(
            LogLevel::Warn,
            "no room for another thread: pollscope does not watch this program",
        );
    }
}

/// What takes effect at once.
fn apply(settings: &Settings) {
    if let Some(log) = settings.log {
        emit::set_level(log);
    }
    if let Some(depth) = settings.depth {
        level::set_depth(depth);
    }
    if let Some(every) = settings.backtrace_every {
        level::set_backtrace_every(every);
    }
    if let Some(dedupe) = settings.dedupe {
        level::set_dedupe(dedupe);
    }
    if let Some(slow_poll) = settings.slow_poll {
        level::set_slow_poll_ns(u64::try_from(slow_poll.as_nanos()).unwrap_or(u64::MAX));
    }
}

/// Says that the level was changed: what it asks for begins now and not at the next round, up to a second later.
pub fn level_changed() {
    if let Some(agent) = running() {
        if level::level() == Level::Debug {
            ours::guarded(|| begin(agent));
        }
        agent.nudge();
    }
}

/// The thread of collector and server.
fn collect(agent: &Arc<Agent>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => runtime.block_on(async {
            // Before the first round: whoever has flushed can be attached to.
            serve::start(agent).await;
            collector::run(Arc::clone(agent)).await;
        }),
        Err(error) => emit::note(
            LogLevel::Warn,
            format!("pollscope does not collect: {error}"),
        ),
    }
}

/// Waits until everything that was told so far is in the table and in the log, or the time is over.
///
/// The socket is open by then, where one can be opened: also right after the start.
///
/// Does nothing before the start and in a forked child. Takes some milliseconds, mostly.
pub fn flush(timeout: Duration) {
    if running().is_none() {
        return;
    }
    let deadline = Instant::now() + timeout;
    flush_table(timeout);
    emit::flush(deadline.saturating_duration_since(Instant::now()));
}

/// Waits until everything that was told so far is in the table, or the time is over.
pub(crate) fn flush_table(timeout: Duration) {
    let Some(agent) = running() else { return };
    if !agent.begun.load(Ordering::Acquire) {
        ours::guarded(|| agent.collect_here());
        return;
    }
    let (done, settled) = sync_channel(1);
    if agent.flush(done) {
        let _ = settled.recv_timeout(timeout);
    }
}

/// How long the end of the program may wait for what was not logged yet, in all.
const LAST_WORDS: Duration = Duration::from_millis(400);

/// As [`flush`], then removes the socket: the program is about to end, or wants nobody to attach any more.
pub fn close(timeout: Duration) {
    flush(timeout);
    if running().is_some() {
        serve::close();
    }
}

/// What is called at the end of the program, by whichever thread ends it. Waits for nobody but by the clock: that
/// thread may hold any lock of the program's, or be one of ours.
fn last_words(status: Option<i32>) {
    let failed = ours::guarded(|| {
        let Some(agent) = running() else {
            return false;
        };
        let deadline = Instant::now() + LAST_WORDS;
        let left = || deadline.saturating_duration_since(Instant::now());
        flush_table(left() / 2);
        let failed = summary::tell(agent, deadline, status);
        emit::flush(left());
        serve::close();
        failed
    });
    if failed == Some(true) {
        sys::exit_with(1);
    }
}

/// The table of findings as it is now: one entry a kind and site, in the order of their first finding.
///
/// For tests of the program itself; call [`flush`] before. Empty before the start and in a forked child.
pub fn warnings() -> Vec<Finding> {
    running().map_or_else(Vec::new, |agent| {
        agent.state().warnings.all().cloned().collect()
    })
}

/// The agent, where it was started and this is the process that did.
pub(crate) fn running() -> Option<&'static Arc<Agent>> {
    AGENT.get().filter(|_| registry::is_own_process())
}

//! What the collector and the watchdog keep and the server reads.
//!
//! One lock, held briefly: never while a stack is taken, a name resolved or a message sent. Rows of tasks are
//! not here: who wants them scans `pollscope_capture::registry::tasks`.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, TryLockError};
use std::thread::Thread;
use std::time::{Duration, Instant};

use pollscope_capture::clock;
use pollscope_capture::stack::{Capabilities, Options};

use crate::collector::Collector;
use crate::config::Settings;
use crate::detect::slow_poll::SlowPolls;
use crate::detect::timer_late::LateTimers;
use crate::figures::{SelfCost, SiteFigures, ThreadFigures, Totals};
use crate::history::History;
use crate::symbols::Symbols;
use crate::warnings::Warnings;

/// Everything that is shared between our threads.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// When the figures were made, in monotonic nanoseconds; 0: not yet.
    pub(crate) folded_ns: u64,
    /// By number of the site. Those that spawn nothing are there, too: see `SiteFigures::spawns`.
    pub(crate) sites: Vec<SiteFigures>,
    /// The threads that are known now, in the order of their slots.
    pub(crate) threads: Vec<ThreadFigures>,
    pub(crate) totals: Totals,
    pub(crate) self_cost: SelfCost,
    pub(crate) history: History,
    pub(crate) warnings: Warnings,
    /// Polls that are stuck now, and ends that wait for the watchdog's word.
    pub(crate) slow_polls: SlowPolls,
    /// Late timers that wait for the watchdog's word.
    pub(crate) late_timers: LateTimers,
}

/// What our threads have in common.
#[derive(Debug)]
pub(crate) struct Agent {
    pub(crate) settings: Settings,
    /// Monotonic nanoseconds of the start.
    pub(crate) started_ns: u64,
    /// What of live stacks works here: found by the watchdog's first act.
    capabilities: OnceLock<Capabilities>,
    /// Names of frames, where the feature is in: asked for, never waited for under the lock.
    pub(crate) symbols: Symbols,
    state: Mutex<State>,
    /// Streams that are open.
    watchers: AtomicU32,
    /// Whether our threads run: see `start::begin`.
    pub(crate) begun: AtomicBool,
    /// What collects as long as they do not.
    pub(crate) here: Mutex<Collector>,
    /// Wakes the collector: the first watcher came, somebody flushes, or it is time.
    pub(crate) wake: tokio::sync::Notify,
    /// The watchdog, to be woken when the level has changed.
    pub(crate) dog: OnceLock<Thread>,
    /// When the watchdog began its last whole round, in monotonic nanoseconds.
    pub(crate) watched_ns: AtomicU64,
    /// Answered when everything told so far is in the table.
    flushes: Mutex<Vec<SyncSender<()>>>,
}

thread_local! {
    /// See [`waited_ns`].
    static WAITED_NS: Cell<u64> = const { Cell::new(0) };
}

/// How long this thread has waited for the state so far while the process had its CPUs: whoever had it computed. What was
/// waited while nobody of us ran is not counted, because then nobody got any.
pub(crate) fn waited_ns() -> u64 {
    WAITED_NS.try_with(Cell::get).unwrap_or(0)
}

/// Whether a wait was for a thread of this process, which ran meanwhile.
fn is_own(waited_ns: u64, ran_ns: u64) -> bool {
    ran_ns >= waited_ns / 2
}

/// Who can wait for a flush at a time.
const MAX_FLUSHES: usize = 64;

impl Agent {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            settings,
            started_ns: clock::mono_ns(),
            capabilities: OnceLock::new(),
            symbols: Symbols::new(),
            state: Mutex::new(State::default()),
            watchers: AtomicU32::new(0),
            begun: AtomicBool::new(false),
            here: Mutex::default(),
            wake: tokio::sync::Notify::new(),
            dog: OnceLock::new(),
            watched_ns: AtomicU64::new(0),
            flushes: Mutex::default(),
        }
    }

    /// The state, locked. Do nothing slow with it.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        match self.state.try_lock() {
            Ok(state) => return state,
            // A panic of ours under the lock leaves figures half made: the next round makes them anew.
            Err(TryLockError::Poisoned(state)) => return state.into_inner(),
            Err(TryLockError::WouldBlock) => {}
        }
        let (begun, cpu_ns) = (clock::mono_ns(), clock::process_cpu_ns());
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = clock::mono_ns().saturating_sub(begun);
        if is_own(waited, clock::process_cpu_ns().saturating_sub(cpu_ns)) {
            // Of a thread that ends nobody asks any more.
            let _ = WAITED_NS.try_with(|sum| sum.set(sum.get() + waited));
        }
        state
    }

    /// The state, unless nobody gives it back until then: at the end of the program, when its last thread may be one
    /// that holds it.
    pub(crate) fn state_by(&self, deadline: Instant) -> Option<MutexGuard<'_, State>> {
        loop {
            match self.state.try_lock() {
                Ok(state) => return Some(state),
                Err(TryLockError::Poisoned(state)) => return Some(state.into_inner()),
                Err(TryLockError::WouldBlock) if Instant::now() >= deadline => return None,
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(1)),
            }
        }
    }

    /// Which ways of taking a live stack may be used: for `Live::new`, one for each thread that takes any.
    pub(crate) fn live_options(&self) -> Options {
        Options {
            peek: self.settings.peek.unwrap_or(true),
            signal: self.settings.signal.unwrap_or(true),
        }
    }

    /// What of live stacks works here; nothing, for the first milliseconds.
    pub(crate) fn capabilities(&self) -> Capabilities {
        self.capabilities.get().cloned().unwrap_or_default()
    }

    pub(crate) fn set_capabilities(&self, found: Capabilities) {
        let _ = self.capabilities.set(found);
    }

    /// The level has changed: nobody waits for the next round of the old one.
    pub(crate) fn nudge(&self) {
        if let Some(dog) = self.dog.get() {
            dog.unpark();
        }
        self.wake.notify_one();
    }

    /// Asks the collector for a round; `done` is answered after it. False where too many wait.
    pub(crate) fn flush(&self, done: SyncSender<()>) -> bool {
        let mut flushes = self.flushes.lock().unwrap_or_else(PoisonError::into_inner);
        if flushes.len() >= MAX_FLUSHES {
            return false;
        }
        flushes.push(done);
        self.wake.notify_one();
        true
    }

    /// Those who wait, once.
    pub(crate) fn take_flushes(&self) -> Vec<SyncSender<()>> {
        std::mem::take(&mut *self.flushes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether anybody looks.
    pub(crate) fn is_watched(&self) -> bool {
        self.watchers.load(Ordering::Relaxed) > 0
    }

    /// Notes a viewer: while the guard lives the figures are made every 100 ms and carry histograms.
    pub(crate) fn watch(self: &Arc<Self>) -> Watcher {
        if self.watchers.fetch_add(1, Ordering::Relaxed) == 0 {
            self.wake.notify_one();
        }
        Watcher(Arc::clone(self))
    }
}

/// One viewer: see `Agent::watch`.
#[derive(Debug)]
pub(crate) struct Watcher(Arc<Agent>);

impl Drop for Watcher {
    fn drop(&mut self) {
        self.0.watchers.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_for_whoever_computes_with_the_state_is_counted() {
        let agent = Agent::new(Settings::default());
        let wait = || {
            let held = agent.state();
            std::thread::scope(|scope| {
                let waits = scope.spawn(|| {
                    drop(agent.state());
                    let waited = waited_ns();
                    drop(agent.state());
                    assert_eq!(waited_ns(), waited, "that one was free");
                    waited
                });
                let computed = clock::process_cpu_ns();
                while clock::process_cpu_ns() - computed < 20_000_000 {
                    std::hint::spin_loop();
                }
                drop(held);
                waits.join().expect("it only waits")
            })
        };
        // Where others have the CPUs it may take a few.
        let begun = Instant::now();
        while wait() == 0 {
            assert!(begun.elapsed() < Duration::from_secs(20), "never counted");
        }
        assert_eq!(waited_ns(), 0, "another thread's");
    }

    #[test]
    fn a_wait_in_which_nobody_ran_is_not() {
        assert!(is_own(100, 100) && is_own(100, 50));
        assert!(!is_own(100, 49) && !is_own(100, 0));
    }
}

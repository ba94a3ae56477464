//! The watchdog: finds polls that hang, and workers that are held, while they are.
//!
//! It comes round every 10 ms in debug, sooner where a poll is about to reach the threshold, and once a second in
//! quiet. A round reads a few words of each thread; only
//! where one hangs does it look closer: at the scheduler state, at the stack, at whom it keeps waiting. That is done
//! without any lock held; the table is locked when there is something to say.

mod budget;
mod lateness;
mod others;
mod polls;
mod pools;
mod turns;
mod waiting;
mod workers;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use pollscope_capture::level::{self, Level};
use pollscope_capture::stack::{Activity, Live, LiveStack, Missed, ThreadHandle};
use pollscope_capture::{clock, pulse, registry, thread};

use crate::detect::gaps::Gap;
use crate::state::Agent;
use crate::{emit, ours, sys};

use lateness::Lateness;
use others::Others;
use polls::Polls;
use pools::Pools;
use turns::Turns;
use waiting::Waiting;
use workers::Workers;

const DEBUG: Duration = Duration::from_millis(10);
const QUIET: Duration = Duration::from_secs(1);
/// However soon something is due: many polls must not keep it awake.
const SHORTEST: Duration = Duration::from_millis(1);
/// A thread that runs gives its stack within a few ticks of the clock. One that lets the watchdog wait for longer got no
/// CPU, and what the others did meanwhile nobody saw.
const HELD_UP_NS: u64 = 30_000_000;
/// At rest the collector comes round after so many rounds of the watchdog.
const COLLECT_EVERY: u64 = 2;

/// Goes round until the process ends.
pub(crate) fn run(agent: &Arc<Agent>) {
    // Before our signals are blocked: what is blocked here would count as taken by the program.
    let mut live = Live::new(agent.live_options());
    if let Some(found) = ours::guarded(|| live.self_test()) {
        if !found.why_not.is_empty() {
            emit::note(
                crate::LogLevel::Info,
                format!("live stacks: {}", found.why_not),
            );
        }
        agent.set_capabilities(found);
    }
    sys::block_signals();
    let mut dog = Watchdog::new(Arc::clone(agent), live);
    let _ = agent.dog.set(std::thread::current());
    let (mut rounds, mut due_in) = (0_u64, DEBUG);
    while registry::is_own_process() {
        let pause = if is_quiet() { QUIET } else { due_in };
        std::thread::park_timeout(pause);
        // Asked again: a change of the level ends the pause.
        let quiet = is_quiet();
        due_in = ours::guarded(|| dog.round(pause, quiet))
            .unwrap_or(DEBUG)
            .clamp(SHORTEST, DEBUG);
        rounds += 1;
        if quiet && rounds.is_multiple_of(COLLECT_EVERY) {
            agent.wake.notify_one();
        }
    }
}

fn is_quiet() -> bool {
    level::level() != Level::Debug
}

/// What a round brings along.
struct Round<'a> {
    agent: &'a Arc<Agent>,
    live: &'a mut Live,
    waiting: &'a mut Waiting,
    others: &'a mut Others,
    threshold_ns: u64,
    quiet: bool,
    /// In how many nanoseconds the next poll is due, of those that last.
    due_in: u64,
    /// Nanoseconds that went by while stacks were taken: some wait for a tick of the clock.
    taking_ns: u64,
}

impl Round<'_> {
    /// Takes the stack of a thread, if it is `still` where it was found.
    fn capture(
        &mut self,
        handle: &ThreadHandle,
        still: impl FnMut() -> bool,
    ) -> Result<LiveStack, Missed> {
        let begun = clock::mono_ns();
        let taken = self.live.capture(handle, still);
        let ended = clock::mono_ns();
        let taking_ns = ended.saturating_sub(begun);
        self.taking_ns += taking_ns;
        if taking_ns >= HELD_UP_NS {
            self.agent.state().slow_polls.gap(Gap {
                from_ns: begun,
                to_ns: ended,
                why: Activity::Descheduled,
            });
        }
        taken
    }
}

/// What is kept from one round to the next.
struct Watchdog {
    agent: Arc<Agent>,
    live: Live,
    lateness: Lateness,
    polls: Polls,
    workers: Workers,
    pools: Pools,
    turns: Turns,
    waiting: Waiting,
    others: Others,
}

impl Watchdog {
    fn new(agent: Arc<Agent>, live: Live) -> Self {
        Self {
            agent,
            live,
            lateness: Lateness::new(),
            polls: Polls::default(),
            workers: Workers::default(),
            pools: Pools::default(),
            turns: Turns::default(),
            waiting: Waiting::default(),
            others: Others::default(),
        }
    }

    /// One round after a pause. In how long the next should be, if that is soon.
    fn round(&mut self, pause: Duration, quiet: bool) -> Duration {
        let now_ns = clock::mono_ns();
        let gap = self.lateness.judge(now_ns, pause);
        if level::level() == Level::Off {
            return QUIET;
        }
        if !quiet {
            pulse::beat();
        }
        if let Some(gap) = gap {
            // Where it was the watchdog alone that did not run, nobody can say what the polls did meanwhile.
            self.polls.lose(gap.to_ns - gap.from_ns);
            if gap.held_all() {
                self.workers.lose();
            }
            self.agent.state().slow_polls.gap(gap);
        }
        self.waiting.forget();
        let threshold_ns = level::slow_poll_ns();
        let mut round = Round {
            agent: &self.agent,
            live: &mut self.live,
            waiting: &mut self.waiting,
            others: &mut self.others,
            threshold_ns,
            quiet,
            due_in: u64::MAX,
            taking_ns: 0,
        };
        for thread in thread::all() {
            self.polls.see(&mut round, thread);
            self.workers.see(&mut round, thread);
            self.turns.see(&round, thread);
        }
        let due_in = Duration::from_nanos(round.due_in);
        let taking_ns = round.taking_ns;
        self.workers.settle_late(&self.agent, now_ns);
        let looked = self.pools.see(&self.agent, now_ns, threshold_ns)
            | self.turns.look(&self.agent, now_ns, threshold_ns);
        self.agent.watched_ns.store(now_ns, Ordering::Release);
        if std::mem::take(&mut self.workers.said) || looked {
            self.agent.log_due();
        }
        self.lateness.round_is_over(taking_ns);
        due_in
    }
}

//! The watchdog: finds polls that hang, and workers that are held, while they are.
//!
//! It comes round every 10 ms in debug and once a second in quiet. A round reads a few words of each thread; only
//! where one hangs does it look closer: at the scheduler state, at the stack, at whom it keeps waiting. That is done
//! without any lock held; the table is locked when there is something to say.

mod lateness;
mod waiting;
mod workers;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use pollscope_capture::level::{self, Level};
use pollscope_capture::record::Snapshot;
use pollscope_capture::stack::{self, End, Live, ThreadHandle};
use pollscope_capture::thread::{self, Now, Role, Thread};
use pollscope_capture::{TaskKind, clock, names, registry};

use crate::detect::poll_watch::{Due, PollWatch};
use crate::detect::slow_poll::{PollKey, Sighting};
use crate::finding::ThreadName;
use crate::state::{Agent, State};
use crate::{emit, ours, sys};

use lateness::Lateness;
use waiting::Waiting;
use workers::Workers;

const DEBUG: Duration = Duration::from_millis(10);
const QUIET: Duration = Duration::from_secs(1);
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
    let mut rounds = 0_u64;
    while registry::is_own_process() {
        let pause = if is_quiet() { QUIET } else { DEBUG };
        let before = clock::mono_ns();
        std::thread::park_timeout(pause);
        // Asked again: a change of the level ends the pause.
        let quiet = is_quiet();
        ours::guarded(|| dog.round(before, pause, quiet));
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
    threshold_ns: u64,
    quiet: bool,
}

/// What is kept from one round to the next.
struct Watchdog {
    agent: Arc<Agent>,
    live: Live,
    lateness: Lateness,
    /// By slot of the thread.
    polls: Vec<Option<PollWatch>>,
    workers: Workers,
    waiting: Waiting,
}

impl Watchdog {
    fn new(agent: Arc<Agent>, live: Live) -> Self {
        Self {
            agent,
            live,
            lateness: Lateness::new(),
            polls: Vec::new(),
            workers: Workers::default(),
            waiting: Waiting::default(),
        }
    }

    /// One round after a pause that began at `before`.
    fn round(&mut self, before: u64, pause: Duration, quiet: bool) {
        let now_ns = clock::mono_ns();
        if level::level() == Level::Off {
            return;
        }
        if let Some(gap) = self.lateness.judge(before, now_ns, pause) {
            if gap.held_all() {
                for watch in self.polls.iter_mut().flatten() {
                    watch.lose(gap.to_ns - gap.from_ns);
                }
                self.workers.lose();
            }
            self.agent.state().slow_polls.gap(gap);
        }
        self.waiting.forget();
        let threshold_ns = level::slow_poll_ns();
        for thread in thread::all() {
            self.poll(thread, threshold_ns, quiet);
            let mut round = Round {
                agent: &self.agent,
                live: &mut self.live,
                waiting: &mut self.waiting,
                threshold_ns,
                quiet,
            };
            self.workers.see(&mut round, thread);
        }
        self.workers.settle_late(&self.agent, now_ns);
        self.agent.watched_ns.store(now_ns, Ordering::Release);
        if std::mem::take(&mut self.workers.said) {
            self.agent.log_due();
        }
    }

    fn poll(&mut self, thread: &'static Thread, threshold_ns: u64, quiet: bool) {
        let slot = thread.number() as usize;
        if self.polls.len() <= slot {
            self.polls.resize_with(slot + 1, || None);
        }
        let now = match thread.role() {
            // Our own threads are our own business.
            Role::Ours => None,
            _ if thread.tid() == 0 => None,
            // A closure of the blocking pool may block, also in a `block_on` of its own. A worker that gave its core
            // away counts as one of the pool until it parks: what it polls is watched all the same.
            Role::Blocking => thread.now().filter(|now| !is_block_on(now)),
            _ => thread.now(),
        };
        let now_ns = clock::mono_ns();
        let key = now.map(|now| PollKey {
            slot: slot as u32,
            seq: now.seq,
            start: now.start,
        });
        let same =
            matches!((&self.polls[slot], &key), (Some(watch), Some(key)) if watch.key.is(key));
        if !same {
            self.over(slot, now_ns);
            self.polls[slot] =
                key.map(|key| PollWatch::new(key, now_ns, clock::thread_cpu_ns(thread.tid())));
        }
        let (Some(now), Some(watch)) = (now, &mut self.polls[slot]) else {
            return;
        };
        // After a poll within the poll, its number is another.
        watch.key.seq = now.seq;
        watch.last_ns = now_ns;
        let elapsed = watch.elapsed(now_ns);
        match watch.due(elapsed, threshold_ns, quiet) {
            Due::Nothing => {}
            Due::Sample => watch.sample = thread.handle().map(|handle| handle.sample()),
            Due::Look => self.look(thread, now, threshold_ns, quiet),
            Due::Renew => self.renew(thread, now, threshold_ns),
        }
    }

    /// A poll that was reported is over.
    fn over(&mut self, slot: usize, now_ns: u64) {
        let Some(watch) = self.polls[slot].take_if(|watch| watch.reported) else {
            return;
        };
        let mut state = self.agent.state();
        let State {
            warnings,
            slow_polls,
            ..
        } = &mut *state;
        // When it ended is not known; that it was there a round ago is.
        slow_polls.ended(warnings, &watch.key, now_ns, watch.elapsed(watch.last_ns));
        drop(state);
        self.agent.log_due();
    }

    /// Looks closer at a poll that hangs, and reports it.
    fn look(&mut self, thread: &'static Thread, now: Now, threshold_ns: u64, quiet: bool) {
        let Some(task) = now.record.read() else {
            return;
        };
        let Some(watch) = self
            .polls
            .get_mut(thread.number() as usize)
            .and_then(Option::as_mut)
        else {
            return;
        };
        let handle = thread.handle();
        let taken = handle
            .as_deref()
            .map(|handle| take(&mut self.live, thread, handle, now.seq));
        let at_ns = clock::mono_ns();
        if thread.seq() != now.seq {
            // Over meanwhile, or in a poll within: the next round knows.
            return;
        }
        let before = watch.sample;
        let (stack, truncated, sample) = taken.unwrap_or_default();
        let verdict = sample.map(|sample| stack::judge(&before.unwrap_or(sample), &sample));
        watch.sample = sample.or(before);
        let elapsed = watch.elapsed(at_ns);
        let mut sighting = sighting(thread, &now, &task, watch, at_ns, elapsed, threshold_ns);
        if let Some(verdict) = verdict {
            sighting.judge(verdict);
        }
        sighting.stack = stack;
        sighting.truncated = truncated;
        sighting.delayed = Some(self.waiting.of(task.runtime));
        let whole = !sighting.stack.is_empty() && before.is_some();
        watch.looked(elapsed, threshold_ns, quiet, whole, sighting.is_excused());
        self.report(sighting);
    }

    fn renew(&mut self, thread: &'static Thread, now: Now, threshold_ns: u64) {
        let Some(task) = now.record.read() else {
            return;
        };
        let Some(watch) = self
            .polls
            .get_mut(thread.number() as usize)
            .and_then(Option::as_mut)
        else {
            return;
        };
        let at_ns = clock::mono_ns();
        let elapsed = watch.elapsed(at_ns);
        let sighting = sighting(thread, &now, &task, watch, at_ns, elapsed, threshold_ns);
        watch.renewed(elapsed);
        if thread.seq() == now.seq {
            self.report(sighting);
        }
    }

    fn report(&self, sighting: Sighting) {
        let mut state = self.agent.state();
        let State {
            warnings,
            slow_polls,
            ..
        } = &mut *state;
        slow_polls.sighted(warnings, sighting);
        drop(state);
        self.agent.log_due();
    }
}

fn is_block_on(now: &Now) -> bool {
    now.record
        .read()
        .is_some_and(|task| task.kind == TaskKind::BlockOn)
}

/// A stack, whether it is cut, and the scheduler state that goes with it.
type Taken = (Arc<[usize]>, bool, Option<stack::Sample>);

/// The stack of a thread, if it is still where it was found, and its scheduler state in any case.
fn take(live: &mut Live, thread: &'static Thread, handle: &ThreadHandle, seq: u64) -> Taken {
    match live.capture(handle, || thread.seq() == seq) {
        Ok(stack) => {
            let truncated = stack.end != End::Root || stack.depth > stack.frames().len();
            (Arc::from(stack.frames()), truncated, Some(stack.sample))
        }
        Err(_) => (Arc::from([]), false, Some(handle.sample())),
    }
}

fn sighting(
    thread: &Thread,
    now: &Now,
    task: &Snapshot,
    watch: &PollWatch,
    at_ns: u64,
    elapsed: u64,
    threshold_ns: u64,
) -> Sighting {
    let cpu = clock::thread_cpu_ns(thread.tid());
    Sighting {
        key: PollKey {
            slot: thread.number(),
            seq: now.seq,
            start: now.start,
        },
        at_ns,
        site: task.site,
        task: task.id,
        task_name: names::get(task.name),
        created: task.stack,
        thread: ThreadName {
            tid: thread.tid(),
            name: thread.name(),
        },
        wall_ns: elapsed,
        threshold_ns,
        cpu_ns: watch
            .cpu_ns
            .zip(cpu)
            .map(|(before, now)| now.saturating_sub(before)),
        verdict: None,
        stack: Arc::from([]),
        truncated: false,
        poll: task.polls(),
        delayed: None,
    }
}

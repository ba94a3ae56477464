//! Polls of our tasks that last: looked at, reported, and seen to be over.
//!
//! A thread may be in several polls at once, one within the other; it shows the innermost. Those around it are kept
//! as long as their tasks say that the same poll runs: a poll that hangs while others come and go within it hangs all
//! the same.

use std::sync::Arc;

use pollscope_capture::record::{Record, Snapshot};
use pollscope_capture::stack::{self, Activity, End, Sample, ThreadHandle, Verdict};
use pollscope_capture::thread::{Now, Role, Thread};
use pollscope_capture::{TaskKind, clock, names, scope};

use crate::detect::poll_watch::{Due, PollWatch};
use crate::detect::slow_poll::{DROP, LongPoll, PollKey, Sighting};
use crate::finding::ThreadName;
use crate::state::{Agent, State};

use super::Round;

/// Polls of one thread, one within the other, that are told apart; the innermost of more is not watched.
const MAX_DEPTH: usize = 16;

/// All polls that are watched.
#[derive(Default)]
pub(super) struct Polls {
    /// By slot of the thread, the outermost first.
    watches: Vec<Vec<Watched>>,
}

struct Watched {
    watch: PollWatch,
    thread: &'static Thread,
    record: &'static Record,
}

impl Watched {
    /// Whether its task is still in that poll.
    fn lasts(&self) -> bool {
        let Some(task) = self.record.read() else {
            return false;
        };
        if self.watch.key.poll != DROP {
            return task.is_polled() && key(&task) == self.watch.key;
        }
        // There is one drop at a time: another task's is shown in its place.
        let other = |now: Now| !std::ptr::eq(now.record, self.record) && !is_polled(now.record);
        self.thread.drops()
            && task.id == self.watch.key.task
            && !self.thread.now().is_some_and(other)
    }
}

/// The poll of a task that runs, or its drop.
fn key(task: &Snapshot) -> PollKey {
    PollKey {
        task: task.id,
        poll: if task.is_polled() { task.polls() } else { DROP },
    }
}

fn is_polled(record: &Record) -> bool {
    record.read().is_some_and(|task| task.is_polled())
}

/// What a thread polls now.
struct Running {
    thread: &'static Thread,
    now: Now,
    task: Snapshot,
}

impl Running {
    fn of(thread: &'static Thread) -> Option<Self> {
        if thread.role() == Role::Ours || thread.tid() == 0 {
            return None;
        }
        let now = thread.now()?;
        let task = now.record.read()?;
        if !task.is_polled() && !thread.drops() {
            return None;
        }
        // A closure of the blocking pool may block, also in a `block_on` of its own. A worker that gave its core away
        // counts as one of the pool until it parks: what it polls is watched all the same.
        let may_block = thread.role() == Role::Blocking && task.kind == TaskKind::BlockOn;
        // The number proves that record and task belong together.
        (!may_block && thread.seq() == now.seq).then_some(Self { thread, now, task })
    }

    fn sighting(&self, watch: &PollWatch, at_ns: u64, threshold_ns: u64) -> Sighting {
        let (thread, task) = (self.thread, &self.task);
        let cpu = clock::thread_cpu_ns(thread.tid());
        Sighting {
            of: LongPoll {
                key: watch.key,
                at_ns,
                site: task.site,
                task_name: names::get(task.name),
                created: task.stack,
                thread: ThreadName {
                    tid: thread.tid(),
                    name: thread.name(),
                },
                belongs: scope::of(thread, task.runtime),
                wall_ns: watch.elapsed(at_ns),
                threshold_ns,
            },
            will_be_told: self.now.start != 0,
            cpu_ns: watch
                .cpu_ns
                .zip(cpu)
                .map(|(before, now)| now.saturating_sub(before)),
            cpu_before_ns: watch.cpu_ns,
            verdict: None,
            stack: Arc::from([]),
            truncated: false,
            delayed: None,
            kept_ns: 0,
            spared: false,
        }
    }
}

impl Polls {
    /// The process did not run for so long: that was not the polls' time.
    pub(super) fn lose(&mut self, ns: u64) {
        for watched in self.watches.iter_mut().flatten() {
            watched.watch.lose(ns);
        }
    }

    /// Looks at one thread.
    pub(super) fn see(&mut self, round: &mut Round<'_>, thread: &'static Thread) {
        let running = Running::of(thread);
        let now_ns = clock::mono_ns();
        let slot = thread.number() as usize;
        if self.watches.len() <= slot {
            if running.is_none() {
                return;
            }
            self.watches.resize_with(slot + 1, Vec::new);
        }
        let watches = &mut self.watches[slot];
        // Inside a blocking region the thread may block.
        let left = thread.is_paused();
        for watched in watches.extract_if(.., |watched| left || !watched.lasts()) {
            over(round, thread, &watched.watch, now_ns);
        }
        let Some(running) = running else { return };
        let key = key(&running.task);
        let known = watches.iter().position(|watched| watched.watch.key == key);
        let at = known.unwrap_or(watches.len());
        if at == MAX_DEPTH {
            return;
        }
        if known.is_none() {
            let cpu_ns = clock::thread_cpu_ns(thread.tid());
            watches.push(Watched {
                watch: PollWatch::new(key, now_ns, cpu_ns),
                thread,
                record: running.now.record,
            });
        }
        let watch = &mut watches[at].watch;
        watch.met(thread.pauses(), running.now.start, now_ns);
        let so_far = watch.elapsed(now_ns);
        if watch.wants_early(so_far)
            && let Some(handle) = thread.handle()
        {
            watch.looked_early(handle.sample(), so_far);
        }
        match watch.due(watch.elapsed(now_ns), round.threshold_ns, round.quiet) {
            Due::Nothing => {}
            Due::Sample => {
                let handle = thread.handle();
                // Of a thread without a handle nothing can be learnt, but that it hangs.
                let sample = handle.map_or_else(Sample::default, |handle| handle.sample());
                watch.sample = Some(sample);
                if may_wait_for_others(&sample) {
                    watch.others = Some(round.others.census());
                }
            }
            Due::Look => look(round, &running, watch),
            Due::Renew => renew(round, &running, watch),
        }
        let due_in = watch.due_in(watch.elapsed(now_ns), round.threshold_ns, round.quiet);
        // What is overdue moved on under our eyes just now: another try has time until the next round.
        if due_in > 0 {
            round.due_in = round.due_in.min(due_in);
        }
    }
}

/// A poll is over: one that was reported is shown so, and of one that was to be looked at next is told what is known.
fn over(round: &mut Round<'_>, thread: &'static Thread, watch: &PollWatch, now_ns: u64) {
    let agent = round.agent;
    if !watch.reported {
        let slow = watch.elapsed(now_ns) >= round.threshold_ns;
        let looked = watch.only_look().filter(|_| slow);
        if let Some((before, handle)) = looked.zip(thread.handle()) {
            let after = handle.sample();
            let verdict = glimpse(round, watch, thread, &before, &after);
            let kept_ns = watch.kept_ns(&after);
            let mut state = agent.state();
            state
                .slow_polls
                .glimpsed(watch.key, verdict, kept_ns, now_ns);
        }
        return;
    }
    let kept_ns = thread
        .handle()
        .map_or(0, |handle| watch.kept_ns(&handle.sample()));
    let mut state = agent.state();
    let State {
        warnings,
        slow_polls,
        ..
    } = &mut *state;
    // When it ended is not known; that it was there a round ago is.
    let wall_ns = watch.elapsed(watch.last_ns);
    slow_polls.ended(warnings, &watch.key, now_ns, wall_ns, kept_ns);
    drop(state);
    agent.log_due();
}

/// What a thread did in a poll that it was seen in once, and that is over.
fn glimpse(
    round: &mut Round<'_>,
    watch: &PollWatch,
    thread: &Thread,
    before: &Sample,
    after: &Sample,
) -> Verdict {
    let verdict = stack::judge_span(before, after);
    // What it slept is in nobody's account: where that is most of the time, it was in what it was seen in.
    let ran_ns = after.run_ns.saturating_sub(before.run_ns);
    let slept = ran_ns < after.at_ns.saturating_sub(before.at_ns) / 2;
    let then = stack::judge(before, before);
    if verdict.activity == Activity::OnCpu && slept && then.activity == Activity::Lock {
        excused(round, watch, thread, after, then)
    } else {
        verdict
    }
}

/// Looks closer at a poll that hangs, and reports it.
fn look(round: &mut Round<'_>, running: &Running, watch: &mut PollWatch) {
    let (thread, seq) = (running.thread, running.now.seq);
    let handle = thread.handle();
    if !watch.reported {
        announce(round, running, watch, handle.as_deref());
    }
    let taken = handle
        .as_deref()
        .map(|handle| take(round, thread, handle, seq));
    let at_ns = clock::mono_ns();
    if thread.seq() != seq {
        // Over meanwhile, or in a poll within: the next round knows.
        return;
    }
    let before = watch.sample;
    let (stack, truncated, sample) = taken.unwrap_or_default();
    watch.sample = sample.or(before);
    let mut sighting = running.sighting(watch, at_ns, round.threshold_ns);
    if let Some(sample) = sample {
        let verdict = stack::judge(&before.unwrap_or(sample), &sample);
        sighting.kept_ns = watch.kept_ns(&sample);
        sighting.judge(excused(round, watch, thread, &sample, verdict));
    }
    sighting.stack = stack;
    sighting.truncated = truncated;
    sighting.delayed = Some(round.waiting.of(running.task.runtime));
    let whole = !sighting.stack.is_empty() && before.is_some();
    watch.looked(
        sighting.of.wall_ns,
        round.threshold_ns,
        round.quiet,
        whole,
        sighting.is_excused(),
    );
    report(round.agent, sighting);
}

/// Whether a thread may have begun to wait for another of the process, or may yet: not where it is in a system call
/// that is no lock.
fn may_wait_for_others(sample: &Sample) -> bool {
    stack::judge(sample, sample).activity != Activity::Syscall
}

/// The verdict on a poll, where it waits for a lock with an eye to whom it may wait for.
fn excused(
    round: &mut Round<'_>,
    watch: &PollWatch,
    thread: &Thread,
    now: &Sample,
    verdict: Verdict,
) -> Verdict {
    let Some(before) = watch
        .others
        .as_ref()
        .filter(|_| verdict.activity == Activity::Lock)
    else {
        return verdict;
    };
    let busy_ns = round.threshold_ns.max(1);
    // What the poll took beyond the threshold, apart from what its own thread was kept.
    let own_ns = watch.elapsed(now.at_ns).saturating_sub(watch.kept_ns(now));
    let spare_ns = own_ns.saturating_sub(busy_ns);
    let after = round.others.after(before);
    if before.is_any_starved(&after, thread.tid(), busy_ns, spare_ns) {
        Verdict {
            activity: Activity::LockStarved,
            ..verdict
        }
    } else {
        verdict
    }
}

/// Says of a poll on a thread that runs that it hangs, before its stack is there: that takes a tick of the clock, or
/// several where the thread falls asleep again and again.
fn announce(
    round: &Round<'_>,
    running: &Running,
    watch: &mut PollWatch,
    handle: Option<&ThreadHandle>,
) {
    let now = handle.map(ThreadHandle::sample);
    let Some(now) = now.filter(|now| now.state == stack::State::Runnable) else {
        return;
    };
    let mut sighting = running.sighting(watch, clock::mono_ns(), round.threshold_ns);
    sighting.judge(stack::judge(&watch.sample.unwrap_or(now), &now));
    if running.thread.seq() == running.now.seq {
        watch.reported = true;
        report(round.agent, sighting);
    }
}

fn renew(round: &Round<'_>, running: &Running, watch: &mut PollWatch) {
    let sighting = running.sighting(watch, clock::mono_ns(), round.threshold_ns);
    watch.renewed(sighting.of.wall_ns);
    if running.thread.seq() == running.now.seq {
        report(round.agent, sighting);
    }
}

fn report(agent: &Agent, sighting: Sighting) {
    let mut state = agent.state();
    let State {
        warnings,
        slow_polls,
        ..
    } = &mut *state;
    slow_polls.sighted(warnings, sighting);
    drop(state);
    agent.log_due();
}

/// A stack, whether it is cut, and the scheduler state that goes with it.
type Taken = (Arc<[usize]>, bool, Option<Sample>);

/// The stack of a thread, if it is still where it was found, and its scheduler state in any case.
fn take(round: &mut Round<'_>, thread: &'static Thread, handle: &ThreadHandle, seq: u64) -> Taken {
    match round.capture(handle, || thread.seq() == seq) {
        Ok(stack) => {
            let truncated = stack.end != End::Root || stack.depth > stack.frames().len();
            (Arc::from(stack.frames()), truncated, Some(stack.sample))
        }
        Err(_) => (Arc::from([]), false, Some(handle.sample())),
    }
}

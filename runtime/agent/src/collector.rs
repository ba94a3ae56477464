//! The collector: takes what the threads have to tell, makes findings and figures of it, and keeps the history.
//!
//! It runs on a thread and a Tokio runtime of its own, beside the server, and so answers while every worker of the
//! program is blocked. It comes round every 100 ms while somebody watches or the level is debug. At rest the
//! watchdog wakes it every two seconds: a timer of Tokio's own would wake it twice for each round.

mod suspects;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use pollscope_capture::event::{Event, Family};
use pollscope_capture::level::{self, Level};
use pollscope_capture::thread::{self, Role};
use pollscope_capture::{SiteId, TaskKind, clock, runtimes, site, stack};

use crate::detect::task_leak::Leaks;
use crate::detect::{self, Outcome};
use crate::figures::{SiteFigures, ThreadFigures};
use crate::finding::{Kind, ThreadName};
use crate::fold::{self, Look, SiteLook, ThreadLook};
use crate::history::SiteSecond;
use crate::self_cost::Meter;
use crate::state::{Agent, State};
use crate::warnings::Key;
use crate::{emit, ours};

const SECOND_NS: u64 = 1_000_000_000;
const BUSY: Duration = Duration::from_millis(100);
/// Should the watchdog not be there.
const AT_REST: Duration = Duration::from_secs(60);
/// How long a flush waits for the watchdog's word: longer than it takes where it gets a CPU.
const HEARING: Duration = Duration::from_millis(300);
/// A look may cost a twentieth of the time until the next.
const SHARE: u64 = 20;

/// What is kept from one round to the next.
#[derive(Debug, Default)]
pub(crate) struct Collector {
    meter: Meter,
    /// When the last look was taken, and how long it took.
    looked_ns: u64,
    look_cost_ns: u64,
    /// The last whole second that is in the history.
    second: Option<u64>,
    marks: Vec<Mark>,
    /// Busy time of each site at the last whole second.
    busy_before: Vec<u64>,
    recalibrated_ns: u64,
    leaks: Leaks,
    /// It was said that there are more runtimes than are told apart.
    said_too_many: bool,
}

/// Where a thread stood at the last whole second.
#[derive(Clone, Copy, Debug, Default)]
struct Mark {
    tid: u32,
    at_ns: u64,
    busy_ns: u64,
    /// Time on a CPU so far.
    cpu_ns: Option<u64>,
    ratio: Option<f64>,
}

/// Goes round until the process ends.
pub(crate) async fn run(agent: Arc<Agent>) {
    let mut collector = Collector::default();
    loop {
        let pause = if agent.is_watched() || level::level() == Level::Debug {
            BUSY
        } else {
            AT_REST
        };
        // Either is good: the time is over, or there is a reason to come round.
        let _ = tokio::time::timeout(pause, agent.wake.notified()).await;
        ours::guarded(|| collector.round(&agent));
    }
}

impl Collector {
    /// One round.
    pub(crate) fn round(&mut self, agent: &Agent) {
        let flushes = agent.take_flushes();
        let now_ns = clock::mono_ns();
        let told = drain();
        let waits = agent.state().take_in(&told);
        if waits && !flushes.is_empty() {
            hear_the_watchdog(agent, now_ns);
        }
        let watched_ns = agent.watched_ns.load(Ordering::Acquire);
        agent
            .state()
            .settle(now_ns, watched_ns, !flushes.is_empty());
        // Names are held by events: they are given back without our lock.
        drop(told);
        let watched = agent.is_watched();
        let pause = if watched {
            BUSY.as_nanos() as u64 / 2
        } else {
            SECOND_NS
        };
        let due = now_ns.saturating_sub(self.looked_ns) >= pause.max(self.look_cost_ns * SHARE);
        if due || !flushes.is_empty() {
            self.fold(agent, watched);
        }
        if now_ns.saturating_sub(self.recalibrated_ns) >= SECOND_NS {
            clock::recalibrate();
            // What was loaded meanwhile: no thread of the program's takes the loader's lock for us.
            stack::refresh_modules();
            self.recalibrated_ns = now_ns;
        }
        agent.log_due();
        for flush in flushes {
            let _ = flush.try_send(());
        }
    }

    /// A round on the caller's thread, where there are none of ours: all that was told is settled.
    fn round_here(&mut self, agent: &Agent) {
        let now_ns = clock::mono_ns();
        let told = drain();
        agent.state().take_in(&told);
        agent.state().settle(now_ns, now_ns, true);
        drop(told);
        self.fold(agent, false);
        agent.log_due();
    }

    fn fold(&mut self, agent: &Agent, whole: bool) {
        let look = fold::look(whole);
        if !self.said_too_many && runtimes::refused() > 0 {
            self.said_too_many = true;
            emit::say(&format!(
                "there are more than {} runtimes at a time: what is told by runtime (sched_delay, blocking_pool_full, \
                 pending_destroyed, tasks that are not seen) is not told of those beyond",
                runtimes::MAX
            ));
        }
        let second = look.now_ns.saturating_sub(agent.started_ns) / SECOND_NS;
        let rolled = self.second.map_or(1, |last| second.saturating_sub(last));
        if rolled > 0 {
            self.meter.read(look.now_ns);
            self.mark(&look);
        }
        let now_ns = look.now_ns;
        let due = self.leaks.see(now_ns, &may_leak(&look.sites));
        let suspects = suspects::look(due);
        let mut state = agent.state();
        self.leaks.judge(&mut state.warnings, suspects, now_ns);
        if rolled > 0 {
            state.history.advance(second);
            self.second = Some(second);
        }
        self.sites(&mut state, &look, rolled);
        self.threads(&mut state, &look, rolled);
        let lost = look.totals.dropped_events > 0;
        for (number, found) in look.sites.iter().map(|site| site.found).enumerate() {
            let id = SiteId(number as u32);
            for (kind, found) in detect::counted(&found) {
                let example = |severity| detect::without_example(kind, id, severity, now_ns);
                state
                    .warnings
                    .recount(kind, Key::Site(id), found, lost, example, now_ns);
            }
        }
        state.totals = look.totals;
        state.folded_ns = now_ns;
        let other = state.history.bytes() + state.warnings.bytes() + state.slow_polls.bytes();
        state.self_cost = self.meter.cost(look.tallies, &state.sites, other);
        drop(state);
        self.looked_ns = now_ns;
        self.look_cost_ns = clock::mono_ns().saturating_sub(now_ns);
    }

    fn sites(&mut self, state: &mut State, look: &Look, rolled: u64) {
        let State { sites, history, .. } = state;
        sites.resize_with(look.sites.len().max(sites.len()), SiteFigures::default);
        self.busy_before.resize(sites.len(), 0);
        for (number, (figures, seen)) in sites.iter_mut().zip(&look.sites).enumerate() {
            let live = seen.live();
            let ended = seen.ended.iter().sum::<u64>();
            figures.spawns = seen.spawned > 0 || ended > 0;
            figures.spawned = seen.spawned;
            figures.ended = seen.ended;
            figures.live = live;
            figures.live_peak = figures.live_peak.max(live);
            figures.live_bytes = live * u64::from(site::get(SiteId(number as u32)).future_bytes);
            // A task that ended while we looked is missing once: sums do not go down for that.
            figures.polls = figures.polls.max(seen.polls);
            let busy_ns = figures.busy_ns.unwrap_or(0).max(seen.busy_ns);
            figures.busy_ns =
                (busy_ns > 0 || (fold::is_timed() && figures.spawns)).then_some(busy_ns);
            figures.slow_polls = figures
                .busy_ns
                .map(|_| seen.found[Family::SlowPoll as usize]);
            figures.spreads.clone_from(&seen.spreads);
            let spent_us = (busy_ns - self.busy_before[number].min(busy_ns)) / 1000;
            if let Some(spent_us) = spent_us.checked_div(rolled) {
                self.busy_before[number] = busy_ns;
                let value = SiteSecond {
                    live: u32::try_from(live).unwrap_or(u32::MAX),
                    busy_us: u32::try_from(spent_us).unwrap_or(u32::MAX),
                };
                history.site(number, value, rolled);
                figures.live_per_min = history.change_in_a_minute(number);
            }
        }
    }

    fn threads(&mut self, state: &mut State, look: &Look, rolled: u64) {
        let State {
            threads, history, ..
        } = state;
        threads.clear();
        for seen in &look.threads {
            let mark = self
                .marks
                .get(seen.slot as usize)
                .copied()
                .unwrap_or_default();
            if rolled > 0 {
                let permille = mark.ratio.map_or(0, |ratio| (ratio * 1000.0) as u16);
                history.thread(seen.slot as usize, permille, rolled);
            }
            threads.push(ThreadFigures {
                slot: seen.slot,
                tid: seen.tid,
                name: Arc::clone(&seen.name),
                runtime: seen.runtime,
                role: seen.role,
                busy_ratio: mark.ratio,
                polls: seen.seq.div_ceil(2),
                current_task: seen.current_task,
                current_poll_ns: seen.current_poll_ns,
                doing: seen.doing,
            });
        }
        for (slot, mark) in self.marks.iter().enumerate() {
            if mark.tid == 0 {
                history.forget_thread(slot);
            }
        }
    }

    /// Works out what each thread did since the last whole second, and starts anew.
    fn mark(&mut self, look: &Look) {
        let slots = look
            .threads
            .iter()
            .map(|seen| seen.slot as usize + 1)
            .max()
            .unwrap_or(0);
        self.marks
            .resize(slots.max(self.marks.len()), Mark::default());
        let mut gone: Vec<bool> = vec![true; self.marks.len()];
        for seen in &look.threads {
            gone[seen.slot as usize] = false;
            let mark = &mut self.marks[seen.slot as usize];
            *mark = renewed(mark, seen, look.now_ns);
        }
        for (mark, gone) in self.marks.iter_mut().zip(gone) {
            if gone {
                *mark = Mark::default();
            }
        }
    }
}

/// Waits, not for long, until the watchdog has had a round since `now_ns`: whether a poll that has ended was stopped
/// or got no CPU only the watchdog knows, and whoever flushes wants to know now.
fn hear_the_watchdog(agent: &Agent, now_ns: u64) {
    let is_heard = || agent.watched_ns.load(Ordering::Acquire) >= now_ns;
    let begun = Instant::now();
    while !is_heard() && begun.elapsed() < HEARING {
        if let Some(dog) = agent.dog.get() {
            dog.unpark();
        }
        std::thread::sleep(HEARING / 150);
    }
}

fn renewed(before: &Mark, seen: &ThreadLook, now_ns: u64) -> Mark {
    let mut mark = Mark {
        tid: seen.tid,
        at_ns: now_ns,
        busy_ns: seen.busy_ns,
        cpu_ns: clock::thread_cpu_ns(seen.tid),
        ratio: None,
    };
    if before.tid == seen.tid && now_ns > before.at_ns && seen.role != Role::Ours {
        let polls = fold::is_timed().then(|| seen.busy_ns.saturating_sub(before.busy_ns));
        let cpu = mark.cpu_ns.zip(before.cpu_ns);
        let cpu = cpu.map(|(now, before)| now.saturating_sub(before));
        mark.ratio = busy(now_ns - before.at_ns, polls, cpu);
    }
    mark
}

/// Share of a time in which a thread could do nothing else: inside polls of ours, be they on a CPU or not, or on a CPU
/// with a library's tasks. Where both are known the greater one: most of either is part of the other.
fn busy(span_ns: u64, polls_ns: Option<u64>, cpu_ns: Option<u64>) -> Option<f64> {
    let busy = polls_ns.max(cpu_ns)?;
    Some((busy as f64 / span_ns as f64).clamp(0.0, 1.0))
}

/// Takes out what all threads have to tell. What our own threads tell is about ourselves and goes no further.
fn drain() -> Vec<Event> {
    let mut all = Vec::new();
    for thread in thread::all() {
        thread.drain(|event| {
            if event.teller.role != Role::Ours {
                all.push(event);
            }
        });
    }
    all
}

fn name_of(tid: u32) -> Option<ThreadName> {
    thread::all()
        .find(|thread| thread.tid() == tid)
        .map(|thread| ThreadName {
            tid,
            name: thread.name(),
        })
}

impl State {
    /// Makes findings of what was told. Whether ends of polls, or late timers, wait for the watchdog's word.
    fn take_in(&mut self, told: &[Event]) -> bool {
        for event in told {
            match detect::judge(event, name_of) {
                Outcome::Finding(example) if example.finding.kind == Kind::TimerLate => {
                    self.late_timers.told(*example);
                }
                Outcome::Finding(example) => _ = self.warnings.add(*example),
                Outcome::Poll(end) => self.slow_polls.finished(&mut self.warnings, *end),
            }
        }
        self.slow_polls.is_waiting() || self.late_timers.is_waiting()
    }

    fn settle(&mut self, now_ns: u64, watched_ns: u64, all: bool) {
        self.slow_polls
            .settle(&mut self.warnings, now_ns, watched_ns, all);
        let lost = |from_ns, to_ns| self.slow_polls.lost(from_ns, to_ns);
        self.late_timers
            .settle(&mut self.warnings, lost, now_ns, watched_ns, all);
    }
}

/// How many tasks of each site live, where they may leak. Not of requests: one place makes those of all routes, so what
/// is usual for one of them says nothing of another.
fn may_leak(sites: &[SiteLook]) -> Vec<u64> {
    let live = |(number, look): (usize, &SiteLook)| {
        let is_request = site::get(SiteId(number as u32)).kind == TaskKind::Request;
        if is_request { 0 } else { look.live() }
    };
    sites.iter().enumerate().map(live).collect()
}

impl Agent {
    /// Collects on the caller's thread; whoever comes meanwhile goes without.
    pub(crate) fn collect_here(&self) {
        if let Ok(mut collector) = self.here.try_lock() {
            collector.round_here(self);
        }
    }

    /// Hands the lines that are due to the emitter; without the lock.
    pub(crate) fn log_due(&self) {
        let lines = self.state().warnings.take_lines();
        emit::findings(lines);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_is_busy_in_our_polls_and_on_the_cpu() {
        assert_eq!(
            busy(1_000, Some(400), Some(100)),
            Some(0.4),
            "it slept in a poll"
        );
        assert_eq!(
            busy(1_000, Some(0), Some(900)),
            Some(0.9),
            "a library's tasks"
        );
        assert_eq!(busy(1_000, None, Some(250)), Some(0.25), "quiet");
        assert_eq!(
            busy(1_000, Some(2_000), None),
            Some(1.0),
            "the thread is gone"
        );
        assert_eq!(busy(1_000, None, None), None);
    }
}

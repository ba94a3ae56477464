//! One look over all counters and records: what is summed up of sites, threads and tasks, without any lock held.
//!
//! Counters are read before records: a task that ends between the two is missed for one look, never counted twice.

use std::sync::Arc;

use pollscope_capture::event::Family;
use pollscope_capture::level::{self, Level};
use pollscope_capture::record::{Outcome, Snapshot};
use pollscope_capture::runtimes::RuntimeInfo;
use pollscope_capture::stack::State;
use pollscope_capture::thread::{self, Role, Thread};
use pollscope_capture::{SiteId, TaskKind, clock, registry, runtimes, site, slab};

use crate::figures::{Doing, Spread, Spreads, TaskState, Totals};

/// What one site comes to.
#[derive(Debug, Default)]
pub(crate) struct SiteLook {
    pub(crate) spawned: u64,
    pub(crate) ended: [u64; 5],
    pub(crate) polls: u64,
    pub(crate) busy_ns: u64,
    pub(crate) found: [u64; Family::COUNT],
    pub(crate) spreads: Option<Box<Spreads>>,
}

impl SiteLook {
    /// Tasks that live. Of what is spawned here, less what has ended.
    pub(crate) fn live(&self) -> u64 {
        self.spawned.saturating_sub(self.ended.iter().sum())
    }
}

/// What one thread is seen to do.
#[derive(Debug)]
pub(crate) struct ThreadLook {
    pub(crate) slot: u32,
    pub(crate) tid: u32,
    pub(crate) name: Arc<str>,
    pub(crate) runtime: u16,
    pub(crate) role: Role,
    pub(crate) seq: u64,
    /// Time in polls so far, that of the one that runs included; debug only.
    pub(crate) busy_ns: u64,
    pub(crate) current_task: u64,
    pub(crate) current_poll_ns: Option<u64>,
    pub(crate) doing: Doing,
}

/// All that was seen.
#[derive(Debug, Default)]
pub(crate) struct Look {
    pub(crate) now_ns: u64,
    /// By number of the site.
    pub(crate) sites: Vec<SiteLook>,
    pub(crate) threads: Vec<ThreadLook>,
    pub(crate) totals: Totals,
    /// How many tallies there are.
    pub(crate) tallies: u64,
}

/// Looks over everything. `whole`: with histograms and what idle threads do, for somebody who watches.
pub(crate) fn look(whole: bool) -> Look {
    let mut look = Look {
        now_ns: clock::mono_ns(),
        ..Look::default()
    };
    look.sites
        .resize_with(site::count() as usize, SiteLook::default);
    if whole {
        for site in &mut look.sites {
            site.spreads = Some(Box::default());
        }
    }
    for thread in thread::all() {
        look.totals.dropped_events += thread.lost();
        // Slots without a thread keep what their threads counted.
        add_tallies(&mut look, thread);
        if thread.tid() != 0 {
            look.threads.push(look_at(thread, whole));
        }
    }
    let ticks = clock::ticks();
    let mut in_runtimes = InRuntimes::of(&runtimes::all());
    registry::tasks(|_, task| {
        add_task(&mut look, &task, ticks);
        in_runtimes.count(&task);
    });
    for site in &mut look.sites {
        if let Some(spreads) = &mut site.spreads {
            spreads.scheduled_ns.bound();
            spreads.lifetime_ns.bound();
        }
        look.totals.spawned += site.spawned;
        look.totals.ended += site.ended.iter().sum::<u64>();
        look.totals.polls += site.polls;
    }
    look.totals.dropped_tasks = slab::refused();
    look.totals.uninstrumented = in_runtimes.foreign();
    look
}

fn add_tallies(look: &mut Look, thread: &'static Thread) {
    for (number, sums) in look.sites.iter_mut().enumerate() {
        let Some(tally) = thread.tally(SiteId(number as u32)) else {
            continue;
        };
        look.tallies += 1;
        // Ends first: a task that is spawned and ends meanwhile must not have ended without having been spawned.
        for (sum, counter) in sums.ended.iter_mut().zip(&tally.ended) {
            *sum += counter.get();
        }
        sums.spawned += tally.spawned.get();
        sums.polls += tally.ended_polls.get();
        sums.busy_ns += tally.ended_busy_ns.get();
        for (sum, counter) in sums.found.iter_mut().zip(&tally.found) {
            *sum += counter.get();
        }
        if let Some(spreads) = &mut sums.spreads {
            tally.poll_ns.add_to(&mut spreads.poll_ns.buckets);
            spreads.poll_ns.max = spreads.poll_ns.max.max(tally.max_poll_ns.get());
            tally.scheduled_ns.add_to(&mut spreads.scheduled_ns.buckets);
            tally.lifetime_ns.add_to(&mut spreads.lifetime_ns.buckets);
        }
    }
}

fn add_task(look: &mut Look, task: &Snapshot, ticks: u64) {
    let totals = &mut look.totals;
    let state = TaskState::of(task);
    match state {
        TaskState::Done => {
            totals.done += 1;
            return;
        }
        TaskState::Running => totals.running += 1,
        TaskState::Scheduled => totals.scheduled += 1,
        TaskState::Idle => totals.idle += 1,
        TaskState::Unpolled => totals.unpolled += 1,
    }
    totals.tasks += 1;
    totals.blocking += u64::from(task.kind == TaskKind::Blocking);
    // A site that is younger than the count of sites waits for the next look.
    let Some(site) = look.sites.get_mut(task.site.0 as usize) else {
        return;
    };
    site.polls += task.polls();
    site.busy_ns += task.busy_ns;
    if let Some(Spreads { age_ns, .. }) = site.spreads.as_deref_mut() {
        Spread::add(
            age_ns,
            clock::ticks_to_ns(ticks.saturating_sub(task.created)),
        );
    }
}

fn look_at(thread: &'static Thread, whole: bool) -> ThreadLook {
    let now = thread.now();
    let task = now.and_then(|now| now.record.read());
    let running = now
        .filter(|now| now.start != 0)
        .map(|now| clock::ticks_to_ns(clock::ticks().saturating_sub(now.start)));
    let doing = match thread.parks() {
        _ if now.is_some() => Doing::Polling,
        _ if thread.is_paused() => Doing::Blocking,
        Some(parks) if parks % 2 == 1 => Doing::Parked,
        _ if whole => in_kernel(thread),
        _ => Doing::Unknown,
    };
    ThreadLook {
        slot: thread.number(),
        tid: thread.tid(),
        name: thread.name(),
        runtime: thread.runtime(),
        role: thread.role(),
        seq: thread.seq(),
        busy_ns: thread.busy_ns() + running.unwrap_or(0),
        current_task: task.map_or(0, |task| task.id),
        current_poll_ns: running,
        doing,
    }
}

/// Asks the kernel, which costs some 15 µs.
fn in_kernel(thread: &Thread) -> Doing {
    match thread.handle().map(|handle| handle.sample().state) {
        Some(State::Runnable) => Doing::Running,
        Some(State::Sleeping | State::Uninterruptible | State::Stopped) => Doing::Sleeping,
        _ => Doing::Unknown,
    }
}

/// Tells how many of the tasks in the runtimes nobody told us of.
struct InRuntimes {
    /// Tasks by what the runtimes say.
    alive: u64,
    /// Tasks in those runtimes that we have a record of.
    ours: u64,
    /// By number, what was asked: every task looks here.
    asked: Vec<Asked>,
}

/// What is known of the runtime with a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Asked {
    /// Its tasks were not told, or there is none.
    #[default]
    Nothing,
    /// They were told.
    Tasks,
    /// They were told, and local tasks are among them.
    LocalTasks,
}

impl InRuntimes {
    fn of(runtimes: &[RuntimeInfo]) -> Self {
        let most = runtimes
            .iter()
            .map(|runtime| usize::from(runtime.number) + 1);
        let mut counts = Self {
            alive: 0,
            ours: 0,
            asked: vec![Asked::Nothing; most.max().unwrap_or(0)],
        };
        for runtime in runtimes {
            if let Some(alive) = (runtime.alive)() {
                counts.alive += alive;
                counts.asked[usize::from(runtime.number)] = match runtime.flavor {
                    "local" => Asked::LocalTasks,
                    _ => Asked::Tasks,
                };
            }
        }
        counts
    }

    fn count(&mut self, task: &Snapshot) {
        if task.outcome != Outcome::None {
            return;
        }
        let asked = self.asked.get(usize::from(task.runtime));
        let is_told = match asked.copied().unwrap_or_default() {
            Asked::Nothing => false,
            Asked::Tasks => matches!(task.kind, TaskKind::Task | TaskKind::Foreign),
            Asked::LocalTasks => {
                let kinds = [TaskKind::Task, TaskKind::Foreign, TaskKind::Local];
                kinds.contains(&task.kind)
            }
        };
        self.ours += u64::from(is_told);
    }

    fn foreign(&self) -> u64 {
        self.alive.saturating_sub(self.ours)
    }
}

/// Whether times are measured now.
pub(crate) fn is_timed() -> bool {
    level::level() == Level::Debug
}

#[cfg(test)]
mod tests {
    use std::panic::Location;

    use pollscope_capture::instrumented::{Untold, instrument};
    use pollscope_capture::task::{Asks, Meta};

    use super::*;

    fn runtime(number: u16, flavor: &'static str, alive: Option<u64>) -> RuntimeInfo {
        RuntimeInfo {
            number,
            name: "".into(),
            flavor,
            workers: 1,
            blocking_threads: 0,
            alive: Arc::new(move || alive),
            key: 0,
        }
    }

    #[test]
    fn tasks_of_runtimes_that_tell_and_have_no_record_are_not_ours() {
        registry::start();
        let mut counts = InRuntimes::of(&[
            runtime(61_401, "multi_thread", Some(10)),
            runtime(61_402, "local", Some(10)),
            runtime(61_403, "current_thread", None),
        ]);
        let spawned = |kind, runtime| {
            let meta = Meta {
                location: Location::caller(),
                kind,
                name: None,
                runtime,
                asks: Asks::Handle,
            };
            instrument(std::future::pending::<()>(), Untold, &meta)
        };
        let told = [
            spawned(TaskKind::Task, 61_401),
            spawned(TaskKind::Foreign, 61_401),
            spawned(TaskKind::Local, 61_402),
        ];
        let others = [
            // Of a `LocalSet`, which has them itself.
            spawned(TaskKind::Local, 61_401),
            spawned(TaskKind::BlockOn, 61_401),
            spawned(TaskKind::Task, 61_403),
            spawned(TaskKind::Task, 61_404),
            spawned(TaskKind::Task, 0),
        ];
        registry::tasks(|_, task| counts.count(&task));
        assert_eq!((counts.ours, counts.foreign()), (3, 17));
        drop((told, others));
    }
}

//! Workers that are held by something that is no task of ours: looked at, named, reported.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use pollscope_capture::stack::{self, End};
use pollscope_capture::thread::{Role, Thread};
use pollscope_capture::{clock, scope};

use crate::detect::worker_blocked::{Blame, Episode, Found, blame};
use crate::detect::worker_watch::{Act, Standing, WorkerWatch};
use crate::finding::ThreadName;
use crate::state::Agent;
use crate::symbols::frames;

use super::Round;

/// How long a report waits for the names on its stack.
const PATIENCE_NS: u64 = 1_500_000_000;
/// Stacks whose names are remembered.
const MAX_KNOWN: usize = 256;
/// How often the duration of one that is known to be blocked is renewed.
const RENEW_NS: u64 = 1_000_000_000;

type SharedEpisode = Arc<Mutex<Episode>>;
type Known = Arc<Mutex<HashMap<Arc<[usize]>, Blame>>>;

/// All workers that are watched.
#[derive(Default)]
pub(super) struct Workers {
    /// By slot of the thread.
    watches: Vec<Option<Watched>>,
    known: Known,
    /// Something was put into the table.
    pub(super) said: bool,
}

struct Watched {
    watch: WorkerWatch,
    episode: Option<SharedEpisode>,
    asked_ns: u64,
    renewed_ns: u64,
    /// How long it was last seen to sleep.
    wall_ns: u64,
    settled: bool,
}

impl Workers {
    /// The process did not run: what was seen before says nothing any more.
    pub(super) fn lose(&mut self) {
        for watched in self.watches.iter_mut().flatten() {
            watched.watch.lose();
        }
    }

    /// Looks at one thread.
    pub(super) fn see(&mut self, round: &mut Round<'_>, thread: &'static Thread) {
        let (threshold_ns, quiet) = (round.threshold_ns, round.quiet);
        let now_ns = clock::mono_ns();
        let slot = thread.number() as usize;
        if self.watches.len() <= slot {
            self.watches.resize_with(slot + 1, || None);
        }
        let entry = &mut self.watches[slot];
        let standing = match entry {
            Some(watched) => watched.standing(thread),
            None => standing(thread),
        };
        // It went on since the last round: a new watch.
        if entry.as_ref().map(|watched| watched.watch.standing) != standing {
            if let Some(watched) = entry.take() {
                self.said |= watched.end(round.agent, now_ns);
            }
            *entry = standing.map(|at| Watched::new(WorkerWatch::new(at)));
        }
        let Some(watched) = entry else { return };
        if watched.watch.reported {
            let Some(handle) = thread.handle() else {
                return;
            };
            let sample = handle.sample();
            if let Some(wall_ns) = watched.watch.lasts(&sample) {
                self.said |= watched.renew(round, thread, now_ns, wall_ns);
                return;
            }
            self.said |= watched.end(round.agent, now_ns);
            let mut watch = WorkerWatch::new(watched.watch.standing);
            watch.look(sample, threshold_ns, quiet);
            *watched = Watched::new(watch);
            return;
        }
        if !watched.watch.wants_look(now_ns, threshold_ns, quiet) {
            return;
        }
        let Some(handle) = thread.handle() else {
            return;
        };
        let before = watched.watch.since().copied();
        let sample = handle.sample();
        let Act::Report(wall_ns) = watched.watch.look(sample, threshold_ns, quiet) else {
            return;
        };
        let standing = watched.watch.standing;
        let still = || standing_of(thread) == Some(standing);
        let taken = round.capture(&handle, still);
        if !still() {
            watched.watch.reported = false;
            return;
        }
        let (stack, truncated) = taken.map_or_else(
            |_| (Arc::from([]), false),
            |stack| (Arc::from(stack.frames()), stack.end != End::Root),
        );
        let found = Found {
            at_ns: now_ns,
            thread: ThreadName {
                tid: thread.tid(),
                name: thread.name(),
            },
            belongs: scope::of(thread, 0),
            wall_ns,
            threshold_ns,
            verdict: stack::judge(&before.unwrap_or(sample), &sample),
            stack,
            truncated,
            delayed: Some(round.waiting.of(thread.runtime())),
        };
        watched.report(round.agent, &self.known, found);
        self.said = true;
    }

    /// Reports that have waited long enough for names go without.
    pub(super) fn settle_late(&mut self, agent: &Agent, now_ns: u64) {
        for watched in self.watches.iter_mut().flatten() {
            let late = !watched.settled && now_ns.saturating_sub(watched.asked_ns) >= PATIENCE_NS;
            if let (true, Some(episode)) = (late, &watched.episode) {
                watched.settled = true;
                locked(episode).settle(&mut agent.state().warnings);
                self.said = true;
            }
        }
    }
}

impl Watched {
    fn new(watch: WorkerWatch) -> Self {
        Self {
            watch,
            episode: None,
            asked_ns: 0,
            renewed_ns: 0,
            wall_ns: 0,
            settled: false,
        }
    }

    /// Where the thread stands now. Once it was told of, whatever it is taken for: that may be in doubt, and that it sleeps
    /// is not. What was said ends with the sleep.
    fn standing(&self, thread: &'static Thread) -> Option<Standing> {
        if self.watch.reported {
            return standing_of(thread);
        }
        standing(thread)
    }

    /// Puts an episode into the table, at once where its names are known or cannot be had.
    fn report(&mut self, agent: &Arc<Agent>, known: &Known, found: Found) {
        let (stack, now_ns) = (Arc::clone(&found.stack), found.at_ns);
        let episode = Arc::new(Mutex::new(Episode::new(found)));
        self.episode = Some(Arc::clone(&episode));
        self.asked_ns = now_ns;
        self.renewed_ns = now_ns;
        let remembered = known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&stack)
            .cloned();
        if let Some(blame) = remembered {
            self.settled = true;
            locked(&episode).named(&mut agent.state().warnings, blame);
            return;
        }
        let asked = !stack.is_empty() && {
            let (agent_there, known) = (Arc::clone(agent), Arc::clone(known));
            let episode = Arc::clone(&episode);
            agent.symbols.ask(frames(&stack), move |answer| {
                let blame = blame(&answer);
                let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
                if known.len() >= MAX_KNOWN {
                    known.clear();
                }
                known.insert(stack, blame.clone());
                drop(known);
                locked(&episode).named(&mut agent_there.state().warnings, blame);
                agent_there.log_due();
            })
        };
        if !asked {
            self.settled = true;
            locked(&episode).settle(&mut agent.state().warnings);
        }
    }

    /// It still sleeps, for so long by now.
    fn renew(&mut self, round: &mut Round<'_>, thread: &Thread, now_ns: u64, wall_ns: u64) -> bool {
        self.wall_ns = wall_ns;
        let due = now_ns.saturating_sub(self.renewed_ns) >= RENEW_NS;
        let (true, Some(episode)) = (due, &self.episode) else {
            return false;
        };
        self.renewed_ns = now_ns;
        let delayed = Some(round.waiting.of(thread.runtime()));
        locked(episode).renew(
            &mut round.agent.state().warnings,
            now_ns,
            wall_ns,
            delayed,
            true,
        );
        true
    }

    /// It goes on; an episode without names yet is reported when they come.
    fn end(&self, agent: &Agent, now_ns: u64) -> bool {
        let Some(episode) = &self.episode else {
            return false;
        };
        locked(episode).renew(
            &mut agent.state().warnings,
            now_ns,
            self.wall_ns,
            None,
            false,
        );
        true
    }
}

/// An episode first, then the state: everybody who needs both takes them in this order.
fn locked(episode: &Mutex<Episode>) -> std::sync::MutexGuard<'_, Episode> {
    episode.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where a worker stands that is neither parked nor in a task of ours, and may not block.
fn standing(thread: &'static Thread) -> Option<Standing> {
    let works = matches!(thread.role(), Role::Worker | Role::Local) && thread.tid() != 0;
    if works { standing_of(thread) } else { None }
}

fn standing_of(thread: &'static Thread) -> Option<Standing> {
    let seq = thread.seq();
    let parks = thread.parks().filter(|parks| parks % 2 == 0)?;
    let idle = thread.now().is_none() && !thread.is_paused() && thread.seq() == seq;
    idle.then_some(Standing { parks, seq })
}

#[cfg(test)]
mod tests {
    use pollscope_capture::thread::current;

    use super::*;

    #[test]
    fn what_was_said_of_a_worker_ends_with_its_sleep_and_not_with_its_role() {
        // A thread of its own: others of this process look at all of them.
        let test = std::thread::spawn(|| {
            let thread = current().expect("a slot");
            thread.set_role(Role::Worker, 0);
            thread.set_parked(true);
            thread.set_parked(false);
            let at = standing(thread).expect("a worker that does not park");
            let mut watched = Watched::new(WorkerWatch::new(at));
            thread.set_role(Role::Blocking, 0);
            assert_eq!(watched.standing(thread), None, "nothing was said");
            watched.watch.reported = true;
            assert_eq!(watched.standing(thread), Some(at));
            pollscope_capture::registry::blocking_region(|| {
                assert_eq!(watched.standing(thread), None, "by permission");
            });
            thread.set_parked(true);
            assert_eq!(watched.standing(thread), None, "it rests");
            thread.set_parked(false);
            assert_ne!(watched.standing(thread), Some(at), "that is another sleep");
        });
        test.join().expect("no panic");
    }
}

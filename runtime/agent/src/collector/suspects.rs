//! How it stands with the tasks of the places that may leak: one look at all tasks, and only where there are such
//! places.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use pollscope_capture::record::Snapshot;
use pollscope_capture::{SiteId, clock, names, registry, scope, thread};

use crate::detect::task_leak::{Alive, Due, MOST_KEPT, Suspect, far_ns};
use crate::figures::Spread;

/// The tasks of one place, as they are met.
#[derive(Default)]
struct Met {
    suspect: Suspect,
    /// The oldest: by creation, the youngest of them on top.
    oldest: BinaryHeap<Oldest>,
}

/// Ordered by age, and by nothing else.
struct Oldest(Snapshot);

impl Oldest {
    fn key(&self) -> (u64, u64) {
        (self.0.created, self.0.id)
    }
}

impl PartialEq for Oldest {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Oldest {}

impl PartialOrd for Oldest {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Oldest {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

/// Looks at what was asked for.
pub(super) fn look(due: Vec<Due>) -> Vec<(Due, Suspect)> {
    if due.is_empty() {
        return Vec::new();
    }
    let mut met: HashMap<SiteId, Met> = due.iter().map(|due| (due.site, ended(due.site))).collect();
    let ticks = clock::ticks();
    let age_ns = |task: &Snapshot| clock::ticks_to_ns(ticks.saturating_sub(task.created));
    registry::tasks(|_, task| {
        let Some(Met { suspect, oldest }) = met.get_mut(&task.site).filter(|_| !task.is_done())
        else {
            return;
        };
        suspect.alive += 1;
        suspect.far += u64::from(age_ns(&task) > suspect.far_ns);
        oldest.push(Oldest(task));
        if oldest.len() > MOST_KEPT {
            oldest.pop();
        }
    });
    let here = thread::current();
    let alive = |task: &Snapshot| Alive {
        task: task.id,
        name: names::get(task.name),
        created: task.stack,
        age_ns: age_ns(task),
        polls: task.polls(),
        belongs: here.map_or_else(Default::default, |here| scope::of(here, task.runtime)),
    };
    due.into_iter()
        .filter_map(|due| {
            let met = met.get(&due.site)?;
            let mut oldest: Vec<Alive> = met.oldest.iter().map(|task| alive(&task.0)).collect();
            oldest.sort_unstable_by_key(|task| Reverse(task.age_ns));
            let suspect = Suspect {
                oldest,
                ..met.suspect.clone()
            };
            Some((due, suspect))
        })
        .collect()
}

/// What the tasks of a place tell that have ended.
fn ended(site: SiteId) -> Met {
    let mut lifetimes = Spread::default();
    for tally in thread::all().filter_map(|thread| thread.tally(site)) {
        tally.lifetime_ns.add_to(&mut lifetimes.buckets);
    }
    lifetimes.bound();
    let suspect = Suspect {
        ended: lifetimes.count(),
        far_ns: far_ns(&lifetimes),
        ..Suspect::default()
    };
    Met {
        suspect,
        ..Met::default()
    }
}

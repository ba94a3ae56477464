//! How it stands with the tasks of the places that may leak: one look at all tasks, and only where there are such
//! places.

use std::collections::HashMap;

use pollscope_capture::record::Snapshot;
use pollscope_capture::{SiteId, clock, names, registry, scope, thread};

use crate::detect::task_leak::{Alive, Due, MOST_KEPT, Suspect, far_ns};
use crate::figures::Spread;

/// The tasks of one place, as they are met.
#[derive(Default)]
struct Met {
    suspect: Suspect,
    /// Those that may be the oldest: see `keep`.
    oldest: Vec<Snapshot>,
}

impl Met {
    /// Keeps the oldest, the first of them first.
    fn keep(&mut self) {
        self.oldest
            .sort_unstable_by_key(|task| (task.created, task.id));
        self.oldest.truncate(MOST_KEPT);
    }
}

/// Looks at what was asked for.
pub(super) fn look(due: Vec<Due>) -> Vec<(Due, Suspect)> {
    if due.is_empty() {
        return Vec::new();
    }
    let mut met: HashMap<SiteId, Met> = due.iter().map(|due| (due.site, ended(due.site))).collect();
    let now_ns = clock::mono_ns();
    // Not by ticks: those go on while the machine is suspended, and nothing is as old as that.
    let age_ns = |task: &Snapshot| now_ns.saturating_sub(clock::mono_of(task.created));
    registry::tasks(|_, task| {
        let Some(met) = met.get_mut(&task.site).filter(|_| !task.is_done()) else {
            return;
        };
        met.suspect.alive += 1;
        met.suspect.far += u64::from(age_ns(&task) > met.suspect.far_ns);
        met.oldest.push(task);
        if met.oldest.len() == 2 * MOST_KEPT {
            met.keep();
        }
    });
    met.values_mut().for_each(Met::keep);
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
            let oldest = met.oldest.iter().map(alive).collect();
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

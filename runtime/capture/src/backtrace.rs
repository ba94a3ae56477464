//! Backtraces of the hot path: when one is taken, and whose stands in where none was.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub use crate::stack::StackId;

use crate::event::Family;
use crate::level::{self, Level};
use crate::stack::{self, Marks, ThreadHandle};
use crate::tally::Tally;
use crate::thread::{Role, Thread};
use crate::{SiteId, clock, site, thread};

/// The backtrace of the caller, interned. 0.3 µs when the code was seen before; up to 30 µs when not. What it takes is
/// not time of the poll that runs: a task that spawns a hundred others must not be slow because of us.
#[inline(never)]
pub(crate) fn here() -> StackId {
    let since = clock::ticks();
    let mut frames = [0; stack::MAX_FRAMES];
    let len = stack::capture(&mut frames, 1);
    let stack = stack::intern(&frames[..len]);
    if let Some(thread) = thread::current_if_known() {
        thread.excuse(clock::ticks().saturating_sub(since));
    }
    stack
}

/// What lets the watchdog look at this thread. Called by the thread itself.
pub(crate) fn open_handle(thread: &'static Thread) -> Arc<ThreadHandle> {
    let marks = Marks {
        seq: thread.seq_word(),
        ..Marks::none()
    };
    Arc::new(ThreadHandle::current(marks))
}

/// The creation backtrace of a task or future just counted in `tally`: its own, or none and the site's stands in.
///
/// In quiet the first of each site is taken; in debug the first few of each thread and site, then samples.
#[inline]
pub(crate) fn of_creation(site: SiteId, tally: &Tally) -> StackId {
    let created = tally.created();
    if created > FIRST && !level::has_backtrace(created) {
        return StackId::NONE;
    }
    sample(site)
}

/// So many of each thread and site have a backtrace of their own, and then each so-manieth: see
/// [`level::set_backtrace_every`].
const FIRST: u64 = 8;

#[cold]
#[inline(never)]
fn sample(site: SiteId) -> StackId {
    let site = site::get(site);
    if level::level() != Level::Debug && !site.exemplar().is_none() {
        return StackId::NONE;
    }
    let stack = here();
    site.offer_exemplar(stack);
    stack
}

/// Findings made on threads of ours, by a subscriber or a handler of the program's.
static OWN: AtomicU64 = AtomicU64::new(0);

/// Whether this thread is one of ours; if so, the finding is only counted. Were it told, telling it could make the next.
pub(crate) fn is_own() -> bool {
    let own = thread::current_if_known().is_some_and(|thread| thread.role() == Role::Ours);
    if own {
        OWN.fetch_add(1, Ordering::Relaxed);
    }
    own
}

/// Findings that were made on threads of pollscope's, and went no further.
pub fn own_findings() -> u64 {
    OWN.load(Ordering::Relaxed)
}

/// The backtrace of a finding, where it is one of those told in full.
pub(crate) fn of_finding(tally: &Tally, family: Family) -> Option<StackId> {
    (!is_own() && tally.find(family)).then(here)
}

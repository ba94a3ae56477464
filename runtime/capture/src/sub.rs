//! Which part of a poll took its time: of the futures that a task polls itself, in `join!` and `select!` or because
//! they are tracked, the one that took longest.
//!
//! In debug each of them reads the clock before and after its poll, and leaves its name with its thread where it took
//! longer than those beside it. A poll that turns out to be slow looks there; any other does not, and a task without
//! such futures pays nothing. A future within a future keeps its place if at least half of the outer one's time was
//! its own: the innermost that accounts for the time is told.

use std::cell::Cell;
use std::panic::Location;

use crate::level::{self, Level};
use crate::record::Record;
use crate::thread::{self, Local};
use crate::{SiteId, clock};

/// A future that is polled by a task and is none itself.
#[derive(Clone, Copy, Debug)]
pub enum Sub {
    /// A tracked one, by where it was made.
    Tracked(SiteId),
    /// A branch of `join!`, `select!` or `try_join!`: where that stands, and the name of the future's type.
    Branch(&'static Location<'static>, fn() -> &'static str),
}

/// One poll of a task: the task's id and its poll edges.
type Within = (u64, u64);

/// The longest poll of a sub-future in one poll of a task so far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Longest {
    within: Within,
    ticks: u64,
    sub: Sub,
}

/// Where a thread keeps it.
pub(crate) type Noted = Cell<Option<Longest>>;

/// Polls a sub-future.
///
/// Cost: in quiet one load; in debug two reads of the clock and some stores.
#[inline]
pub fn poll<R>(sub: Sub, poll: impl FnOnce() -> R) -> R {
    if level::level() != Level::Debug {
        return poll();
    }
    let begun = Begun::new(sub);
    let polled = poll();
    if let Some(begun) = begun {
        begun.end();
    }
    polled
}

/// A poll that runs.
struct Begun {
    local: &'static Local,
    sub: Sub,
    within: Within,
    /// What stood there before, of the futures beside it.
    before: Option<Longest>,
    /// Ticks that were excused on this thread until then.
    excused: u64,
    /// Ticks.
    start: u64,
}

impl Begun {
    #[inline(never)]
    fn new(sub: Sub) -> Option<Self> {
        let local = thread::local_if_known()?;
        let record = local.thread.current_record()?;
        Some(Self {
            local,
            sub,
            within: (record.id.get(), record.seq.get()),
            before: local.longest_sub.take(),
            excused: local.thread.excused(),
            start: clock::ticks(),
        })
    }

    #[inline(never)]
    fn end(self) {
        let excused = self.local.thread.excused().wrapping_sub(self.excused);
        let ticks = clock::ticks()
            .saturating_sub(self.start)
            .saturating_sub(excused);
        let here = |noted: &Longest| noted.within == self.within;
        let inner = self.local.longest_sub.get().filter(here);
        let own = Longest {
            within: self.within,
            ticks,
            sub: inner
                .filter(|inner| accounts_for(inner.ticks, ticks))
                .map_or(self.sub, |inner| inner.sub),
        };
        let beside = self.before.filter(here);
        let longest = beside.filter(|beside| beside.ticks > ticks);
        self.local.longest_sub.set(Some(longest.unwrap_or(own)));
    }
}

/// The sub-future that accounts for the poll of `record` that has just ended and took `ns`.
#[cold]
pub(crate) fn of(record: &Record, ns: u64) -> Option<Sub> {
    let longest = thread::local_if_known()?.longest_sub.take()?;
    // The end of the poll was counted, too.
    let within = (record.id.get(), record.seq.get().wrapping_sub(1));
    (longest.within == within && accounts_for(clock::ticks_to_ns(longest.ticks), ns))
        .then_some(longest.sub)
}

/// Whether so much of a time is most of it.
fn accounts_for(part: u64, whole: u64) -> bool {
    part >= whole / 2
}

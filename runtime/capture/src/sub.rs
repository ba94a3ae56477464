//! Which part of a poll took its time: of the futures that a task polls itself, in `join!` and `select!` or because
//! they are tracked, the one that took longest.
//!
//! Only polls that last matter, so no clock is read for the others: each of these futures notes the number of the
//! watchdog's round before and after its poll (`pulse`). Where that has changed it leaves its name with its thread, if it
//! took longer than those beside it. A poll that turns out to be slow looks there; any other does not, and a task without
//! such futures pays nothing. A future within a future keeps its place if at least half of the outer one's time was
//! its own: the innermost that accounts for the time is told.
//!
//! What is known is the least that it took, up to a round less: of a poll that lasted for less than two rounds (20 ms)
//! the part may not be known.

use std::cell::Cell;
use std::panic::Location;

use crate::record::Record;
use crate::{SiteId, clock, pulse, thread};

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
    /// The number of the round when it ended.
    until: u64,
    /// At least.
    ticks: u64,
    sub: Sub,
}

/// Where a thread keeps it.
pub(crate) type Noted = Cell<Option<Longest>>;

/// Polls a sub-future.
///
/// Cost: two loads, and nothing more as long as the poll takes less than a round of the watchdog.
#[inline]
pub fn poll<R>(sub: Sub, poll: impl FnOnce() -> R) -> R {
    let since = pulse::last();
    let polled = poll();
    let until = pulse::last();
    if until != since {
        lasted(sub, since, until);
    }
    polled
}

/// A poll of a sub-future that began in one round of the watchdog has ended in another.
#[cold]
#[inline(never)]
fn lasted(sub: Sub, since: u64, until: u64) {
    let Some(local) = thread::local_if_known() else {
        return;
    };
    let Some(record) = local.thread.current_record() else {
        return;
    };
    let now = clock::ticks();
    // What was excused has moved the edge: no part took longer than the whole.
    let whole = now.saturating_sub(record.edge.get());
    let ticks = now.saturating_sub(pulse::after(since)).min(whole);
    let within = (record.id.get(), record.seq.get());
    let known = local
        .longest_sub
        .get()
        .filter(|known| known.within == within);
    let (inner, beside) = match known {
        Some(known) if known.until > since => (Some(known), None),
        beside => (None, beside),
    };
    if beside.is_some_and(|beside| beside.ticks > ticks) {
        return;
    }
    let innermost = inner.filter(|inner| accounts_for(inner.ticks, ticks));
    local.longest_sub.set(Some(Longest {
        within,
        until,
        ticks,
        sub: innermost.map_or(sub, |inner| inner.sub),
    }));
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

//! What is measured of a poll in debug: two reads of the clock and plain stores. One copy for all futures.

use crate::event::{Detail, Family, PollText};
use crate::record::Record;
use crate::sync::Ordering;
use crate::tally::Tally;
use crate::thread::Thread;
use crate::{TaskKind, clock, level, sub, task};

/// In `Record::woken`: by the task's own poll, which sets the time at its end.
pub(crate) const WOKEN_WITHIN: u64 = 1;

/// A poll that is timed.
#[derive(Debug)]
pub(super) struct Timed {
    tally: &'static Tally,
    /// Ticks.
    pub(super) start: u64,
}

// No call in these two but in their last line, and so no registers to save: written so that they stay as cheap as if
// they were inlined into each future's poll.
impl Timed {
    /// The poll begins, before others see it.
    #[inline(never)]
    pub(super) fn begin(record: &'static Record, thread: &'static Thread) -> Self {
        match (thread.tally_near(record.site()), clock::counted()) {
            (Some(tally), Some(now)) => Self::begun(record, tally, now),
            _ => Self::begin_slowly(record, thread),
        }
    }

    #[inline(never)]
    fn begin_slowly(record: &'static Record, thread: &'static Thread) -> Self {
        Self::begun(record, thread.tally_of(record.site()), clock::ticks())
    }

    #[inline]
    fn begun(record: &'static Record, tally: &'static Tally, start: u64) -> Self {
        let woken = record.woken.load(Ordering::Relaxed);
        if woken != 0 {
            record.woken.store(0, Ordering::Relaxed);
            if woken >= level::debug_since_ticks() {
                let waited = clock::ticks_to_ns(start.saturating_sub(woken));
                record.scheduled_ns.bump(waited);
                tally.scheduled_ns.record(waited);
            }
        }
        Self { tally, start }
    }

    /// The poll returned, and is not seen any more.
    #[inline(never)]
    pub(super) fn end(self, record: &'static Record, thread: &'static Thread) {
        match clock::counted() {
            Some(now) => self.ended(record, thread, now),
            None => self.end_slowly(record, thread),
        }
    }

    #[inline(never)]
    fn end_slowly(self, record: &'static Record, thread: &'static Thread) {
        self.ended(record, thread, clock::ticks());
    }

    #[inline]
    fn ended(self, record: &'static Record, thread: &'static Thread, end: u64) {
        let Self { tally, start } = self;
        // Not `start`: what is excused has moved the edge by the time it took.
        let edge = record.edge.get();
        let ns = clock::ticks_to_ns(end.saturating_sub(edge));
        record.busy_ns.bump(ns);
        tally.poll_ns.record(ns);
        if ns > record.max_ns.get() {
            record.max_ns.set(ns);
            tally.longest(ns);
        }
        if thread.current_record().is_some() {
            return ended_within(start, record, thread, end);
        }
        thread.ended(ns);
        settled(record, thread, ns, end);
    }
}

/// The end of a poll inside another one: apart, with as little handed over as can be, so that others need no registers
/// for it.
#[inline(never)]
fn ended_within(start: u64, record: &'static Record, thread: &'static Thread, end: u64) {
    let edge = record.edge.get();
    thread.ended_within(record, edge.saturating_sub(start));
    let ns = clock::ticks_to_ns(end.saturating_sub(edge));
    settled(record, thread, ns, end);
}

/// What is left to do at the end of a poll.
#[inline]
fn settled(record: &'static Record, thread: &'static Thread, ns: u64, end: u64) {
    record.edge.set(end);
    if record.woken.load(Ordering::Relaxed) == WOKEN_WITHIN {
        // It waits for its next poll since now.
        record.woken.store(end, Ordering::Relaxed);
    }
    if ns >= level::note_ns() {
        slow(record, thread, ns);
    }
}

/// Tells of a poll that took long, unless the clock itself cannot be believed.
#[cold]
#[inline(never)]
fn slow(record: &'static Record, thread: &'static Thread, ns: u64) {
    if !clock::agrees(ns) {
        return;
    }
    let tally = thread.tally_of(record.site());
    let slow = ns >= level::slow_poll_ns();
    if slow && record.kind() == TaskKind::Request {
        thread.told_within(ns);
    }
    let family = if slow {
        Family::SlowPoll
    } else {
        Family::LongPoll
    };
    if tally.find(family) || slow {
        let text = PollText {
            ns,
            number: record.polls(),
            cpu_ns: clock::thread_cpu_ns(thread.tid()),
            sub: sub::of(record, ns),
        };
        let detail = Detail::Poll(Box::new(text));
        thread.tell(task::finding(record, crate::StackId::NONE, detail));
    }
}

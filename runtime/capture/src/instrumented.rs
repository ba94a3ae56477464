//! What is handed to the runtime in place of the user's future, and what it returns in place of the user's output.
//!
//! `Instrumented::poll` is the hot path: everything that is measured of a poll is measured here. In quiet a poll
//! publishes itself and reads no clock; in debug it reads the clock twice, keeps its totals by plain stores, and
//! polls with the task's own waker. There is no read-modify-write in a poll without a wake, no lock, no
//! allocation after the first poll of a task and a site.

#![expect(
    unsafe_code,
    reason = "pin projection, and dropping the future under our eyes"
)]

mod blocking;
mod observed;

pub use {blocking::instrument_blocking, observed::Observed};

use std::future::Future;
use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::event::{Detail, ErrorText, Family};
use crate::level::{self, Level};
use crate::record::{Outcome, Record};
use crate::sync::Ordering;
use crate::task::{self, Asks, HandleShare, Meta};
use crate::thread::{self, Outer, Thread};
use crate::waker::TaskWaker;
use crate::{clock, panic};

/// Reads the text out of an error, where the spawner could name a way to.
pub type Describe<T> = Option<fn(&T) -> ErrorText>;

/// A future under our eyes: the user's, its record, and the task's waker.
pub struct Instrumented<F: Future> {
    /// `None` once the output carries it on, or when there is none.
    record: Option<&'static Record>,
    waker: Option<TaskWaker>,
    describe: Describe<F::Output>,
    /// Structurally pinned; dropped by hand so that what its drop does is put to the task's account.
    future: ManuallyDrop<F>,
}

impl<F: Future> std::fmt::Debug for Instrumented<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Instrumented")
            .field("task", &self.id())
            .finish_non_exhaustive()
    }
}

/// Puts a future under our eyes. The share is for whoever joins it; empty unless `meta.asks` is `Handle`.
///
/// Cost over the plain future: a record (128 bytes), 24 bytes here, some 30 ns.
#[inline]
pub fn instrument<F: Future>(
    future: F,
    describe: Describe<F::Output>,
    meta: &Meta<'_>,
) -> (Instrumented<F>, HandleShare) {
    watch(future, task::born::<F>(meta), describe, meta)
}

/// As [`instrument`], of a future that was boxed because it is large: the record tells of the future itself.
#[inline]
pub fn instrument_boxed<F: Future>(
    future: Pin<Box<F>>,
    describe: Describe<F::Output>,
    meta: &Meta<'_>,
) -> (Instrumented<Pin<Box<F>>>, HandleShare) {
    watch(future, task::born::<F>(meta), describe, meta)
}

#[inline]
fn watch<F: Future>(
    future: F,
    record: Option<&'static Record>,
    describe: Describe<F::Output>,
    meta: &Meta<'_>,
) -> (Instrumented<F>, HandleShare) {
    let share = HandleShare::new(record.filter(|_| meta.asks == Asks::Handle));
    let instrumented = Instrumented {
        record,
        waker: None,
        describe,
        future: ManuallyDrop::new(future),
    };
    (instrumented, share)
}

impl<F: Future> Instrumented<F> {
    /// Our id of the task; 0 where it has no record.
    pub fn id(&self) -> u64 {
        self.record.map_or(0, |record| record.id.get())
    }
}

impl<F: Future> Future for Instrumented<F> {
    type Output = Observed<F::Output>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: `future` is only ever handed out pinned, and not moved until its drop; the other fields are not
        // pinned.
        let this = unsafe { self.get_unchecked_mut() };
        match this.record {
            None => this.future().poll(cx).map(Observed::unrecorded),
            Some(record) if level::level() == Level::Debug => this.poll_debug(record, cx),
            Some(record) => this.poll_quiet(record, cx),
        }
    }
}

// Each way to poll has a frame of its own, so that none pays for another's spills: measured in a task of Tokio's, all
// in one function costs 29 instructions more at level off and 17 more in quiet.
impl<F: Future> Instrumented<F> {
    /// The future, pinned as `self` is.
    #[inline]
    fn future(&mut self) -> Pin<&mut F> {
        // SAFETY: called only from `poll`, which had `self` pinned, and the future is not moved until its drop.
        unsafe { Pin::new_unchecked(&mut *self.future) }
    }

    /// Hands the record on to the output, if there is one.
    #[inline]
    fn observed(
        &mut self,
        polled: Poll<F::Output>,
        record: &'static Record,
    ) -> Poll<Observed<F::Output>> {
        polled.map(|value| {
            self.record = None;
            Observed::new(value, record, self.describe)
        })
    }

    /// A poll on a thread that is at its end.
    #[cold]
    fn poll_unseen(
        &mut self,
        record: &'static Record,
        cx: &mut Context<'_>,
    ) -> Poll<Observed<F::Output>> {
        let polled = self.future().poll(cx);
        self.observed(polled, record)
    }

    /// A poll that is published and not timed.
    #[inline(never)]
    fn poll_quiet(
        &mut self,
        record: &'static Record,
        cx: &mut Context<'_>,
    ) -> Poll<Observed<F::Output>> {
        let Some(thread) = thread::current() else {
            return self.poll_unseen(record, cx);
        };
        // An edge that was timed long ago, when the level was another, would be taken for the start of this poll.
        let published = Published::new(record, thread, 0);
        let polled = self.future().poll(cx);
        published.end();
        self.observed(polled, record)
    }

    /// A poll that is published, timed, and polled with the task's own waker.
    #[inline(never)]
    fn poll_debug(
        &mut self,
        record: &'static Record,
        cx: &mut Context<'_>,
    ) -> Poll<Observed<F::Output>> {
        let Some(thread) = thread::current() else {
            return self.poll_unseen(record, cx);
        };
        let tally = thread.tally_of(record.site());
        let start = clock::ticks();
        let woken = record.woken.load(Ordering::Relaxed);
        if woken != 0 {
            record.woken.store(0, Ordering::Relaxed);
            let waited = clock::ticks_to_ns(start.saturating_sub(woken));
            record.scheduled_ns.bump(waited);
            tally.scheduled_ns.record(waited);
        }
        let published = Published::new(record, thread, start);
        let waker = TaskWaker::for_poll(&mut self.waker, cx.waker(), record);
        let polled = self.future().poll(&mut Context::from_waker(&waker));
        published.end();
        let end = clock::ticks();
        // Not `start`: a blocking region inside the poll has moved the edge by the time it took.
        let ns = clock::ticks_to_ns(end.saturating_sub(record.edge.get()));
        record.busy_ns.bump(ns);
        if ns > record.max_ns.get() {
            record.max_ns.set(ns);
        }
        tally.poll(ns);
        if thread.current_record().is_none() {
            thread.add_busy(ns);
        }
        if ns >= level::note_ns() {
            slow(record, thread, ns);
        }
        record.edge.set(end);
        if record.woken.load(Ordering::Relaxed) == WOKEN_WITHIN {
            // It waits for its next poll since now.
            record.woken.store(end, Ordering::Relaxed);
        }
        self.observed(polled, record)
    }
}

/// In `woken`: by the task's own poll, which sets the time at its end.
pub(crate) const WOKEN_WITHIN: u64 = 1;

/// Tells of a poll that took long, unless the clock itself cannot be believed.
#[cold]
#[inline(never)]
fn slow(record: &'static Record, thread: &'static Thread, ns: u64) {
    // A counter that jumped (migration between unsynchronised cores, suspend) would invent slow polls.
    let drift = clock::mono_of(clock::ticks()).abs_diff(clock::mono_ns());
    if drift > (ns / 4).max(1_000_000) {
        return;
    }
    let tally = thread.tally_of(record.site());
    let slow = ns >= level::slow_poll_ns();
    let family = if slow {
        Family::SlowPoll
    } else {
        Family::LongPoll
    };
    if tally.find(family) || slow {
        let detail = Detail::Poll {
            start: record.edge.get(),
            ns,
            number: record.polls(),
            // As the watchdog saw it: before the end of the poll changed it.
            thread_seq: thread.seq() - 1,
        };
        thread.tell(task::finding(record, crate::StackId::NONE, detail));
    }
}

/// A poll as others see it, from its start to its end, be that a return or a panic.
struct Published {
    record: &'static Record,
    thread: &'static Thread,
    outer: Outer,
}

impl Published {
    #[inline]
    fn new(record: &'static Record, thread: &'static Thread, start: u64) -> Self {
        // Before `enter`, which shows it: see `post`.
        record.edge.set(start);
        record.seq.bump(1);
        Self {
            record,
            thread,
            outer: thread.enter(record),
        }
    }

    /// The poll returned.
    #[inline]
    fn end(self) {
        self.thread.leave(self.outer);
        self.record.seq.bump(1);
        std::mem::forget(self);
    }
}

impl Drop for Published {
    /// The poll unwound. By value, so that the fields can stay in registers while the poll runs.
    #[inline]
    fn drop(&mut self) {
        unwound(self.record, self.thread, self.outer);
    }
}

#[cold]
#[inline(never)]
fn unwound(record: &'static Record, thread: &'static Thread, outer: Outer) {
    let text = panic::unwound(Some(record), outer.record());
    thread.leave(outer);
    record.seq.bump(1);
    // Counted by the drop of the future, which sees this.
    record.set_outcome(Outcome::Panic);
    task::panicked(record, text);
}

impl<F: Future> Drop for Instrumented<F> {
    fn drop(&mut self) {
        // With a record it is not at its end: aborted, shut down, or unwound.
        let _gone = self.record.map(Gone::new);
        // SAFETY: dropped here and nowhere else; `self` is not used again.
        unsafe { ManuallyDrop::drop(&mut self.future) };
    }
}

/// Settles the record after the future's drop, also when that panics. Meanwhile what the future drops is excused:
/// nobody forgot it.
struct Gone {
    record: &'static Record,
    thread: Option<&'static Thread>,
    /// Ticks, where the drop is not part of an unwinding: a panic after that is the future's own.
    since: Option<u64>,
}

impl Gone {
    fn new(record: &'static Record) -> Self {
        let thread = thread::current();
        if let Some(thread) = thread {
            thread.set_dropping(1);
        }
        let since = (!std::thread::panicking()).then(clock::ticks);
        Self {
            record,
            thread,
            since,
        }
    }
}

impl Drop for Gone {
    fn drop(&mut self) {
        if let Some(thread) = self.thread {
            thread.set_dropping(-1);
        }
        let outcome = match (self.record.outcome(), self.since) {
            // Aborted, and its drop panicked: whoever joins it gets the panic.
            (Outcome::None, Some(since)) if std::thread::panicking() => {
                task::panicked(self.record, panic::unwound_drop(since));
                Outcome::Panic
            }
            (Outcome::None, _) => Outcome::Aborted,
            (known, _) => known,
        };
        task::ended(self.record, outcome);
        task::task_gone(self.record, false);
    }
}

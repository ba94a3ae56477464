//! What is handed to the runtime in place of the user's future, and what it returns in place of the user's output.
//!
//! `Instrumented::poll` is the hot path. In quiet a poll publishes itself (`seen`) and reads no clock; in debug it is
//! timed, too (`timed`). There is no read-modify-write in a poll without a wake, no lock, no allocation after the
//! first poll of a task and a site. What can be is one copy for all futures: every line here is compiled again for
//! each of the program's.

#![expect(
    unsafe_code,
    reason = "pin projection, and dropping the future under our eyes"
)]

mod blocking;
mod held;
mod hooked;
mod observed;
mod seen;
mod shown;
pub(crate) mod spans;
mod timed;

pub use blocking::{instrument_blocking, queued};
pub use hooked::{Hooked, HookedPoll};
pub use observed::Observed;

use std::future::Future;
use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::event::ErrorText;
use crate::record::{Outcome, Record};
use crate::task::{self, Asks, HandleShare, Meta};
use crate::thread::{self, Thread};
use crate::{clock, panic};
use held::Held;
use seen::Seen;
use timed::Timed;
pub(crate) use timed::WOKEN_WITHIN;

/// Reads the text out of an error.
pub type Read<T> = fn(&T) -> ErrorText;

/// What the spawner knows of reading an error: a type of no size where that follows from the output's type, so that
/// the future need not carry it.
pub trait Describe<T>: Copy + Send + Sync + 'static {
    /// How the text is read, where there is a way.
    fn reader(self) -> Option<Read<T>>;
}

/// No way is known to read an error: it is told by the name of its type.
#[derive(Clone, Copy, Debug)]
pub struct Untold;

impl<T> Describe<T> for Untold {
    #[inline]
    fn reader(self) -> Option<Read<T>> {
        None
    }
}

impl<T: 'static> Describe<T> for Read<T> {
    #[inline]
    fn reader(self) -> Option<Self> {
        Some(self)
    }
}

/// A future under our eyes: one word more than the user's.
pub struct Instrumented<F: Future, D: Describe<F::Output> = Untold> {
    /// Empty once the output carries the record on, or when there is none.
    held: Held,
    describe: D,
    /// Structurally pinned; dropped by hand so that what its drop does is put to the task's account.
    future: ManuallyDrop<F>,
}

impl<F: Future, D: Describe<F::Output>> std::fmt::Debug for Instrumented<F, D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Instrumented")
            .field("task", &self.id())
            .finish_non_exhaustive()
    }
}

/// Puts a future under our eyes. The share is for whoever joins it; empty unless `meta.asks` is `Handle`.
///
/// Cost over the plain future: a record (128 bytes) and 8 bytes here; for the time see `BENCHMARKS.md`.
#[inline]
pub fn instrument<F: Future, D: Describe<F::Output>>(
    future: F,
    describe: D,
    meta: &Meta<'_>,
) -> (Instrumented<F, D>, HandleShare) {
    watch(future, task::born::<F>(meta), describe, meta.asks)
}

/// As [`instrument`], of a future that was boxed because it is large: the record tells of the future itself.
#[inline]
pub fn instrument_boxed<F: Future, D: Describe<F::Output>>(
    future: Pin<Box<F>>,
    describe: D,
    meta: &Meta<'_>,
) -> (Instrumented<Pin<Box<F>>, D>, HandleShare) {
    watch(future, task::born::<F>(meta), describe, meta.asks)
}

/// A future that nobody watches, in the same dress: at level off.
#[inline]
pub fn unwatched<F: Future, D: Describe<F::Output>>(
    future: F,
    describe: D,
) -> (Instrumented<F, D>, HandleShare) {
    watch(future, None, describe, Asks::Caller)
}

#[inline]
fn watch<F: Future, D: Describe<F::Output>>(
    future: F,
    record: Option<&'static Record>,
    describe: D,
    asks: Asks,
) -> (Instrumented<F, D>, HandleShare) {
    let share = HandleShare::new(record.filter(|_| asks == Asks::Handle));
    let instrumented = Instrumented {
        held: Held::new(record),
        describe,
        future: ManuallyDrop::new(future),
    };
    (instrumented, share)
}

impl<F: Future, D: Describe<F::Output>> Instrumented<F, D> {
    /// Our id of the task; 0 where it has no record.
    pub fn id(&self) -> u64 {
        self.held.record().map_or(0, |record| record.id.get())
    }
}

impl<F: Future, D: Describe<F::Output>> Future for Instrumented<F, D> {
    type Output = Observed<F::Output>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: `future` is only ever handed out pinned, and not moved until its drop; the other fields are not
        // pinned.
        let this = unsafe { self.get_unchecked_mut() };
        match this.held.record() {
            None => this.future().poll(cx).map(Observed::unrecorded),
            Some(record) => this.poll_seen(record, cx),
        }
    }
}

// Each way to poll has a frame of its own, so that none pays for another's spills: a quiet poll inlined into `poll`
// costs 18 instructions at level off, in a task of Tokio's.
impl<F: Future, D: Describe<F::Output>> Instrumented<F, D> {
    /// The future, pinned as `self` is.
    #[inline]
    fn future(&mut self) -> Pin<&mut F> {
        // SAFETY: called only from `poll`, which had `self` pinned, and the future is not moved until its drop.
        unsafe { Pin::new_unchecked(&mut *self.future) }
    }

    /// A poll of a task with a record, published and not timed.
    #[inline(never)]
    fn poll_seen(
        &mut self,
        record: &'static Record,
        cx: &mut Context<'_>,
    ) -> Poll<Observed<F::Output>> {
        let Some(thread) = thread::current_if_known() else {
            return self.poll_unknown(record, cx);
        };
        if thread.is_debug() {
            if spans::is_asked(record) {
                return self.poll_asked(record, thread, cx);
            }
            return self.poll_timed(record, thread, cx);
        }
        // An edge that was timed long ago, at another level, would be taken for the start of this poll.
        let seen = Seen::new(record, thread, 0);
        let polled = self.future().poll(cx);
        seen.end();
        self.observed(polled)
    }

    /// A poll after which the thread's span is looked at.
    #[cold]
    #[inline(never)]
    fn poll_asked(
        &mut self,
        record: &'static Record,
        thread: &'static Thread,
        cx: &mut Context<'_>,
    ) -> Poll<Observed<F::Output>> {
        let before = spans::before();
        let polled = self.poll_timed(record, thread, cx);
        if let (Some(before), Poll::Pending) = (before, &polled) {
            spans::after(record, before);
        }
        polled
    }

    /// A poll that is published, timed, and polled with the task's own waker.
    #[inline(never)]
    fn poll_timed(
        &mut self,
        record: &'static Record,
        thread: &'static Thread,
        cx: &mut Context<'_>,
    ) -> Poll<Observed<F::Output>> {
        let Self { held, future, .. } = self;
        let waker = held.waker(cx.waker(), record);
        let timed = Timed::begin(record, thread);
        let seen = Seen::new(record, thread, timed.start);
        // SAFETY: called only from `poll`, which had `self` pinned, and the future is not moved until its drop.
        let future = unsafe { Pin::new_unchecked(&mut **future) };
        let polled = future.poll(&mut Context::from_waker(waker));
        seen.end();
        timed.end(record, thread);
        self.observed(polled)
    }

    /// The first poll on a thread, or a poll while the thread is at its end, which nobody sees.
    #[cold]
    #[inline(never)]
    fn poll_unknown(
        &mut self,
        record: &'static Record,
        cx: &mut Context<'_>,
    ) -> Poll<Observed<F::Output>> {
        if thread::current().is_some() {
            return self.poll_seen(record, cx);
        }
        // The last edge is no time of this poll.
        record.edge.set(0);
        let polled = self.future().poll(cx);
        self.observed(polled)
    }

    #[inline]
    fn observed(&mut self, polled: Poll<F::Output>) -> Poll<Observed<F::Output>> {
        match polled {
            Poll::Pending => Poll::Pending,
            Poll::Ready(value) => Poll::Ready(self.end(value)),
        }
    }

    /// Hands the record on to the output, if there is one. Not inlined: once in a task's life, and it would take
    /// registers from every poll.
    #[inline(never)]
    fn end(&mut self, value: F::Output) -> Observed<F::Output> {
        match self.held.record() {
            Some(record) => {
                let output = Observed::new(value, record, self.describe);
                // Last: it may drop a waker of the runtime's, and should that panic, the output settles the record.
                self.held = Held::new(None);
                output
            }
            None => Observed::unrecorded(value),
        }
    }
}

impl<F: Future, D: Describe<F::Output>> Drop for Instrumented<F, D> {
    fn drop(&mut self) {
        if let Some(record) = self.held.record() {
            return self.drop_early(record);
        }
        // SAFETY: dropped here or by `drop_early`; `self` is not used again.
        unsafe { ManuallyDrop::drop(&mut self.future) };
    }
}

impl<F: Future, D: Describe<F::Output>> Instrumented<F, D> {
    /// The drop of a future that still has its record. It is not at its end: aborted, shut down, or unwound.
    #[cold]
    #[inline(never)]
    fn drop_early(&mut self, record: &'static Record) {
        let _gone = Gone::new(record);
        // SAFETY: called by `drop` alone, which does nothing more.
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
    #[cold]
    #[inline(never)]
    fn new(record: &'static Record) -> Self {
        let thread = thread::current();
        if let Some(thread) = thread {
            thread.set_dropping(1);
            shown::begin(record, thread);
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
    #[cold]
    #[inline(never)]
    fn drop(&mut self) {
        if let Some(thread) = self.thread {
            shown::end(self.record, thread);
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
        task::dropped(self.record, outcome, self.since);
        task::ended(self.record, outcome);
        task::task_gone(self.record, false);
    }
}

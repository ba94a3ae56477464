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

use std::future::Future;
use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::event::{Detail, ErrorText, Family};
use crate::level::{self, Level};
use crate::record::{Outcome, Record};
use crate::sync::Ordering;
use crate::task::{self, Asks, HandleShare, Meta};
use crate::thread::{self, Before, Thread};
use crate::waker::TaskWaker;
use crate::{backtrace, clock, is_err};

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
            .field("task", &self.record.map(|record| record.id.get()))
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
    let record = task::born::<F>(meta);
    let share = HandleShare::new(record.filter(|_| meta.asks == Asks::Handle));
    (
        Instrumented {
            record,
            waker: None,
            describe,
            future: ManuallyDrop::new(future),
        },
        share,
    )
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
        // SAFETY: as above.
        let future = unsafe { Pin::new_unchecked(&mut *this.future) };
        let (Some(record), Some(thread)) = (this.record, thread::current()) else {
            return future.poll(cx).map(|value| Observed {
                value: Some(value),
                record: this.record.take(),
                describe: this.describe,
            });
        };
        let polled = if level::level() == Level::Debug {
            poll_debug(future, cx, record, thread, &mut this.waker)
        } else {
            poll_quiet(future, cx, record, thread)
        };
        match polled {
            Poll::Pending => Poll::Pending,
            Poll::Ready(value) => {
                task::ended(
                    record,
                    if is_err::is_err(&value) {
                        Outcome::Error
                    } else {
                        Outcome::Ok
                    },
                );
                this.record = None;
                Poll::Ready(Observed {
                    value: Some(value),
                    record: Some(record),
                    describe: this.describe,
                })
            }
        }
    }
}

/// A poll that is published and not timed.
#[inline]
fn poll_quiet<F: Future>(
    future: Pin<&mut F>,
    cx: &mut Context<'_>,
    record: &'static Record,
    thread: &'static Thread,
) -> Poll<F::Output> {
    let guard = Published::new(record, thread, 0);
    let polled = future.poll(cx);
    guard.end();
    polled
}

/// A poll that is published, timed, and polled with the task's own waker.
#[inline]
fn poll_debug<F: Future>(
    future: Pin<&mut F>,
    cx: &mut Context<'_>,
    record: &'static Record,
    thread: &'static Thread,
    waker: &mut Option<TaskWaker>,
) -> Poll<F::Output> {
    let waker = match waker {
        Some(known) if known.stands_for(cx.waker()) => known,
        other => other.insert(TaskWaker::new(cx.waker(), record)),
    };
    let tally = thread.tally_of(record.site_id());
    let start = clock::ticks();
    let woken = record.woken.load(Ordering::Relaxed);
    if woken != 0 {
        record.woken.store(0, Ordering::Relaxed);
        let waited = clock::ticks_to_ns(start.saturating_sub(woken));
        record.scheduled_ns.bump(waited);
        tally.scheduled_ns.record(waited);
    }
    record.edge.set(start);
    let guard = Published::new(record, thread, start);
    let polled = waker.with(|waker| future.poll(&mut Context::from_waker(waker)));
    let outermost = guard.before.is_outermost();
    let seq = thread.seq();
    guard.end();
    let end = clock::ticks();
    let ns = clock::ticks_to_ns(
        end.saturating_sub(start)
            .saturating_sub(thread.take_excluded()),
    );
    record.edge.set(end);
    record.busy_ns.bump(ns);
    if ns > record.max_ns.get() {
        record.max_ns.set(ns);
    }
    tally.poll(ns);
    if outermost {
        thread.add_busy(ns);
    }
    if record.woken.load(Ordering::Relaxed) == 1 {
        // Woken from inside: it waits for its next poll since now.
        record.woken.store(end, Ordering::Relaxed);
    }
    if ns >= level::note_ns() {
        slow(record, thread, start, ns, seq);
    }
    polled
}

/// Tells of a poll that took long, unless the clock itself cannot be believed.
#[cold]
#[inline(never)]
fn slow(record: &'static Record, thread: &'static Thread, start: u64, ns: u64, thread_seq: u64) {
    // A counter that jumped (migration between unsynchronised cores, suspend) would invent slow polls.
    let drift = clock::mono_of(clock::ticks()).abs_diff(clock::mono_ns());
    if drift > (ns / 4).max(1_000_000) {
        return;
    }
    if thread.tally_of(record.site_id()).find(Family::SlowPoll) || ns >= level::slow_poll_ns() {
        let number = record.seq.get().div_ceil(2);
        let detail = Detail::Poll {
            start,
            ns,
            number,
            thread_seq,
        };
        thread.tell(task::finding(record, crate::StackId::NONE, detail));
    }
}

/// A poll as others see it, from its start to its end, be that a return or a panic.
struct Published {
    record: &'static Record,
    thread: &'static Thread,
    before: Before,
}

impl Published {
    #[inline]
    fn new(record: &'static Record, thread: &'static Thread, start: u64) -> Self {
        record.seq.bump(1);
        Self {
            record,
            thread,
            before: thread.enter(record, start),
        }
    }

    /// The poll returned.
    #[inline]
    fn end(self) {
        self.thread.leave(&self.before);
        self.record.seq.bump(1);
        std::mem::forget(self);
    }
}

impl Drop for Published {
    /// The poll unwound.
    #[cold]
    fn drop(&mut self) {
        self.thread.leave(&self.before);
        self.record.seq.bump(1);
        // Told again by the drop of the future, which sees this.
        self.record.set_outcome(Outcome::Panic);
        task::panicked(self.record);
    }
}

impl<F: Future> Drop for Instrumented<F> {
    fn drop(&mut self) {
        let Some(record) = self.record else {
            // SAFETY: dropped here and nowhere else; `self` is not used again.
            unsafe { ManuallyDrop::drop(&mut self.future) };
            return;
        };
        // Not at its end: aborted, shut down, or unwound. What its drop drops was not forgotten by anybody.
        let _gone = Gone::new(record);
        // SAFETY: as above.
        unsafe { ManuallyDrop::drop(&mut self.future) };
    }
}

/// Settles the record after the future's drop, also when that panics.
struct Gone {
    record: &'static Record,
    thread: Option<&'static Thread>,
}

impl Gone {
    fn new(record: &'static Record) -> Self {
        let thread = thread::current();
        if let Some(thread) = thread {
            thread.set_dropping(1);
        }
        Self { record, thread }
    }
}

impl Drop for Gone {
    fn drop(&mut self) {
        if let Some(thread) = self.thread {
            thread.set_dropping(-1);
        }
        let outcome = match self.record.outcome() {
            Outcome::None => Outcome::Aborted,
            known => known,
        };
        task::ended(self.record, outcome);
        task::task_gone(self.record, false);
    }
}

/// The output of a task, until somebody takes it. Dropped while full, nobody saw it.
pub struct Observed<T> {
    value: Option<T>,
    record: Option<&'static Record>,
    describe: Describe<T>,
}

impl<T> std::fmt::Debug for Observed<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Observed")
            .field("full", &self.value.is_some())
            .finish_non_exhaustive()
    }
}

impl<T> Observed<T> {
    /// The output; from here on it was seen.
    ///
    /// # Panics
    /// Never: the value is there until it is taken, and this takes `self`.
    #[inline]
    pub fn into_inner(mut self) -> T {
        if let Some(record) = self.record.take() {
            task::task_gone(record, true);
        }
        self.value
            .take()
            .expect("the output is there until it is taken")
    }
}

impl<T> Drop for Observed<T> {
    fn drop(&mut self) {
        let Some(record) = self.record else { return };
        if let Some(value) = &self.value
            && record.outcome() == Outcome::Error
        {
            leaked(record, value, self.describe);
        }
        // The value's own drop may panic or take long; the record is settled before.
        task::task_gone(record, false);
    }
}

#[cold]
fn leaked<T>(record: &'static Record, value: &T, describe: Describe<T>) {
    let Some(thread) = thread::current() else {
        return;
    };
    let tally = thread.tally_of(record.site_id());
    let Some(observed) = backtrace::of_finding(tally, Family::LeakedError) else {
        return;
    };
    let text = match describe {
        Some(describe) => describe(value),
        None => ErrorText {
            type_name: std::any::type_name::<T>(),
            ..ErrorText::default()
        },
    };
    thread.tell(task::finding(
        record,
        observed,
        Detail::Error(Box::new(text)),
    ));
}

/// A closure for the blocking pool, under our eyes.
pub fn instrument_blocking<F, R>(
    work: F,
    describe: Describe<R>,
    meta: &Meta<'_>,
) -> (impl FnOnce() -> Observed<R> + use<F, R>, HandleShare)
where
    F: FnOnce() -> R,
{
    let record = task::born::<F>(meta);
    let share = HandleShare::new(record.filter(|_| meta.asks == Asks::Handle));
    // A closure that never runs was aborted; one that unwinds panicked. The guard knows by what it sees at its end.
    let guard = record.map(Running::new);
    let run = move || {
        let (Some(guard), Some(thread)) = (guard, thread::current()) else {
            return Observed {
                value: Some(work()),
                record: None,
                describe,
            };
        };
        thread.set_role(thread::Role::Blocking, thread.runtime());
        let record = guard.record;
        let start = clock::ticks();
        record.edge.set(start);
        record.seq.bump(1);
        let value = work();
        record.seq.bump(1);
        let ns = clock::ticks_to_ns(clock::ticks().saturating_sub(start));
        record.busy_ns.bump(ns);
        record.max_ns.set(ns);
        std::mem::forget(guard);
        task::ended(
            record,
            if is_err::is_err(&value) {
                Outcome::Error
            } else {
                Outcome::Ok
            },
        );
        Observed {
            value: Some(value),
            record: Some(record),
            describe,
        }
    };
    (run, share)
}

/// Settles the record of a closure that did not return.
struct Running {
    record: &'static Record,
}

impl Running {
    fn new(record: &'static Record) -> Self {
        Self { record }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let begun = self.record.seq.get() != 0;
        if begun {
            self.record.seq.bump(1);
            task::panicked(self.record);
        }
        task::ended(
            self.record,
            if begun {
                Outcome::Panic
            } else {
                Outcome::Aborted
            },
        );
        task::task_gone(self.record, false);
    }
}

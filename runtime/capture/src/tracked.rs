//! A future that tells when it is dropped before its first poll.
//!
//! **Definite** needs proof that it was forgotten: made and dropped by one thread within one poll (or outside any),
//! with nothing in between that speaks of an owner. The proof is one number, the stamp of `Thread::stamp`: it
//! changes when a poll begins or ends, when any tracked future is polled, and when an owner that polls futures by turns
//! (`select!`, `join!`, `try_join!` of ours) says so. Everything else is *likely*: the future may have lost a race in
//! somebody's `select!`, or stood last in a `buffer_unordered` when another one's end was enough.
//!
//! Excused, because nobody forgot it: dropped while unwinding, inside the drop of a task that was aborted or shut
//! down, inside the drop of a tracked future that was polled and had not ended, by an owner that says so (`excuse`: our
//! `select!`, `join!` and `try_join!` do), or after `discard`.

#![expect(unsafe_code, reason = "pin projection, and a drop by hand")]

use std::future::Future;
use std::mem::{ManuallyDrop, needs_drop};
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::event::{Detail, Event, Family, Teller};
use crate::level::{self, Level};
use crate::record::Record;
use crate::sub::{self, Sub};
use crate::{SiteId, StackId, TaskKind, backtrace, clock, names, registry, thread};

/// A future that tells when it is dropped before its first poll. 16 bytes more than the future.
pub struct Tracked<F> {
    site: SiteId,
    stack: StackId,
    /// Where the thread stood when it was made; once it was polled, whether it has ended.
    stamp: u64,
    /// Structurally pinned. Dropped by hand: what a suspended future still held has an owner, itself.
    future: ManuallyDrop<F>,
}

/// In place of a stamp: polled, and not at its end. No stamp has thread number 0.
const SUSPENDED: u64 = 1;
/// In place of a stamp: at its end, or never followed.
const ENDED: u64 = 0;

fn is_unpolled(stamp: u64) -> bool {
    stamp > SUSPENDED
}

impl<F> std::fmt::Debug for Tracked<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tracked")
            .field("polled", &!is_unpolled(self.stamp))
            .finish_non_exhaustive()
    }
}

/// Tracks a future as made at `location`.
#[inline]
pub fn track_at<F>(future: F, location: &'static Location<'static>) -> Tracked<F> {
    registry::start();
    let untracked = |future| Tracked {
        site: SiteId::OTHER,
        stack: StackId::NONE,
        stamp: ENDED,
        future: ManuallyDrop::new(future),
    };
    if level::level() == Level::Off {
        return untracked(future);
    }
    let Some(local) = thread::local() else {
        return untracked(future);
    };
    let site = local.sites.find::<F>(location, TaskKind::Task);
    let tally = local.thread.tally_of(site);
    tally.made.bump(1);
    let stack = backtrace::of_creation(site, tally);
    Tracked {
        site,
        stack,
        stamp: local.thread.stamp(),
        future: ManuallyDrop::new(future),
    }
}

/// Tracks a future as made by the caller: dropping it before its first poll is reported.
///
/// ```
/// let report = pollscope_capture::tracked::track(async { 7 });
/// report.discard(); // on purpose: not reported
/// ```
#[track_caller]
#[inline]
pub fn track<F>(future: F) -> Tracked<F> {
    track_at(future, Location::caller())
}

impl<F> Tracked<F> {
    /// Drops the future without a report: it was made and is not wanted.
    pub fn discard(mut self) {
        self.stamp = ENDED;
    }
}

impl<F: Future> Future for Tracked<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        // SAFETY: `future` is structurally pinned: never moved out of a pinned `Tracked`; the rest is not pinned.
        let this = unsafe { self.get_unchecked_mut() };
        if this.stamp != ENDED {
            this.stamp = SUSPENDED;
            stir();
        }
        // SAFETY: as above; it is not moved before `drop`, which drops it in place.
        let future = unsafe { Pin::new_unchecked(&mut *this.future) };
        let polled = sub::poll(Sub::Tracked(this.site), || future.poll(cx));
        if polled.is_ready() {
            this.stamp = ENDED;
        }
        polled
    }
}

/// Says that what is unpolled on this thread now may have an owner: for macros that poll futures by turns.
#[inline]
pub fn stir() {
    if let Some(thread) = thread::current_if_known() {
        thread.stir();
    }
}

/// What is dropped unpolled on this thread from here to [`end_excuse`] was given up by an owner that knew what it
/// did: the losers of a `select!`, what a failed `try_join!` leaves. Nests.
#[inline]
pub fn begin_excuse() {
    if level::level() != Level::Off
        && let Some(thread) = thread::current()
    {
        thread.set_dropping(1);
    }
}

/// Ends what [`begin_excuse`] began.
#[inline]
pub fn end_excuse() {
    // None begun where the level was off, or while the thread ends.
    if let Some(thread) = thread::current_if_known()
        && thread.is_dropping()
    {
        thread.set_dropping(-1);
    }
}

/// Runs `work`; what it drops unpolled was not forgotten.
pub fn excuse<R>(work: impl FnOnce() -> R) -> R {
    let _excused = Excuse::begin();
    work()
}

/// Excuses until it is dropped, also by a panic.
struct Excuse;

impl Excuse {
    fn begin() -> Self {
        begin_excuse();
        Self
    }
}

impl Drop for Excuse {
    fn drop(&mut self) {
        end_excuse();
    }
}

impl<F> Drop for Tracked<F> {
    #[inline]
    fn drop(&mut self) {
        if is_unpolled(self.stamp) {
            forgotten(self.site, self.stack, self.stamp);
        }
        let _excused = (needs_drop::<F>() && self.stamp == SUSPENDED).then(Excuse::begin);
        // SAFETY: dropped here and nowhere else; `self` is not used again.
        unsafe { ManuallyDrop::drop(&mut self.future) };
    }
}

#[cold]
#[inline(never)]
fn forgotten(site: SiteId, created: StackId, stamp: u64) {
    let Some(local) = thread::local() else { return };
    let thread = &local.thread;
    // What found no room in the table of sites has no place to be told of.
    let nowhere = site == SiteId::OTHER;
    if nowhere || std::thread::panicking() || thread.is_dropping() || level::level() == Level::Off {
        return;
    }
    let tally = thread.tally_of(site);
    let definite = thread.stamp() == stamp;
    let family = if definite {
        Family::NeverAwaited
    } else {
        Family::Unpolled
    };
    let Some(observed) = backtrace::of_finding(tally, family) else {
        return;
    };
    let within = thread.current_record();
    let created_on = thread::all().find(|other| other.made_stamp(stamp));
    thread.tell(Event {
        at: clock::ticks(),
        site,
        task: within.map_or(0, |record| record.id.get()),
        task_name: names::share(within.map_or(0, Record::name)),
        created,
        created_tid: created_on.map_or(0, thread::Thread::tid),
        teller: match (within, created_on) {
            (Some(record), _) => Teller::about(record),
            (None, Some(maker)) => Teller::made_on(maker),
            (None, None) => Teller::default(),
        },
        observed,
        place: None,
        detail: Detail::Unpolled { definite },
    });
}

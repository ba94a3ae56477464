//! A task's record from spawn to end: who holds it, what is counted when, and what is told at the end.
//!
//! Two sides hold a record. The task side passes from the future to its output (`Observed`) without a count; the
//! handle side is the `JoinHandle`. Each leaves once; the second to leave tells of a panic that nobody read, and
//! frees the record.

mod aborts;
mod destroyed;
mod extras;
mod panics;
mod share;

pub use aborts::{Aborter, aborter};
pub(crate) use destroyed::dropped;
pub use destroyed::still_polled;
pub(crate) use extras::keep_span;
pub use extras::{Extras, LONGEST_SPAN, MAX_LABELS, extras, label};
pub(crate) use panics::panicked;
pub use share::HandleShare;

use std::any::type_name;
use std::panic::Location;

use crate::event::{Detail, Event, Family, NoteText, Teller};
use crate::instrumented::spans;
use crate::level::{self, Level};
use crate::protocol::sides::{ABORTED, EXTRAS, HANDLE_GONE, LISTED, READ};
use crate::record::{Birth, Outcome, Record, TaskKind};
use crate::thread::{Local, Role};
use crate::{SiteId, StackId, backtrace, clock, names, registry, thread};

/// Who will ask how the task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    /// A join handle, which gets the `HandleShare`.
    Handle,
    /// The caller, right away: `block_on`.
    Caller,
}

/// What the spawner knows.
#[derive(Clone, Copy, Debug)]
pub struct Meta<'a> {
    /// Where the user wrote it.
    pub location: &'static Location<'static>,
    /// What it is.
    pub kind: TaskKind,
    /// A name, if it was given one.
    pub name: Option<&'a str>,
    /// The runtime's number; 0: unknown.
    pub runtime: u16,
    /// Who will ask how it ended.
    pub asks: Asks,
}

/// The poll that runs on this thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PollHere {
    /// Our id of its task.
    pub task: u64,
    /// Which of the task's polls, from 1.
    pub poll: u64,
    /// What the task is.
    pub kind: TaskKind,
    /// What the thread is for.
    pub role: Role,
}

/// The poll of one of our tasks that runs here; the innermost.
pub fn poll_here() -> Option<PollHere> {
    let thread = thread::current_if_known()?;
    let record = thread.current_record()?;
    Some(PollHere {
        task: record.id.get(),
        poll: record.polls(),
        kind: record.kind(),
        role: thread.role(),
    })
}

/// Makes the record of a task whose future (or closure) is an `F`.
///
/// `None`, and the task runs without us, when the level is off, the thread is ending, or the table is full.
#[inline]
pub(crate) fn born<F>(meta: &Meta<'_>) -> Option<&'static Record> {
    born_as(type_name::<F>(), size_of::<F>(), meta)
}

/// As [`born`], of a future of which the name of its type is known, and its size; 0: not known.
#[expect(
    clippy::inline_always,
    reason = "left out of line it costs a spawn 55 instructions"
)]
#[inline(always)]
pub(crate) fn born_as(
    type_name: &'static str,
    bytes: usize,
    meta: &Meta<'_>,
) -> Option<&'static Record> {
    registry::start();
    if level::level() == Level::Off {
        return None;
    }
    let local = thread::local()?;
    let thread = &local.thread;
    let (number, record) = local.free.take()?;
    let mut site = local
        .sites
        .find_named(meta.location, type_name, bytes, meta.kind);
    let mut name = 0;
    if let Some(text) = meta.name {
        (site, name) = named(local, site, meta.kind, text);
    }
    let tally = thread.tally_of(site);
    tally.spawned.bump(1);
    tally.spawned_bytes.bump(bytes as u64);
    let parent = thread.current_record();
    record.publish(&Birth {
        number,
        id: local.next_id(),
        site,
        kind: meta.kind,
        runtime: match meta.runtime {
            0 => thread.runtime(),
            known => known,
        },
        parent: parent.map_or(0, |parent| parent.id.get()),
        created: clock::ticks(),
        stack: backtrace::of_creation(site, tally),
        name,
        sides: match meta.asks {
            Asks::Handle => 0,
            Asks::Caller => HANDLE_GONE | READ,
        },
    });
    spans::at_birth(record, thread);
    Some(record)
}

/// The site and the name's number of a task that has a name: requests are counted by theirs.
#[inline(never)]
fn named(local: &Local, place: SiteId, kind: TaskKind, text: &str) -> (SiteId, u32) {
    let text = names::kept(text);
    let number = names::hold(text);
    if kind == TaskKind::Request && number != 0 {
        return (local.named.find(place, number, text), number);
    }
    (place, number)
}

/// The task's future has ended now; counts it. Its output may live on.
#[inline]
pub(crate) fn ended(record: &'static Record, outcome: Outcome) {
    ended_at(record, outcome, clock::ticks());
}

/// The task's future has returned; counts it as of the end of its last poll, or of now if that was not timed. Its
/// output may live on.
#[inline]
pub(crate) fn returned(record: &'static Record, outcome: Outcome) {
    let end = match record.edge.get() {
        0 => clock::ticks(),
        end => end,
    };
    ended_at(record, outcome, end);
}

#[inline]
fn ended_at(record: &'static Record, outcome: Outcome, now: u64) {
    record.set_outcome(outcome);
    let lived = clock::ticks_to_ns(now.saturating_sub(record.created.get()));
    // From here on the edge is the end.
    record.edge.set(now);
    thread::with(|local| {
        let tally = local.thread.tally_of(record.site());
        tally.end(outcome, record.polls(), record.busy_ns.get(), lived);
    });
}

/// The task side is done: future and output are gone. `read`: somebody took the output.
#[inline]
pub(crate) fn task_gone(record: &'static Record, read: bool) {
    if let Some(bits) = record.sides.leave_task(if read { READ } else { 0 }) {
        last(record, bits);
    }
}

/// The last holder: tells of a panic nobody read, and frees the record.
#[inline]
fn last(record: &'static Record, bits: u32) {
    if level::level() == Level::Off {
        // A forked child: a lock may be held by a thread that does not exist here. The record stays.
        return;
    }
    if record.outcome() == Outcome::Panic {
        panics::settle(record, bits);
    }
    // One test for all: most tasks are in none.
    if bits & (ABORTED | LISTED | EXTRAS) != 0 {
        forget(record.id.get(), bits);
    }
    names::release(record.name());
    let number = record.sides.number();
    record.lives.end();
    thread::with(|local| local.free.give(number));
}

/// Takes the task out of the tables that know it by its id.
#[cold]
fn forget(id: u64, bits: u32) {
    if bits & ABORTED != 0 {
        aborts::forget(id);
    }
    if bits & LISTED != 0 {
        registry::unlist(id);
    }
    if bits & EXTRAS != 0 {
        extras::forget(id);
    }
}

/// A finding about this record's task.
pub(crate) fn finding(record: &Record, observed: StackId, detail: Detail) -> Event {
    Event {
        at: clock::ticks(),
        site: record.site(),
        task: record.id.get(),
        task_name: names::share(record.name()),
        created: record.stack(),
        created_tid: 0,
        teller: Teller::about(record),
        observed,
        place: None,
        detail,
    }
}

/// Tells of one of the rarer findings about this record's task, that happened at `place`. `text` is called where this is
/// one of those told in full.
#[cold]
pub(crate) fn note(
    record: &Record,
    family: Family,
    place: Option<&'static Location<'static>>,
    text: impl FnOnce() -> NoteText,
) {
    let Some(thread) = thread::current().filter(|_| !registry::is_off()) else {
        return;
    };
    let tally = thread.tally_of(record.site());
    let Some(observed) = backtrace::of_finding(tally, family) else {
        return;
    };
    let detail = Detail::Note(family, Box::new(text()));
    let mut event = finding(record, observed, detail);
    event.place = place;
    thread.tell(event);
}

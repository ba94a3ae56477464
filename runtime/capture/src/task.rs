//! A task's record from spawn to end: who holds it, what is counted when, and what is told at the end.
//!
//! Two sides hold a record. The task side passes from the future to its output (`Observed`) without a count; the
//! handle side is the `JoinHandle`. Each leaves once; the second to leave tells of a panic that nobody read, and
//! frees the record.

use std::collections::HashMap;
use std::panic::Location;
use std::sync::{Mutex, PoisonError};

use crate::event::{Detail, Event, Family, PanicText};
use crate::level::{self, Level};
use crate::record::{Birth, HANDLE_GONE, IN_SET, Outcome, READ, Record, TASK_GONE, TaskKind};
use crate::{StackId, backtrace, clock, names, panic, registry, site, slab, thread};

/// Who will ask how the task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    /// A join handle, which gets the `HandleShare`.
    Handle,
    /// A set that joins its tasks, and asks for panics by Tokio's id: see `panic_of`.
    Set,
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

/// Makes the record of a task whose future (or closure) is an `F`.
///
/// `None`, and the task runs without us, when the level is off, the thread is ending, or the table is full.
#[inline]
pub(crate) fn born<F>(meta: &Meta<'_>) -> Option<&'static Record> {
    registry::start();
    if level::level() == Level::Off {
        return None;
    }
    let local = thread::local()?;
    let site = local.sites.find::<F>(meta.location, meta.kind);
    let (number, record) = local.free.take()?;
    let tally = local.thread.tally_of(site);
    tally.spawned.bump(1);
    tally.spawned_bytes.bump(size_of::<F>() as u64);
    let birth = Birth {
        number,
        id: thread::next_id(local),
        site,
        kind: meta.kind,
        runtime: if meta.runtime == 0 {
            local.thread.runtime()
        } else {
            meta.runtime
        },
        parent: local
            .thread
            .current_record()
            .map_or(0, |parent| parent.id.get()),
        created: clock::ticks(),
        stack: backtrace::of_creation(site::get(site), tally),
        name: meta.name.map_or(0, names::hold),
        lifecycle: match meta.asks {
            Asks::Handle => 0,
            Asks::Set => HANDLE_GONE | IN_SET,
            Asks::Caller => HANDLE_GONE | READ,
        },
    };
    record.publish(&birth);
    Some(record)
}

/// The task's future has ended; counts it. Its output may live on.
#[inline]
pub(crate) fn ended(record: &'static Record, outcome: Outcome) {
    record.set_outcome(outcome);
    let Some(local) = thread::local() else { return };
    let site = record.site_id();
    let tally = local.thread.tally_of(site);
    tally.ended[outcome as usize].bump(1);
    tally
        .ended_bytes
        .bump(u64::from(site::get(site).future_bytes));
    tally.ended_polls.bump(record.seq.get().div_ceil(2));
    tally.ended_busy_ns.bump(record.busy_ns.get());
    let now = clock::ticks();
    tally
        .lifetime_ns
        .record(clock::ticks_to_ns(now.saturating_sub(record.created.get())));
    // From here on the edge is the end.
    record.edge.set(now);
}

/// A poll of the task unwound: keeps what the panic hook saw until somebody asks or nobody can any more.
#[cold]
pub(crate) fn panicked(record: &'static Record) {
    let text = panic::take().unwrap_or_default();
    if record.tokio_id.get() == 0 {
        record.tokio_id.set(registry::runtime_task_id());
    }
    let mut unread = UNREAD.lock().unwrap_or_else(PoisonError::into_inner);
    let unread = unread.get_or_insert_with(HashMap::new);
    if unread.len() < MAX_UNREAD {
        unread.insert(record.id.get(), text);
    }
}

/// Panics whose handle still lives, by our id. Only panics come here.
static UNREAD: Mutex<Option<HashMap<u64, PanicText>>> = Mutex::new(None);
const MAX_UNREAD: usize = 4096;

/// Panics of tasks in sets, by Tokio's id, until the set asks.
static IN_SETS: Mutex<Option<HashMap<u64, Event>>> = Mutex::new(None);

/// The task side is done: future and output are gone. `read`: somebody took the output.
#[inline]
pub(crate) fn task_gone(record: &'static Record, read: bool) {
    if let Some(bits) = record.leave(TASK_GONE | if read { READ } else { 0 }) {
        last(record, bits);
    }
}

/// The last holder: tells of a panic nobody read, and frees the record.
#[inline]
fn last(record: &'static Record, bits: u32) {
    if record.outcome() == Outcome::Panic {
        after_panic(record, bits);
    }
    names::release(record.name.load(crate::sync::Ordering::Relaxed));
    let number = record.number();
    record.retire();
    match thread::local() {
        Some(local) => local.free.give(number),
        None => slab::give_back(number),
    }
}

#[cold]
fn after_panic(record: &'static Record, bits: u32) {
    let text = UNREAD
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .as_mut()
        .and_then(|unread| unread.remove(&record.id.get()));
    if bits & READ != 0 {
        return;
    }
    let Some(local) = thread::local() else { return };
    let tally = local.thread.tally_of(record.site_id());
    let event = finding(
        record,
        text.as_ref().map_or(StackId::NONE, |text| text.stack),
        text_of(text),
    );
    if bits & IN_SET != 0 {
        let mut in_sets = IN_SETS.lock().unwrap_or_else(PoisonError::into_inner);
        let in_sets = in_sets.get_or_insert_with(HashMap::new);
        if in_sets.len() < MAX_UNREAD {
            in_sets.insert(record.tokio_id.get(), event);
        }
        return;
    }
    if tally.find(Family::LeakedPanic) {
        local.thread.tell(event);
    }
}

fn text_of(text: Option<PanicText>) -> Detail {
    Detail::Panic(Box::new(text.unwrap_or_default()))
}

/// A finding about this record's task.
pub(crate) fn finding(record: &Record, observed: StackId, detail: Detail) -> Event {
    Event {
        at: clock::ticks(),
        site: record.site_id(),
        task: record.id.get(),
        task_name: names::share(record.name.load(crate::sync::Ordering::Relaxed)),
        created: StackId(record.stack.load(crate::sync::Ordering::Relaxed)),
        created_tid: 0,
        observed,
        place: None,
        detail,
    }
}

/// A set learnt that a task of its own panicked. `read`: its user did, too; else nobody will, and it is told.
pub fn set_panicked(tokio_id: u64, read: bool) {
    let event = IN_SETS
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .as_mut()
        .and_then(|in_sets| in_sets.remove(&tokio_id));
    let (Some(event), false) = (event, read) else {
        return;
    };
    let Some(local) = thread::local() else { return };
    if local.thread.tally_of(event.site).find(Family::LeakedPanic) {
        local.thread.tell(event);
    }
}

/// The join handle's side of a record: one word.
#[derive(Debug)]
pub struct HandleShare(Option<&'static Record>);

impl HandleShare {
    pub(crate) fn new(record: Option<&'static Record>) -> Self {
        Self(record)
    }

    /// Our id of the task; 0 where it has no record.
    pub fn id(&self) -> u64 {
        self.0.map_or(0, |record| record.id.get())
    }

    /// Tells the record Tokio's id. The spawner, right after the spawn.
    #[inline]
    pub fn set_tokio_id(&self, id: u64) {
        if let Some(record) = self.0 {
            record.tokio_id.set(id);
        }
    }

    /// The user got to know how the task ended: a result, a panic or an abort.
    #[inline]
    pub fn mark_read(&self) {
        if let Some(record) = self.0 {
            record
                .lifecycle
                .fetch_or(READ, crate::sync::Ordering::Relaxed);
        }
    }
}

impl Drop for HandleShare {
    #[inline]
    fn drop(&mut self) {
        if let Some(record) = self.0
            && let Some(bits) = record.leave(HANDLE_GONE)
        {
            last(record, bits);
        }
    }
}

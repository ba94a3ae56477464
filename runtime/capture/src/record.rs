//! The record of one task: two cache lines, all atomic, written without read-modify-write by the thread that
//! polls, readable by anyone at any time.
//!
//! Line one is written by whoever owns the task right now (the spawner, then the thread that polls it). Tokio
//! hands a task from one thread to the next with the ordering that makes the plain stores here visible to the
//! next owner. Line two holds what others write (wakers, the join handle) and what is written once at spawn.
//!
//! Reading: `generation` is odd while the record belongs to a task and even while it is free; it grows at every
//! change of hands. A reader takes it first (Acquire), copies the fields, and takes it again behind an Acquire
//! fence: equal and odd means that every field belonged to that one task. The writer makes it even before the
//! fields are reused (a Release fence between) and odd after they are set (a Release store). Within one task a
//! snapshot may be torn across the end of one poll (its time counted, its number not yet): harmless, and the
//! price of two stores instead of a lock.
//!
//! `seq` is the number of poll edges: odd while a poll runs, so polls = (seq + 1) / 2.
//!
//! `lifecycle` is the one word that task and handle race for: each side sets its bit by one read-modify-write
//! at its end, and whoever comes second sees the other's bit, tells of a panic nobody read, and frees the record.

use crate::sync::{AtomicU32, AtomicU64, Counter, Ordering, fence};
use crate::{SiteId, StackId};

/// What a task is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum TaskKind {
    /// Spawned onto a runtime.
    #[default]
    Task = 1,
    /// Spawned onto a `LocalSet` or a local runtime.
    Local = 2,
    /// A closure on the blocking pool.
    Blocking = 3,
    /// The root future of `block_on`.
    BlockOn = 4,
    /// Work inside a library's own task.
    Request = 5,
    /// Seen through the runtime's hooks only.
    Foreign = 6,
}

impl TaskKind {
    fn from_u8(value: u8) -> Self {
        match value {
            2 => Self::Local,
            3 => Self::Blocking,
            4 => Self::BlockOn,
            5 => Self::Request,
            6 => Self::Foreign,
            _ => Self::Task,
        }
    }
}

/// How a task ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Outcome {
    /// It has not ended.
    #[default]
    None = 0,
    /// It returned, and not an `Err`.
    Ok = 1,
    /// It returned an `Err`.
    Error = 2,
    /// It panicked.
    Panic = 3,
    /// It was dropped before its end: aborted, or its runtime was shut down.
    Aborted = 4,
}

impl Outcome {
    fn from_u8(value: u8) -> Self {
        match value {
            1 => Self::Ok,
            2 => Self::Error,
            3 => Self::Panic,
            4 => Self::Aborted,
            _ => Self::None,
        }
    }
}

/// The task side is done: its future and its output are gone.
pub(crate) const TASK_GONE: u32 = 1;
/// The handle side is done: dropped, or there never was one.
pub(crate) const HANDLE_GONE: u32 = 1 << 1;
/// Somebody took the result, or the error in its place.
pub(crate) const READ: u32 = 1 << 2;
/// The task lives in a set that asks for panics by Tokio's id.
pub(crate) const IN_SET: u32 = 1 << 3;

/// Where the record's number starts in `lifecycle`.
const NUMBER_SHIFT: u32 = 8;

/// `bits`: kind in the lowest byte, outcome in the next, runtime in the upper half.
const OUTCOME_SHIFT: u32 = 8;
const RUNTIME_SHIFT: u32 = 16;

/// The record of one task.
#[derive(Debug)]
#[repr(C, align(128))]
pub struct Record {
    // Line one: the owner's.
    pub(crate) seq: Counter,
    pub(crate) busy_ns: Counter,
    pub(crate) max_ns: Counter,
    /// Ticks of the last edge: start of the poll that runs, or end of the last one.
    pub(crate) edge: Counter,
    pub(crate) scheduled_ns: Counter,
    pub(crate) self_wakes: Counter,
    pub(crate) id: Counter,
    pub(crate) generation: AtomicU32,
    pub(crate) site: AtomicU32,
    // Line two: others', and what is written once.
    pub(crate) wakes: AtomicU64,
    /// Ticks of the last wake that has not led to a poll yet; 0: none.
    pub(crate) woken: AtomicU64,
    pub(crate) last_waker: AtomicU64,
    pub(crate) created: Counter,
    pub(crate) tokio_id: Counter,
    pub(crate) parent: Counter,
    /// The record's own number in the upper 24 bits, and who is done with it.
    pub(crate) lifecycle: AtomicU32,
    pub(crate) bits: AtomicU32,
    pub(crate) stack: AtomicU32,
    /// While the task lives: its name. While the record is free: the next free record.
    pub(crate) name: AtomicU32,
}

#[cfg(not(loom))]
const _: () = assert!(size_of::<Record>() == 128);

/// What a record said at one moment, all of one task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Our id: never reused, below 2^53.
    pub id: u64,
    /// Tokio's id as a number; 0: unknown.
    pub tokio_id: u64,
    /// Where it was spawned, and its future's type.
    pub site: SiteId,
    /// What it is.
    pub kind: TaskKind,
    /// How it ended.
    pub outcome: Outcome,
    /// The runtime's number; 0: unknown.
    pub runtime: u16,
    /// Poll edges: odd while a poll runs.
    pub seq: u64,
    /// Time inside polls, in nanoseconds; only counted in debug.
    pub busy_ns: u64,
    /// The longest poll, in nanoseconds; only counted in debug.
    pub max_ns: u64,
    /// Ticks of the last edge; 0: not known (quiet).
    pub edge: u64,
    /// Time between a wake and the poll it led to, in nanoseconds; only counted in debug.
    pub scheduled_ns: u64,
    /// Wakes by others, and by nobody (timers, I/O); only counted in debug.
    pub wakes: u64,
    /// Wakes from inside its own poll; only counted in debug.
    pub self_wakes: u64,
    /// Ticks of the last wake that has not led to a poll yet; 0: none.
    pub woken: u64,
    /// The task that woke it last; 0: none, or no task.
    pub last_waker: u64,
    /// Ticks of the spawn.
    pub created: u64,
    /// The task that spawned it; 0: none.
    pub parent: u64,
    /// Its creation backtrace; `NONE`: see the site's.
    pub stack: StackId,
    /// Its name; 0: none.
    pub name: u32,
    /// Bits: see `is_done`, `handle`.
    pub lifecycle: u32,
    /// Which life of the record this is.
    pub generation: u32,
}

impl Snapshot {
    /// Polls begun.
    pub fn polls(&self) -> u64 {
        self.seq.div_ceil(2)
    }

    /// Whether a poll runs.
    pub fn is_polled(&self) -> bool {
        self.seq % 2 == 1
    }

    /// Whether the task has ended.
    pub fn is_done(&self) -> bool {
        self.outcome != Outcome::None
    }

    /// The join handle: `held`, `read` or `dropped`.
    pub fn handle(&self) -> &'static str {
        match (
            self.lifecycle & READ != 0,
            self.lifecycle & HANDLE_GONE != 0,
        ) {
            (true, _) => "read",
            (false, true) => "dropped",
            (false, false) => "held",
        }
    }
}

impl Record {
    #[cfg(not(loom))]
    pub(crate) const fn new() -> Self {
        Self {
            seq: Counter::new(),
            busy_ns: Counter::new(),
            max_ns: Counter::new(),
            edge: Counter::new(),
            scheduled_ns: Counter::new(),
            self_wakes: Counter::new(),
            id: Counter::new(),
            generation: AtomicU32::new(0),
            site: AtomicU32::new(0),
            wakes: AtomicU64::new(0),
            woken: AtomicU64::new(0),
            last_waker: AtomicU64::new(0),
            created: Counter::new(),
            tokio_id: Counter::new(),
            parent: Counter::new(),
            lifecycle: AtomicU32::new(0),
            bits: AtomicU32::new(0),
            stack: AtomicU32::new(0),
            name: AtomicU32::new(0),
        }
    }

    #[cfg(loom)]
    pub(crate) fn new() -> Self {
        Self {
            seq: Counter::new(),
            busy_ns: Counter::new(),
            max_ns: Counter::new(),
            edge: Counter::new(),
            scheduled_ns: Counter::new(),
            self_wakes: Counter::new(),
            id: Counter::new(),
            generation: AtomicU32::new(0),
            site: AtomicU32::new(0),
            wakes: AtomicU64::new(0),
            woken: AtomicU64::new(0),
            last_waker: AtomicU64::new(0),
            created: Counter::new(),
            tokio_id: Counter::new(),
            parent: Counter::new(),
            lifecycle: AtomicU32::new(0),
            bits: AtomicU32::new(0),
            stack: AtomicU32::new(0),
            name: AtomicU32::new(0),
        }
    }

    /// Fills a free record for a new task and publishes it. The caller just took it from the free list.
    #[inline]
    pub(crate) fn publish(&self, birth: &Birth) {
        // The fields change only behind the even generation that `retire` stored; its fence orders them for readers.
        fence(Ordering::Release);
        self.seq.set(0);
        self.busy_ns.set(0);
        self.max_ns.set(0);
        self.edge.set(0);
        self.scheduled_ns.set(0);
        self.self_wakes.set(0);
        self.id.set(birth.id);
        self.site.store(birth.site.0, Ordering::Relaxed);
        self.wakes.store(0, Ordering::Relaxed);
        self.woken.store(0, Ordering::Relaxed);
        self.last_waker.store(0, Ordering::Relaxed);
        self.created.set(birth.created);
        self.tokio_id.set(0);
        self.parent.set(birth.parent);
        self.lifecycle.store(
            birth.number << NUMBER_SHIFT | birth.lifecycle,
            Ordering::Relaxed,
        );
        self.bits.store(
            birth.kind as u32 | u32::from(birth.runtime) << RUNTIME_SHIFT,
            Ordering::Relaxed,
        );
        self.stack.store(birth.stack.0, Ordering::Relaxed);
        self.name.store(birth.name, Ordering::Relaxed);
        let generation = self.generation.load(Ordering::Relaxed);
        self.generation
            .store(generation.wrapping_add(1), Ordering::Release);
    }

    /// Ends a task's hold on the record, which must go back to the free list. The second of task and handle only.
    #[inline]
    pub(crate) fn retire(&self) {
        let generation = self.generation.load(Ordering::Relaxed);
        self.generation
            .store(generation.wrapping_add(1), Ordering::Release);
    }

    /// Reads the record; `None` while it is free or changes hands.
    pub fn read(&self) -> Option<Snapshot> {
        let generation = self.generation.load(Ordering::Acquire);
        if generation.is_multiple_of(2) {
            return None;
        }
        let bits = self.bits.load(Ordering::Relaxed);
        let snapshot = Snapshot {
            id: self.id.get(),
            tokio_id: self.tokio_id.get(),
            site: SiteId(self.site.load(Ordering::Relaxed)),
            kind: TaskKind::from_u8(bits as u8),
            outcome: Outcome::from_u8((bits >> OUTCOME_SHIFT) as u8),
            runtime: (bits >> RUNTIME_SHIFT) as u16,
            seq: self.seq.get(),
            busy_ns: self.busy_ns.get(),
            max_ns: self.max_ns.get(),
            edge: self.edge.get(),
            scheduled_ns: self.scheduled_ns.get(),
            wakes: self.wakes.load(Ordering::Relaxed),
            self_wakes: self.self_wakes.get(),
            woken: self.woken.load(Ordering::Relaxed),
            last_waker: self.last_waker.load(Ordering::Relaxed),
            created: self.created.get(),
            parent: self.parent.get(),
            stack: StackId(self.stack.load(Ordering::Relaxed)),
            name: self.name.load(Ordering::Relaxed),
            lifecycle: self.lifecycle.load(Ordering::Relaxed),
            generation,
        };
        fence(Ordering::Acquire);
        (self.generation.load(Ordering::Relaxed) == generation).then_some(snapshot)
    }

    /// The site of the task that holds the record.
    #[inline]
    pub(crate) fn site_id(&self) -> SiteId {
        SiteId(self.site.load(Ordering::Relaxed))
    }

    /// How the task ended. The owner, before it sets `TASK_GONE`.
    pub(crate) fn set_outcome(&self, outcome: Outcome) {
        let bits = self.bits.load(Ordering::Relaxed);
        self.bits.store(
            bits & !(0xff << OUTCOME_SHIFT) | (outcome as u32) << OUTCOME_SHIFT,
            Ordering::Relaxed,
        );
    }

    /// How the task ended, as far as this side may know.
    pub(crate) fn outcome(&self) -> Outcome {
        Outcome::from_u8((self.bits.load(Ordering::Relaxed) >> OUTCOME_SHIFT) as u8)
    }

    /// The record's number in the slab.
    pub(crate) fn number(&self) -> u32 {
        self.lifecycle.load(Ordering::Relaxed) >> NUMBER_SHIFT
    }

    /// Ends one side's hold. The bits of both for the second side, which owns the record from here on.
    #[inline]
    pub(crate) fn leave(&self, bits: u32) -> Option<u32> {
        let before = self.lifecycle.fetch_or(bits, Ordering::AcqRel);
        let other = if bits & TASK_GONE != 0 {
            HANDLE_GONE
        } else {
            TASK_GONE
        };
        (before & other != 0).then_some(before | bits)
    }
}

/// What is known of a task when it is spawned.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Birth {
    pub(crate) number: u32,
    pub(crate) id: u64,
    pub(crate) site: SiteId,
    pub(crate) kind: TaskKind,
    pub(crate) runtime: u16,
    pub(crate) parent: u64,
    pub(crate) created: u64,
    pub(crate) stack: StackId,
    pub(crate) name: u32,
    pub(crate) lifecycle: u32,
}

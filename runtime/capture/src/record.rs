//! The record of one task: two cache lines, all atomic, written without read-modify-write by the thread that
//! polls, readable by anyone at any time.
//!
//! Line one is written by whoever owns the task right now (the spawner, then the thread that polls it). Tokio
//! hands a task from one thread to the next with the ordering that makes the plain stores here visible to the
//! next owner. Line two holds what others write (wakers, the join handle) and what is written once at spawn.
//!
//! Records are reused: `Lives` tells a reader one task from the next. Within one task a snapshot may be torn
//! across the end of one poll (its time counted, its number not yet): harmless, and the price of two stores
//! instead of a lock. `Sides` says who still holds the record.
//!
//! `seq` is the number of poll edges: odd while a poll runs, so polls = (seq + 1) / 2. `edge` is the time of
//! the last one, or 0 where the poll was not timed.

mod kind;
mod snapshot;

pub use kind::{Outcome, TaskKind};
pub use snapshot::Snapshot;

use crate::instrumented::WOKEN_WITHIN;
use crate::level::{self, Level};
use crate::protocol::counter::Counter;
use crate::protocol::lives::Lives;
use crate::protocol::sides::Sides;
use crate::sync::{AtomicU32, AtomicU64, Ordering};
use crate::waker::ON_THREAD;
use crate::{SiteId, StackId};

/// `bits`: kind in the lowest byte, outcome in the next, runtime in the upper half.
const OUTCOME_SHIFT: u32 = 8;
const RUNTIME_SHIFT: u32 = 16;

/// In `self_wakes`: an address in place of a count. No program has memory there.
const READER: u64 = 1 << 63;

/// The record of one task.
#[derive(Debug, Default)]
#[repr(C, align(128))]
pub struct Record {
    // Line one: the owner's.
    pub(crate) seq: Counter,
    pub(crate) busy_ns: Counter,
    pub(crate) max_ns: Counter,
    /// Ticks of the last edge: start of the poll that runs, or end of the last one. 0: not timed.
    pub(crate) edge: Counter,
    pub(crate) scheduled_ns: Counter,
    /// Wakes from inside its own poll; once it ended in an error nobody took yet: see `error_reader`.
    pub(crate) self_wakes: Counter,
    pub(crate) id: Counter,
    pub(crate) lives: Lives,
    site: AtomicU32,
    // Line two: others', and what is written once.
    pub(crate) wakes: AtomicU64,
    /// Ticks of the first wake that has not led to a poll yet; 0: none.
    pub(crate) woken: AtomicU64,
    /// The task that woke it last, or the thread: see `ON_THREAD`; 0: none.
    pub(crate) last_waker: AtomicU64,
    pub(crate) created: Counter,
    pub(crate) tokio_id: Counter,
    parent: Counter,
    pub(crate) sides: Sides,
    bits: AtomicU32,
    /// Its creation backtrace. While the record is free: the batch below.
    stack: AtomicU32,
    /// Its name. While the record is free: the next of its batch.
    name: AtomicU32,
}

const _: () = assert!(size_of::<Record>() == 128);

/// What is known of a task when it is spawned.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Birth {
    /// The record's number in the slab.
    pub(crate) number: u32,
    pub(crate) id: u64,
    pub(crate) site: SiteId,
    pub(crate) kind: TaskKind,
    pub(crate) runtime: u16,
    pub(crate) parent: u64,
    /// Ticks.
    pub(crate) created: u64,
    pub(crate) stack: StackId,
    pub(crate) name: u32,
    /// Sides that are gone from the start: see `sides`.
    pub(crate) sides: u32,
}

impl Record {
    /// Fills a free record for a new task and shows it. The caller just took it from the free list.
    #[inline]
    pub(crate) fn publish(&self, birth: &Birth) {
        self.lives.begin(|| {
            for counter in [
                &self.seq,
                &self.busy_ns,
                &self.max_ns,
                &self.edge,
                &self.scheduled_ns,
                &self.self_wakes,
                &self.tokio_id,
            ] {
                counter.set(0);
            }
            for word in [&self.wakes, &self.woken, &self.last_waker] {
                word.store(0, Ordering::Relaxed);
            }
            self.id.set(birth.id);
            self.created.set(birth.created);
            self.parent.set(birth.parent);
            self.sides.start(birth.number, birth.sides);
            self.site.store(birth.site.0, Ordering::Relaxed);
            let bits = birth.kind as u32 | u32::from(birth.runtime) << RUNTIME_SHIFT;
            self.bits.store(bits, Ordering::Relaxed);
            self.stack.store(birth.stack.0, Ordering::Relaxed);
            self.name.store(birth.name, Ordering::Relaxed);
        });
    }

    /// Reads the record; `None` while it is free or changes hands.
    pub fn read(&self) -> Option<Snapshot> {
        self.lives.read(|generation| {
            let bits = self.bits.load(Ordering::Relaxed);
            let waker = self.last_waker.load(Ordering::Relaxed);
            let by_task = waker & ON_THREAD == 0;
            Snapshot {
                id: self.id.get(),
                tokio_id: self.tokio_id.get(),
                site: self.site(),
                kind: TaskKind::from_u8(bits as u8),
                outcome: Outcome::from_u8((bits >> OUTCOME_SHIFT) as u8),
                runtime: (bits >> RUNTIME_SHIFT) as u16,
                seq: self.seq.get(),
                busy_ns: self.busy_ns.get(),
                max_ns: self.max_ns.get(),
                edge: self.edge.get(),
                scheduled_ns: self.scheduled_ns.get(),
                wakes: self.wakes.load(Ordering::Relaxed),
                self_wakes: self.self_wakes(),
                woken: self.woken(),
                last_waker: if by_task { waker } else { 0 },
                last_waker_tid: if by_task { 0 } else { waker as u32 },
                created: self.created.get(),
                parent: self.parent.get(),
                stack: self.stack(),
                name: self.name(),
                sides: self.sides.bits(),
                generation,
            }
        })
    }

    /// Wakes from inside its own poll; unknown, and so 0, once the word is another's: see `error_reader`.
    fn self_wakes(&self) -> u64 {
        let word = self.self_wakes.get();
        if word & READER == 0 { word } else { 0 }
    }

    /// Ticks of the wake it waits for its next poll since. In quiet wakes are not noted, nor polls that answer them.
    fn woken(&self) -> u64 {
        let woken = self.woken.load(Ordering::Relaxed);
        let within = woken == WOKEN_WITHIN && self.seq.get() % 2 == 1;
        let known = within || woken >= level::debug_since_ticks();
        if known && level::level() == Level::Debug {
            woken
        } else {
            0
        }
    }

    // What follows is for those who hold the record.

    /// The task's site.
    #[inline]
    pub(crate) fn site(&self) -> SiteId {
        SiteId(self.site.load(Ordering::Relaxed))
    }

    /// The task's own creation backtrace.
    pub(crate) fn stack(&self) -> StackId {
        StackId(self.stack.load(Ordering::Relaxed))
    }

    /// Number of the task's name; 0: none.
    #[inline]
    pub(crate) fn name(&self) -> u32 {
        self.name.load(Ordering::Relaxed)
    }

    /// Number of the task's runtime; 0: unknown.
    pub(crate) fn runtime(&self) -> u16 {
        (self.bits.load(Ordering::Relaxed) >> RUNTIME_SHIFT) as u16
    }

    /// What the task is.
    pub(crate) fn kind(&self) -> TaskKind {
        TaskKind::from_u8(self.bits.load(Ordering::Relaxed) as u8)
    }

    /// Polls begun.
    #[inline]
    pub(crate) fn polls(&self) -> u64 {
        self.seq.get().div_ceil(2)
    }

    /// How the task ended, as far as this side may know.
    #[inline]
    pub(crate) fn outcome(&self) -> Outcome {
        Outcome::from_u8((self.bits.load(Ordering::Relaxed) >> OUTCOME_SHIFT) as u8)
    }

    /// How the task ended. The owner, before its side leaves.
    #[inline]
    pub(crate) fn set_outcome(&self, outcome: Outcome) {
        let others = self.bits.load(Ordering::Relaxed) & !(0xff << OUTCOME_SHIFT);
        let bits = others | (outcome as u32) << OUTCOME_SHIFT;
        self.bits.store(bits, Ordering::Relaxed);
    }

    /// Notes how the text of the task's error is read: an address for whoever holds the output. The owner, once the
    /// task has ended: nobody counts its own wakes any more.
    #[cold]
    pub(crate) fn set_error_reader(&self, reader: *const ()) {
        self.self_wakes
            .set(reader.expose_provenance() as u64 | READER);
    }

    /// What `set_error_reader` noted in this life, if it did.
    pub(crate) fn error_reader(&self) -> Option<*const ()> {
        let word = self.self_wakes.get();
        let at = (word & !READER) as usize;
        (word & READER != 0).then(|| std::ptr::with_exposed_provenance(at))
    }

    // While the record is free.

    /// Where a free record keeps the next of its batch.
    pub(crate) fn next(&self) -> &AtomicU32 {
        &self.name
    }

    /// Where the first record of a free batch keeps the batch below.
    pub(crate) fn below(&self) -> &AtomicU32 {
        &self.stack
    }
}

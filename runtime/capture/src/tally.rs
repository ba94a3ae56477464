//! What one thread counted for one site. Plain stores: the thread is the only writer, and the next thread that
//! takes over its slot goes on from there, so nothing is ever folded and counts stay exact at any rate.

#![expect(
    unsafe_code,
    reason = "tallies are leaked and read through their thread's table"
)]

use std::sync::atomic::{AtomicPtr, Ordering};

use crate::SiteId;
use crate::event::Family;
use crate::histogram::Histogram;
use crate::protocol::counter::Counter;
use crate::record::Outcome;
use crate::site::MAX_SITES;

/// Counters of one thread for one site.
#[derive(Debug, Default)]
pub struct Tally {
    /// Tasks spawned by this thread.
    pub spawned: Counter,
    /// Bytes of their futures.
    pub spawned_bytes: Counter,
    /// Futures tracked and values made by this thread: no tasks, nobody counts their ends.
    pub made: Counter,
    /// Tasks that ended on this thread, by outcome.
    pub ended: [Counter; 5],
    /// Polls of the tasks that ended on this thread, wherever they were polled.
    pub ended_polls: Counter,
    /// Time in polls of the tasks that ended on this thread; debug only.
    pub ended_busy_ns: Counter,
    /// Poll times on this thread; debug only.
    pub poll_ns: Histogram,
    /// The longest poll on this thread; debug only.
    pub max_poll_ns: Counter,
    /// Time from wake to poll on this thread; debug only.
    pub scheduled_ns: Histogram,
    /// Life times of the tasks that ended on this thread.
    pub lifetime_ns: Histogram,
    /// Findings of each family made on this thread, told or not.
    pub found: [Counter; Family::COUNT],
}

impl Tally {
    /// How many tasks ended here, however.
    pub fn ended(&self) -> u64 {
        self.ended.iter().map(Counter::get).sum()
    }

    /// How many tasks ended here with this outcome.
    pub fn ended_with(&self, outcome: Outcome) -> u64 {
        self.ended[outcome as usize].get()
    }

    /// Counts a task that has ended on this thread. The owner.
    #[inline]
    pub(crate) fn end(&self, outcome: Outcome, polls: u64, busy_ns: u64, lived_ns: u64) {
        self.ended[outcome as usize].bump(1);
        self.ended_polls.bump(polls);
        self.ended_busy_ns.bump(busy_ns);
        self.lifetime_ns.record(lived_ns);
    }

    /// Counts a finished poll. The owner.
    #[inline]
    pub(crate) fn poll(&self, ns: u64) {
        self.poll_ns.record(ns);
        if ns > self.max_poll_ns.get() {
            self.max_poll_ns.set(ns);
        }
    }

    /// Counts a finding; true while this one should be told with all that is known. The owner.
    ///
    /// The first few are told, then every 64th: a storm of findings costs a counter each.
    #[inline]
    pub(crate) fn find(&self, family: Family) -> bool {
        let found = &self.found[family as usize];
        found.bump(1);
        let n = found.get();
        n <= 8 || n.is_multiple_of(64)
    }

    /// How many things this thread has made here. The owner.
    #[inline]
    pub(crate) fn created(&self) -> u64 {
        self.spawned.get() + self.made.get()
    }
}

const CHUNK: usize = 64;
type Chunk = [AtomicPtr<Tally>; CHUNK];

/// All tallies of one thread, made as sites turn up. Two levels: most threads see few sites.
#[derive(Debug)]
pub(crate) struct Tallies([AtomicPtr<Chunk>; MAX_SITES / CHUNK]);

impl Tallies {
    pub(crate) const fn new() -> Self {
        Self([const { AtomicPtr::new(std::ptr::null_mut()) }; MAX_SITES / CHUNK])
    }

    /// The tally of a site, if this thread has one. Any thread.
    #[inline]
    pub(crate) fn get(&self, site: SiteId) -> Option<&'static Tally> {
        let chunk = self.0.get(site.0 as usize / CHUNK)?.load(Ordering::Acquire);
        if chunk.is_null() {
            return None;
        }
        // SAFETY: a published chunk was leaked by `make` and is only ever shared.
        let tally = unsafe { &*chunk }[site.0 as usize % CHUNK].load(Ordering::Acquire);
        // SAFETY: a published tally was leaked by `make` and is only ever shared.
        unsafe { tally.as_ref() }
    }

    /// The tally of a site, a new one if need be. The owner.
    #[inline]
    pub(crate) fn of(&self, site: SiteId) -> &'static Tally {
        match self.get(site) {
            Some(tally) => tally,
            None => self.make(site),
        }
    }

    /// Allocates: once per thread and site.
    #[cold]
    #[inline(never)]
    fn make(&self, site: SiteId) -> &'static Tally {
        let site = if (site.0 as usize) < MAX_SITES {
            site.0 as usize
        } else {
            0
        };
        let entry = &self.0[site / CHUNK];
        let mut chunk = entry.load(Ordering::Acquire);
        if chunk.is_null() {
            chunk = Box::into_raw(Box::new(
                [const { AtomicPtr::new(std::ptr::null_mut()) }; CHUNK],
            ));
            entry.store(chunk, Ordering::Release);
        }
        // SAFETY: non-null chunks were leaked here and are only ever shared.
        let place = &unsafe { &*chunk }[site % CHUNK];
        let known = place.load(Ordering::Acquire);
        // SAFETY: non-null tallies were leaked here and are only ever shared.
        if let Some(tally) = unsafe { known.as_ref() } {
            return tally;
        }
        let tally: &'static Tally = Box::leak(Box::new(Tally::default()));
        place.store(std::ptr::from_ref(tally).cast_mut(), Ordering::Release);
        tally
    }
}

//! What one thread counted for one site. Plain stores: the thread is the only writer, and the next thread that
//! takes over its slot goes on from there, so nothing is ever folded and counts stay exact at any rate.

#![expect(
    unsafe_code,
    reason = "tallies are leaked and read through their thread's table"
)]

use std::sync::atomic::{AtomicPtr, Ordering};

use crate::SiteId;
use crate::event::Family;
use crate::histogram::{Histogram, LONG};
use crate::level;
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
    /// The longest poll on this thread, of those that were the longest of their task; debug only. The greatest of all
    /// threads' is the site's.
    pub max_poll_ns: Counter,
    /// Time from wake to poll on this thread; debug only.
    pub scheduled_ns: Histogram<LONG>,
    /// Life times of the tasks that ended on this thread.
    pub lifetime_ns: Histogram<LONG>,
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

    /// Counts a finished poll that was the longest of its task: it may be the longest of the site. The owner.
    #[inline]
    pub(crate) fn longest(&self, ns: u64) {
        if ns > self.max_poll_ns.get() {
            self.max_poll_ns.set(ns);
        }
    }

    /// Counts a finding; true while this one should be told with all that is known. The owner.
    ///
    /// The first few are told, then every 64th: a storm of findings costs a counter each. All of them where each
    /// is to be a record, or a test must be told for it.
    #[inline]
    pub(crate) fn find(&self, family: Family) -> bool {
        let found = &self.found[family as usize];
        found.bump(1);
        let n = found.get();
        n <= 8 || n.is_multiple_of(64) || level::is_told_in_full()
    }

    /// How many things this thread has made here. The owner.
    #[inline]
    pub(crate) fn created(&self) -> u64 {
        self.spawned.get() + self.made.get()
    }
}

/// Sites whose tally is found at once: more than most programs have.
const NEAR: usize = 128;
/// How many sites a chunk of the others holds.
const CHUNK: usize = 64;
type Chunk = [AtomicPtr<Tally>; CHUNK];

/// All tallies of one thread, made as sites turn up. Two levels past the first sites: most threads see few.
#[derive(Debug)]
pub(crate) struct Tallies {
    near: [AtomicPtr<Tally>; NEAR],
    far: [AtomicPtr<Chunk>; MAX_SITES / CHUNK],
}

impl Tallies {
    pub(crate) const fn new() -> Self {
        Self {
            near: [const { AtomicPtr::new(std::ptr::null_mut()) }; NEAR],
            far: [const { AtomicPtr::new(std::ptr::null_mut()) }; MAX_SITES / CHUNK],
        }
    }

    /// The tally of a site, if this thread has one. Any thread.
    #[inline]
    pub(crate) fn get(&self, site: SiteId) -> Option<&'static Tally> {
        let place = match self.near.get(site.0 as usize) {
            Some(place) => place,
            None => self.far(site)?,
        };
        // SAFETY: a published tally was leaked by `make` and is only ever shared.
        unsafe { place.load(Ordering::Acquire).as_ref() }
    }

    /// Where the tally of a later site stands, if its chunk is there.
    fn far(&self, site: SiteId) -> Option<&'static AtomicPtr<Tally>> {
        let chunk = self
            .far
            .get(site.0 as usize / CHUNK)?
            .load(Ordering::Acquire);
        // SAFETY: a published chunk was leaked by `make` and is only ever shared.
        let chunk = unsafe { chunk.as_ref() }?;
        Some(&chunk[site.0 as usize % CHUNK])
    }

    /// The tally of one of the first sites, if it is there.
    #[inline]
    pub(crate) fn near(&self, site: SiteId) -> Option<&'static Tally> {
        let place = self.near.get(site.0 as usize)?;
        // SAFETY: a published tally was leaked by `make` and is only ever shared.
        unsafe { place.load(Ordering::Acquire).as_ref() }
    }

    /// The tally of a site, a new one if need be. The owner.
    #[inline]
    pub(crate) fn of(&self, site: SiteId) -> &'static Tally {
        match self.near(site) {
            Some(tally) => tally,
            None => self.find(site),
        }
    }

    #[cold]
    #[inline(never)]
    fn find(&self, site: SiteId) -> &'static Tally {
        let site = if (site.0 as usize) < MAX_SITES {
            site
        } else {
            SiteId::OTHER
        };
        match self.get(site) {
            Some(tally) => tally,
            None => self.make(site),
        }
    }

    /// Allocates: once per thread and site.
    fn make(&self, site: SiteId) -> &'static Tally {
        let tally: &'static Tally = Box::leak(Box::new(Tally::default()));
        let leaked = std::ptr::from_ref(tally).cast_mut();
        match self.near.get(site.0 as usize) {
            Some(place) => place.store(leaked, Ordering::Release),
            None => self.chunk(site)[site.0 as usize % CHUNK].store(leaked, Ordering::Release),
        }
        tally
    }

    /// The chunk of a later site, a new one if need be.
    fn chunk(&self, site: SiteId) -> &'static Chunk {
        let entry = &self.far[site.0 as usize / CHUNK];
        // SAFETY: non-null chunks were leaked here and are only ever shared.
        if let Some(chunk) = unsafe { entry.load(Ordering::Acquire).as_ref() } {
            return chunk;
        }
        let none = [const { AtomicPtr::new(std::ptr::null_mut()) }; CHUNK];
        let chunk: &'static Chunk = Box::leak(Box::new(none));
        entry.store(std::ptr::from_ref(chunk).cast_mut(), Ordering::Release);
        chunk
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_site_has_a_tally_of_its_own_and_what_is_past_the_last_shares_one() {
        let tallies = Tallies::new();
        let sites = [0, 1, NEAR - 1, NEAR, NEAR + CHUNK, MAX_SITES - 1];
        for site in sites.map(|site| SiteId(site as u32)) {
            assert!(tallies.get(site).is_none());
            let tally = tallies.of(site);
            tally.made.bump(u64::from(site.0) + 1);
            assert!(std::ptr::eq(tally, tallies.of(site)));
        }
        for site in sites.map(|site| SiteId(site as u32)) {
            let made = tallies.get(site).map(|tally| tally.made.get());
            assert_eq!(made, Some(u64::from(site.0) + 1));
        }
        let past = tallies.of(SiteId(MAX_SITES as u32 + 7));
        assert!(std::ptr::eq(past, tallies.of(SiteId::OTHER)));
    }
}

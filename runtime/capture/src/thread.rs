//! One slot per thread: what it polls right now, what it counted, what it has to tell.
//!
//! Slots are leaked and reused: when a thread ends, the next new thread goes on with its slot, counters
//! included. What a thread polls is a `Post`: equal numbers before and after mean the same poll. When that poll
//! began stands in the task's record.

mod local;

pub(crate) use local::{Local, current_if_known, level_changed, local, local_if_known, tid, with};
pub use local::{all, current};

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, TryLockError};

use crate::SiteId;
use crate::clock;
use crate::event::{Event, Teller};
use crate::protocol::counter::Counter;
use crate::protocol::post::Post;
use crate::protocol::ring::Ring;
use crate::record::Record;
use crate::scope::{self, Belongs};
use crate::stack::ThreadHandle;
use crate::tally::{Tallies, Tally};

/// Events one thread can have waiting for the collector.
const RING: usize = 512;

/// What a thread is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Role {
    /// Not known: a thread of the program's own.
    #[default]
    Other = 0,
    /// A worker of a runtime.
    Worker = 1,
    /// A thread of a blocking pool.
    Blocking = 2,
    /// Drives a `LocalSet`, a current-thread or a local runtime.
    Local = 3,
    /// One of pollscope's.
    Ours = 4,
}

/// The slot of one thread. What every poll touches comes first, and shares no cache line with another thread's.
#[derive(Debug)]
#[repr(C, align(128))]
pub struct Thread {
    /// The record that is polled here now.
    poll: Post<Record>,
    /// Whether the level is debug: here it costs a poll less than the global word.
    debug: AtomicBool,
    /// Grows at everything that speaks against "made and dropped with nothing between": see `tracked`.
    activity: Counter,
    /// Parks and unparks of a worker: odd while parked.
    parks: Counter,
    /// Whether `parks` is kept for this thread.
    hooked: AtomicBool,
    /// Nanoseconds inside outermost polls; debug only.
    busy_ns: Counter,
    /// Depth of blocking regions: inside one the thread may block.
    paused: Counter,
    /// Blocking regions so far.
    pauses: Counter,
    /// Depth of task drops: futures dropped inside one are excused.
    dropping: Counter,
    /// Drops shown in place of a poll.
    drops: Counter,
    told: Told,
    tid: AtomicU32,
    runtime: AtomicU32,
    /// The scope that was opened here; 0: none.
    scope: AtomicU32,
    role: AtomicU8,
    tallies: Tallies,
    ring: OnceLock<Ring<Event>>,
    identity: Mutex<Identity>,
    number: u32,
    /// The first stamp of the thread that has the slot now.
    first_stamp: Counter,
}

/// What is set when a thread takes its slot.
#[derive(Clone, Debug, Default)]
struct Identity {
    name: Option<Arc<str>>,
    handle: Option<Arc<ThreadHandle>>,
}

/// Time within a poll that was told of a poll inside it, and so is excused there: what is around that poll was busy for
/// as long, too. It goes from each poll to the one around it, when that ends.
///
/// One poll at a time has some: of two slow polls, at different depths below one and the same poll, the first is forgotten
/// outside of that.
#[derive(Debug, Default)]
struct Told {
    task: Counter,
    /// As the task's record will have it at the end of its poll.
    seq: Counter,
    ns: Counter,
}

/// What a thread does, as the watchdog sees it.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// The record that is polled.
    pub record: &'static Record,
    /// Changes at every start and end of a poll: the same number means the same poll.
    pub seq: u64,
    /// Ticks of its start, never too early; 0: not known (quiet).
    pub start: u64,
}

// The owner's side. All plain stores.
impl Thread {
    fn new(number: u32) -> Self {
        Self {
            poll: Post::default(),
            debug: AtomicBool::new(false),
            activity: Counter::default(),
            parks: Counter::default(),
            hooked: AtomicBool::new(false),
            busy_ns: Counter::default(),
            paused: Counter::default(),
            pauses: Counter::default(),
            dropping: Counter::default(),
            drops: Counter::default(),
            told: Told::default(),
            tid: AtomicU32::new(0),
            runtime: AtomicU32::new(0),
            scope: AtomicU32::new(0),
            role: AtomicU8::new(Role::Other as u8),
            tallies: Tallies::new(),
            ring: OnceLock::new(),
            identity: Mutex::default(),
            number,
            first_stamp: Counter::default(),
        }
    }

    /// Whether polls are timed.
    #[inline]
    pub(crate) fn is_debug(&self) -> bool {
        self.debug.load(Ordering::Relaxed)
    }

    /// Polls are not timed any more, here: in a forked child.
    pub(crate) fn forget_debug(&self) {
        self.debug.store(false, Ordering::Relaxed);
    }

    /// Publishes the poll that begins, its edge already set; gives what was there, for `leave`.
    #[inline]
    pub(crate) fn enter(&self, record: &'static Record) -> Outer {
        let outer = Outer(self.poll.current());
        self.poll.post(std::ptr::from_ref(record).cast_mut());
        outer
    }

    /// Publishes that the thread is back at what it did before; the poll (or blocking region) is over.
    #[inline]
    pub(crate) fn leave(&self, outer: Outer) {
        self.poll.post(outer.0);
    }

    /// Publishes that the thread polls nothing: a blocking region. For `resume`, what it polled.
    pub(crate) fn pause(&self) -> Outer {
        self.paused.bump(1);
        self.pauses.bump(1);
        let outer = Outer(self.poll.current());
        self.poll.post(std::ptr::null_mut());
        outer
    }

    /// Publishes that the blocking region is over.
    pub(crate) fn resume(&self, outer: Outer) {
        self.leave(outer);
        self.paused.set(self.paused.get().saturating_sub(1));
    }

    /// Publishes a drop outside of any poll, its record's edge already set.
    pub(crate) fn begin_drop(&self, record: &'static Record) {
        self.drops.bump(1);
        let _nothing = self.enter(record);
    }

    /// Publishes that the drop is over.
    pub(crate) fn end_drop(&self) {
        self.leave(Outer(std::ptr::null_mut()));
        self.drops.set(self.drops.get().saturating_sub(1));
    }

    /// The record that is polled on this thread now.
    #[inline]
    pub(crate) fn current_record(&self) -> Option<&'static Record> {
        Outer(self.poll.current()).record()
    }

    /// Notes the time of a poll that has ended here, around which there is none.
    #[inline]
    pub(crate) fn ended(&self, ns: u64) {
        self.busy_ns.bump(ns);
    }

    /// Hands what was excused of a poll of this record, in ticks, on to the one around it, and what of that was told of
    /// others.
    #[inline]
    pub(crate) fn ended_within(&self, record: &Record, excused: u64) {
        if excused != 0
            && let Some(outer) = self.current_record()
            && outer.edge.get() != 0
        {
            outer.edge.bump(excused);
            if self.told.is_of(record) {
                outer.busy_ns.bump(self.told.ns.get());
                self.told.pass_to(outer);
            }
        }
    }

    /// Time inside the poll that runs, in ticks, which is not the poll's: our own work, blocking regions. It began later
    /// by that.
    pub(crate) fn excuse(&self, ticks: u64) {
        // A timed poll is measured from its edge.
        if let Some(record) = self.current_record()
            && record.edge.get() != 0
        {
            record.edge.bump(ticks);
        }
    }

    /// A poll inside the one that runs was slow, and is told of: the one that runs is not slow by that. It was busy all
    /// the same.
    pub(crate) fn told_within(&self, ns: u64) {
        if let Some(record) = self.current_record()
            && record.edge.get() != 0
        {
            record.edge.bump(clock::ns_to_ticks(ns));
            record.busy_ns.bump(ns);
            self.busy_ns.bump(ns);
            self.told.add(record, ns);
        }
    }

    /// Something happened between: see `tracked`.
    #[inline]
    pub(crate) fn stir(&self) {
        self.activity.bump(1);
    }

    /// Where this thread stands: equal stamps mean same thread, same poll, nothing between. Parks stand in for the
    /// polls of tasks that are not ours: nobody tells of those.
    #[inline]
    pub(crate) fn stamp(&self) -> u64 {
        let activity = self
            .activity
            .get()
            .wrapping_add(self.poll.edges())
            .wrapping_add(self.parks.get());
        u64::from(self.number + 1) << 48 | (activity & 0xffff_ffff_ffff)
    }

    /// A thread takes the slot: what its forerunners stamped lies behind.
    fn begin(&self, tid: u32) {
        self.stir();
        self.first_stamp.set(self.stamp());
        self.tid.store(tid, Ordering::Release);
    }

    /// Whether a stamp was taken by the thread that has this slot now.
    pub(crate) fn made_stamp(&self, stamp: u64) -> bool {
        u64::from(self.number + 1) == stamp >> 48 && self.first_stamp.get() <= stamp
    }

    /// Who tells a finding here. Waits for nobody: a reader may have the name in hand.
    fn teller(&self) -> Teller {
        let identity = match self.identity.try_lock() {
            Ok(identity) => Some(identity),
            Err(TryLockError::Poisoned(identity)) => Some(identity.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        };
        Teller {
            tid: self.tid(),
            name: identity.and_then(|identity| identity.name.clone()),
            role: self.role(),
            belongs: Belongs::default(),
        }
    }

    /// A task's drop begins (1) or ends (-1) here.
    pub(crate) fn set_dropping(&self, by: i64) {
        self.dropping
            .set(self.dropping.get().wrapping_add_signed(by));
    }

    /// Whether a task is being dropped on this thread now.
    pub(crate) fn is_dropping(&self) -> bool {
        self.dropping.get() > 0
    }

    /// Tells of a finding; dropped and counted when the ring is full. Allocates the ring at the first.
    #[cold]
    #[expect(unsafe_code, reason = "a ring has one producer at a time")]
    pub(crate) fn tell(&self, mut event: Event) {
        let known = event.teller.belongs;
        event.teller = self.teller();
        event.teller.belongs = match scope::of(self, known.runtime) {
            Belongs { scope: 0, .. } => known,
            here => here,
        };
        let ring = self.ring.get_or_init(|| Ring::new(RING));
        // SAFETY: only the thread that has the slot calls this, so there is one producer at a time; slots change
        // hands by `taken`, Release at the end of one thread and Acquire at the start of the next.
        unsafe { ring.push(event) };
    }

    /// The tally of a site, a new one if need be.
    #[inline]
    pub(crate) fn tally_of(&self, site: SiteId) -> &'static Tally {
        self.tallies.of(site)
    }

    /// The tally of one of the first sites, if it is there.
    #[inline]
    pub(crate) fn tally_near(&self, site: SiteId) -> Option<&'static Tally> {
        self.tallies.near(site)
    }

    /// Says what the thread is for.
    pub fn set_role(&self, role: Role, runtime: u16) {
        self.role.store(role as u8, Ordering::Relaxed);
        self.runtime.store(u32::from(runtime), Ordering::Relaxed);
    }

    /// Says which scope is open here; what was before.
    pub(crate) fn set_scope(&self, scope: u32) -> u32 {
        self.scope.swap(scope, Ordering::Relaxed)
    }

    /// A worker parks (true) or goes on. From the runtime's hooks, on the thread itself.
    #[inline]
    pub fn set_parked(&self, parked: bool) {
        self.hooked.store(true, Ordering::Relaxed);
        if (self.parks.get() % 2 == 1) != parked {
            self.parks.publish(1);
        }
    }

    fn set_identity(&self, identity: Identity) {
        *self.identity.lock().unwrap_or_else(PoisonError::into_inner) = identity;
    }
}

// The readers' side. Any thread.
impl Thread {
    /// The slot's number: threads that follow each other in one slot share it.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// The thread's id in the system; 0: no thread has the slot.
    pub fn tid(&self) -> u32 {
        self.tid.load(Ordering::Acquire)
    }

    /// The thread's name.
    pub fn name(&self) -> Arc<str> {
        let identity = self.identity.lock().unwrap_or_else(PoisonError::into_inner);
        identity.name.clone().unwrap_or_else(|| Arc::from(""))
    }

    /// What the watchdog needs to look at its stack.
    pub fn handle(&self) -> Option<Arc<ThreadHandle>> {
        let identity = self.identity.lock().unwrap_or_else(PoisonError::into_inner);
        identity.handle.clone()
    }

    /// What the thread is for.
    pub fn role(&self) -> Role {
        match self.role.load(Ordering::Relaxed) {
            1 => Role::Worker,
            2 => Role::Blocking,
            3 => Role::Local,
            4 => Role::Ours,
            _ => Role::Other,
        }
    }

    /// Number of the runtime it works for; 0: unknown.
    #[inline]
    pub fn runtime(&self) -> u16 {
        self.runtime.load(Ordering::Relaxed) as u16
    }

    /// The scope that was opened here; 0: none.
    pub(crate) fn scope(&self) -> u32 {
        self.scope.load(Ordering::Relaxed)
    }

    /// The poll that runs now.
    pub fn now(&self) -> Option<Now> {
        let (seq, now) = self.poll.read(|record| {
            Outer(record)
                .record()
                .map(|record| (record, record.edge.get()))
        })?;
        now.map(|(record, start)| Now { record, seq, start })
    }

    /// Changes at every start and end of a poll, and never comes back to an old value.
    pub fn seq(&self) -> u64 {
        self.poll.edges()
    }

    /// Parks and unparks so far, odd while parked; `None` where nobody tells.
    pub fn parks(&self) -> Option<u64> {
        self.hooked
            .load(Ordering::Relaxed)
            .then(|| self.parks.get())
    }

    /// Whether it drops a task outside of any poll: then `now` names that task.
    pub fn drops(&self) -> bool {
        self.drops.get() > 0
    }

    /// Whether it is inside a blocking region (`block_in_place`): there it may block.
    pub fn is_paused(&self) -> bool {
        self.paused.get() > 0
    }

    /// Blocking regions so far: a poll in which there were none had the thread all the time.
    pub fn pauses(&self) -> u64 {
        self.pauses.get()
    }

    /// Nanoseconds in outermost polls that have ended; debug only.
    pub fn busy_ns(&self) -> u64 {
        self.busy_ns.get()
    }

    /// What it counted for a site.
    pub fn tally(&self, site: SiteId) -> Option<&'static Tally> {
        self.tallies.get(site)
    }

    /// Takes out what it has to tell.
    pub fn drain(&self, each: impl FnMut(Event)) {
        if let Some(ring) = self.ring.get() {
            ring.drain(each);
        }
    }

    /// Events that were lost because its ring was full.
    pub fn lost(&self) -> u64 {
        self.ring.get().map_or(0, Ring::dropped)
    }

    /// The word behind `seq`, for those who must look at it from a signal handler.
    pub(crate) fn seq_word(&'static self) -> &'static AtomicU64 {
        self.poll.edges_word()
    }
}

impl Told {
    /// Whether it is of the poll of this record that ends now.
    #[inline]
    fn is_of(&self, record: &Record) -> bool {
        self.task.get() == record.id.get() && self.seq.get() == record.seq.get()
    }

    /// From here on it is of the poll of this record that runs.
    #[inline]
    fn pass_to(&self, record: &Record) {
        self.task.set(record.id.get());
        self.seq.set(record.seq.get() + 1);
    }

    /// More of the poll of this record that runs.
    fn add(&self, record: &Record, ns: u64) {
        let same = self.task.get() == record.id.get() && self.seq.get() == record.seq.get() + 1;
        let before = if same { self.ns.get() } else { 0 };
        self.ns.set(before + ns);
        self.pass_to(record);
    }
}

/// What a thread polled before it entered a poll, and polls again after it; null: nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outer(*mut Record);

impl Outer {
    /// Its record.
    #[inline]
    #[expect(unsafe_code, reason = "records are never freed")]
    pub(crate) fn record(self) -> Option<&'static Record> {
        // SAFETY: only `enter` posts records, which it has by `&'static`.
        unsafe { self.0.as_ref() }
    }
}

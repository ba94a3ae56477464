//! One slot per thread: what it polls right now, what it counted, what it has to tell.
//!
//! Slots are leaked and reused: when a thread ends, the next new thread goes on with its slot, counters
//! included. `current`, `seq` and `start` are written by the slot's thread and read by the watchdog: `seq` grows
//! at every change of `current`, so equal `seq` before and after means the same poll.
//!
//! The hot path finds its slot through a const-initialised thread-local without a destructor; a second
//! thread-local has the destructor that gives the slot back. After that one ran, the thread is as good as
//! unknown: whatever is polled or dropped then goes uncounted.

#![expect(
    unsafe_code,
    reason = "slots are leaked and found through thread-locals"
)]

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::SiteId;
use crate::event::Event;
use crate::record::Record;
use crate::ring::Ring;
use crate::site::Cache;
use crate::slab::FreeList;
use crate::stack::ThreadHandle;
use crate::sync::Counter;
use crate::tally::{Tallies, Tally};

/// How many threads can be told apart at one time.
const MAX_THREADS: usize = 4096;
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

/// The slot of one thread.
#[derive(Debug)]
pub struct Thread {
    /// The record that is polled here now; null: none.
    current: AtomicPtr<Record>,
    /// Grows at every change of `current`.
    seq: Counter,
    /// Ticks of the start of the poll that runs; 0 in quiet.
    start: Counter,
    /// Grows at everything that speaks against "made and dropped with nothing between": see `tracked`.
    activity: Counter,
    /// Parks and unparks of a worker: odd while parked. Only with our runtime builder.
    parks: Counter,
    /// Ticks of blocking regions (`block_in_place`) inside the poll that runs.
    excluded: Counter,
    /// Nanoseconds inside outermost polls; debug only.
    busy_ns: Counter,
    tid: AtomicU32,
    runtime: AtomicU32,
    role: AtomicU8,
    /// A thread has it.
    taken: AtomicBool,
    /// Whether `parks` is kept for this thread.
    hooked: AtomicBool,
    tallies: Tallies,
    ring: OnceLock<Ring<Event>>,
    lost: Counter,
    identity: Mutex<Identity>,
    /// Depth of task drops on this thread: futures dropped inside one are excused.
    dropping: Counter,
    number: u32,
}

/// What is set when a thread takes its slot.
#[derive(Clone, Debug, Default)]
struct Identity {
    name: Option<Arc<str>>,
    handle: Option<Arc<ThreadHandle>>,
}

static SLOTS: [AtomicPtr<Thread>; MAX_THREADS] =
    [const { AtomicPtr::new(std::ptr::null_mut()) }; MAX_THREADS];
static COUNT: AtomicU32 = AtomicU32::new(0);
static REGISTER: Mutex<()> = Mutex::new(());

/// The thread-local part: what only the thread itself touches.
#[derive(Debug)]
pub(crate) struct Local {
    pub(crate) thread: &'static Thread,
    pub(crate) sites: Cache,
    pub(crate) free: FreeList,
    next_id: Cell<u64>,
    last_id: Cell<u64>,
}

thread_local! {
    static LOCAL: Cell<Option<&'static Local>> = const { Cell::new(None) };
    static GONE: Cell<bool> = const { Cell::new(false) };
    static OWNER: RefCell<Option<Owner>> = const { RefCell::new(None) };
}

/// Gives the slot back when the thread ends.
struct Owner(&'static Local);

impl Drop for Owner {
    fn drop(&mut self) {
        LOCAL.set(None);
        GONE.set(true);
        let local = self.0;
        local.free.empty();
        let thread = local.thread;
        thread.tid.store(0, Ordering::Relaxed);
        *thread
            .identity
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Identity::default();
        thread.taken.store(false, Ordering::Release);
        // The site cache and free list go with the thread.
        // SAFETY: `local` was leaked by `register` for this thread, `LOCAL` no longer points to it, and no
        // reference to it leaves a call of this crate.
        drop(unsafe { Box::from_raw(std::ptr::from_ref(local).cast_mut()) });
    }
}

/// This thread's part, registering the thread if need be; `None` while the thread ends or the table is full.
#[inline]
pub(crate) fn local() -> Option<&'static Local> {
    match LOCAL.get() {
        Some(local) => Some(local),
        None => register(),
    }
}

/// This thread's slot; `None` while the thread ends or the table is full.
#[inline]
pub fn current() -> Option<&'static Thread> {
    local().map(|local| local.thread)
}

/// This thread's slot if it has one already: for code that must not allocate.
#[inline]
pub(crate) fn current_if_known() -> Option<&'static Thread> {
    LOCAL.get().map(|local| local.thread)
}

#[cold]
#[inline(never)]
fn register() -> Option<&'static Local> {
    if GONE.get() {
        return None;
    }
    let thread = take_slot()?;
    let local: &'static Local = Box::leak(Box::new(Local {
        thread,
        sites: Cache::new(),
        free: FreeList::new(),
        next_id: Cell::new(0),
        last_id: Cell::new(0),
    }));
    LOCAL.set(Some(local));
    // Where the destructor has run already the thread is at its end: it keeps its slot until the process ends.
    let _ = OWNER.try_with(|owner| *owner.borrow_mut() = Some(Owner(local)));
    let name = std::thread::current().name().map(Arc::from);
    let handle = crate::backtrace::open_handle(thread);
    *thread
        .identity
        .lock()
        .unwrap_or_else(PoisonError::into_inner) = Identity {
        name,
        handle: Some(handle),
    };
    Some(local)
}

fn take_slot() -> Option<&'static Thread> {
    let _one = REGISTER.lock().unwrap_or_else(PoisonError::into_inner);
    let free = all().find(|thread| !thread.taken.load(Ordering::Acquire));
    let thread = if let Some(thread) = free {
        thread
    } else {
        let number = COUNT.load(Ordering::Relaxed);
        let entry = SLOTS.get(number as usize)?;
        let thread: &'static Thread = Box::leak(Box::new(Thread::new(number)));
        entry.store(std::ptr::from_ref(thread).cast_mut(), Ordering::Release);
        COUNT.store(number + 1, Ordering::Release);
        thread
    };
    thread.taken.store(true, Ordering::Relaxed);
    thread
        .current
        .store(std::ptr::null_mut(), Ordering::Relaxed);
    thread.runtime.store(0, Ordering::Relaxed);
    thread.role.store(Role::Other as u8, Ordering::Relaxed);
    thread.hooked.store(false, Ordering::Relaxed);
    thread.dropping.set(0);
    // SAFETY: gettid has no preconditions.
    let tid = unsafe { libc::syscall(libc::SYS_gettid) } as u32;
    thread.tid.store(tid, Ordering::Release);
    Some(thread)
}

/// All slots, those without a thread included.
pub fn all() -> impl Iterator<Item = &'static Thread> {
    (0..COUNT.load(Ordering::Acquire)).filter_map(|number| {
        let slot = SLOTS[number as usize].load(Ordering::Acquire);
        // SAFETY: a published slot was leaked by `take_slot` and is only ever shared.
        unsafe { slot.as_ref() }
    })
}

/// A fresh task id: never reused, below 2^53. Threads take ids in blocks.
#[inline]
pub(crate) fn next_id(local: &Local) -> u64 {
    let id = local.next_id.get();
    if id < local.last_id.get() {
        local.next_id.set(id + 1);
        return id;
    }
    next_block(local)
}

#[cold]
fn next_block(local: &Local) -> u64 {
    /// Small, so that ids stay close to the order of spawns.
    const BLOCK: u64 = 16;
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let id = NEXT.fetch_add(BLOCK, Ordering::Relaxed);
    local.next_id.set(id + 1);
    local.last_id.set(id + BLOCK);
    id
}

/// What a thread does, as the watchdog sees it.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// The record that is polled.
    pub record: &'static Record,
    /// Grows with every poll of the thread: the same number means the same poll.
    pub seq: u64,
    /// Ticks of its start; 0: not known (quiet).
    pub start: u64,
}

impl Thread {
    const fn new(number: u32) -> Self {
        Self {
            current: AtomicPtr::new(std::ptr::null_mut()),
            seq: Counter::new(),
            start: Counter::new(),
            activity: Counter::new(),
            parks: Counter::new(),
            excluded: Counter::new(),
            busy_ns: Counter::new(),
            tid: AtomicU32::new(0),
            runtime: AtomicU32::new(0),
            role: AtomicU8::new(Role::Other as u8),
            taken: AtomicBool::new(false),
            hooked: AtomicBool::new(false),
            tallies: Tallies::new(),
            ring: OnceLock::new(),
            lost: Counter::new(),
            identity: Mutex::new(Identity {
                name: None,
                handle: None,
            }),
            dropping: Counter::new(),
            number,
        }
    }

    // The owner's side. All plain stores.

    /// Publishes the poll that begins; gives what was there, for `leave`.
    #[inline]
    pub(crate) fn enter(&self, record: &'static Record, start: u64) -> Before {
        let before = Before {
            record: self.current.load(Ordering::Relaxed),
            start: self.start.get(),
        };
        self.current
            .store(std::ptr::from_ref(record).cast_mut(), Ordering::Relaxed);
        self.start.set(start);
        // Release by way of the atomic's store order on one thread: the watchdog reads `seq` first and last.
        self.seq.publish(1);
        before
    }

    /// Publishes the end of the poll.
    #[inline]
    pub(crate) fn leave(&self, before: &Before) {
        self.current.store(before.record, Ordering::Relaxed);
        self.start.set(before.start);
        self.seq.publish(1);
    }

    /// The record that is polled on this thread now.
    #[inline]
    pub(crate) fn current_record(&self) -> Option<&'static Record> {
        // SAFETY: only `enter` stores here, and records are never freed.
        unsafe { self.current.load(Ordering::Relaxed).as_ref() }
    }

    /// The thread leaves its poll for a blocking region; gives what `resume` needs.
    pub(crate) fn pause(&self, now: u64) -> Paused {
        let paused = Paused {
            record: self.current.load(Ordering::Relaxed),
            start: self.start.get(),
            since: now,
        };
        self.current.store(std::ptr::null_mut(), Ordering::Relaxed);
        self.start.set(0);
        self.seq.publish(1);
        paused
    }

    /// The blocking region is over.
    pub(crate) fn resume(&self, paused: &Paused, now: u64) {
        let spent = now.saturating_sub(paused.since);
        self.excluded.bump(spent);
        self.current.store(paused.record, Ordering::Relaxed);
        // The watchdog measures from the start: what was spent outside moves it.
        self.start.set(if paused.start == 0 {
            0
        } else {
            paused.start + spent
        });
        self.seq.publish(1);
    }

    /// Ticks of blocking regions since this was last asked.
    #[inline]
    pub(crate) fn take_excluded(&self) -> u64 {
        let excluded = self.excluded.get();
        if excluded != 0 {
            self.excluded.set(0);
        }
        excluded
    }

    /// Notes time in an outermost poll.
    #[inline]
    pub(crate) fn add_busy(&self, ns: u64) {
        self.busy_ns.bump(ns);
    }

    /// Something happened between: see `tracked`.
    #[inline]
    pub(crate) fn stir(&self) {
        self.activity.bump(1);
    }

    /// Where this thread stands: equal stamps mean same thread, same poll, nothing between.
    #[inline]
    pub(crate) fn stamp(&self) -> u64 {
        let activity = self.activity.get().wrapping_add(self.seq.get());
        u64::from(self.number + 1) << 48 | (activity & 0xffff_ffff_ffff)
    }

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
    pub(crate) fn tell(&self, event: Event) {
        let ring = self.ring.get_or_init(|| Ring::new(RING));
        // SAFETY: only the thread that has the slot calls this, so there is one producer at a time; slots change
        // hands by `taken`, Release at the end of one thread and Acquire at the start of the next.
        unsafe { ring.push(event) };
    }

    /// The tally of a site. The owner.
    #[inline]
    pub(crate) fn tally_of(&self, site: SiteId) -> &'static Tally {
        self.tallies.of(site)
    }

    /// Says what the thread is for.
    pub fn set_role(&self, role: Role, runtime: u16) {
        self.role.store(role as u8, Ordering::Relaxed);
        self.runtime.store(u32::from(runtime), Ordering::Relaxed);
    }

    /// A worker parks (true) or goes on. From the runtime's hooks, on the thread itself.
    #[inline]
    pub fn set_parked(&self, parked: bool) {
        self.hooked.store(true, Ordering::Relaxed);
        if (self.parks.get() % 2 == 1) != parked {
            self.parks.publish(1);
        }
    }

    // The readers' side.

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
        self.identity
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .handle
            .clone()
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
    pub fn runtime(&self) -> u16 {
        self.runtime.load(Ordering::Relaxed) as u16
    }

    /// The poll that runs now.
    pub fn now(&self) -> Option<Now> {
        for _ in 0..4 {
            let seq = self.seq.read();
            let record = self.current_record();
            let start = self.start.get();
            std::sync::atomic::fence(Ordering::Acquire);
            if self.seq.get() == seq {
                return record.map(|record| Now { record, seq, start });
            }
        }
        None
    }

    /// Grows with every poll of the thread.
    pub fn seq(&self) -> u64 {
        self.seq.read()
    }

    /// Parks and unparks so far, odd while parked; `None` where nobody tells.
    pub fn parks(&self) -> Option<u64> {
        self.hooked
            .load(Ordering::Relaxed)
            .then(|| self.parks.get())
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
        self.ring.get().map_or(0, Ring::dropped) + self.lost.get()
    }

    /// The word that changes with every poll, for those who must look at it from a signal handler.
    pub(crate) fn seq_word(&'static self) -> &'static AtomicU64 {
        self.seq.word()
    }
}

/// What `enter` found.
#[derive(Debug)]
pub(crate) struct Before {
    record: *mut Record,
    start: u64,
}

/// What `pause` found.
#[derive(Debug)]
pub(crate) struct Paused {
    record: *mut Record,
    start: u64,
    since: u64,
}

impl Before {
    /// Whether the poll is not inside another.
    #[inline]
    pub(crate) fn is_outermost(&self) -> bool {
        self.record.is_null()
    }
}

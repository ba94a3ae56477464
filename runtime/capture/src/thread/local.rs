//! How a thread finds its own part, and how slots are handed out.
//!
//! The hot path goes through a const-initialised thread-local without a destructor; a second thread-local has
//! the destructor that gives the slot back. After that one ran, the thread is as good as unknown: what it polls
//! then is not published, and what ends then is counted in a spare part that all such threads share.

#![expect(
    unsafe_code,
    reason = "parts are leaked, and shared only as far as `Thread` goes"
)]

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::{Identity, Role, Thread};
use crate::backtrace;
use crate::level::{self, Level};
use crate::site::{Cache, NamedCache};
use crate::slab::FreeList;
use crate::sub::Noted;

/// How many threads can be told apart at one time.
const MAX_THREADS: usize = 4096;

/// What belongs to one thread: its slot, which anyone may look at, and what only the thread itself touches.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Local {
    pub(crate) thread: Thread,
    pub(crate) sites: Cache,
    pub(crate) named: NamedCache,
    pub(crate) free: FreeList,
    pub(crate) longest_sub: Noted,
    next_id: Cell<u64>,
    last_id: Cell<u64>,
    /// A thread has it. Release when it is given back, Acquire when it is taken: that orders all the rest.
    taken: AtomicBool,
}

static TABLE: [AtomicPtr<Local>; MAX_THREADS] =
    [const { AtomicPtr::new(std::ptr::null_mut()) }; MAX_THREADS];
/// How many parts there are. Published behind their entry in the table.
static COUNT: AtomicU32 = AtomicU32::new(0);
/// Held while a slot is handed out.
static REGISTER: Mutex<()> = Mutex::new(());

thread_local! {
    static LOCAL: Cell<Option<&'static Local>> = const { Cell::new(None) };
    static GONE: Cell<bool> = const { Cell::new(false) };
    static OWNER: RefCell<Option<Owner>> = const { RefCell::new(None) };
}

/// This thread's part, registering the thread if need be; `None` at level off, while the thread ends, and where the table
/// is full.
#[inline]
pub(crate) fn local() -> Option<&'static Local> {
    match LOCAL.get() {
        Some(local) => Some(local),
        None => register(),
    }
}

/// This thread's slot; `None` at level off, while the thread ends, and where the table is full.
#[inline]
pub fn current() -> Option<&'static Thread> {
    local().map(|local| &local.thread)
}

/// This thread's part if it has one already.
#[inline]
pub(crate) fn local_if_known() -> Option<&'static Local> {
    LOCAL.get()
}

/// This thread's slot if it has one already: for code that must not allocate.
#[inline]
pub(crate) fn current_if_known() -> Option<&'static Thread> {
    LOCAL.get().map(|local| &local.thread)
}

/// This thread's id in the system, also of a thread without a slot: allocates nothing, and registers nothing. One system
/// call in the life of a thread that has none.
#[inline]
pub(crate) fn tid() -> u32 {
    match LOCAL.get() {
        Some(local) => local.thread.tid.load(Ordering::Relaxed),
        None => tid_without_slot(),
    }
}

#[cold]
#[inline(never)]
fn tid_without_slot() -> u32 {
    thread_local!(static TID: Cell<u32> = const { Cell::new(0) });
    match TID.get() {
        0 => {
            let tid = gettid();
            TID.set(tid);
            tid
        }
        known => known,
    }
}

fn gettid() -> u32 {
    // SAFETY: gettid has no preconditions.
    unsafe { libc::syscall(libc::SYS_gettid) as u32 }
}

/// Runs `count` with this thread's part or, where it has none, with the spare one: counts stay exact.
#[inline]
pub(crate) fn with<R>(count: impl FnOnce(&'static Local) -> R) -> R {
    match local() {
        Some(local) => count(local),
        None => with_spare(count),
    }
}

#[cold]
fn with_spare<R>(count: impl FnOnce(&'static Local) -> R) -> R {
    static SPARE: AtomicPtr<Local> = AtomicPtr::new(std::ptr::null_mut());
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let mut spare = SPARE.load(Ordering::Relaxed);
    if spare.is_null() {
        spare = std::ptr::from_ref(spare_part()).cast_mut();
        SPARE.store(spare, Ordering::Relaxed);
    }
    // SAFETY: leaked by `spare_part`, never given to a thread (it stays taken), and used by one thread at a time:
    // the lock is held until `count` is done, and `count` keeps nothing.
    count(unsafe { &*spare })
}

/// A part for threads that have none: in the table if there is room, so that its counts are seen.
fn spare_part() -> &'static Local {
    let _one = REGISTER.lock().unwrap_or_else(PoisonError::into_inner);
    let local = add().unwrap_or_else(|| Box::leak(Box::new(Local::new(MAX_THREADS as u32))));
    local.taken.store(true, Ordering::Relaxed);
    local
}

/// Tells all threads whether polls are timed. Whoever takes a slot meanwhile asks for the level itself.
pub(crate) fn level_changed() {
    let _one = REGISTER.lock().unwrap_or_else(PoisonError::into_inner);
    // Asked for under the lock: of two changes at a time the later one holds for all.
    let debug = level::level() == Level::Debug;
    for thread in all() {
        thread.debug.store(debug, Ordering::Relaxed);
    }
}

/// All slots, those without a thread included.
pub fn all() -> impl Iterator<Item = &'static Thread> {
    parts().map(|local| {
        // SAFETY: parts in the table were leaked; of another thread's part only the slot is touched, which is
        // made to be shared.
        unsafe { &(*local).thread }
    })
}

fn parts() -> impl Iterator<Item = *const Local> {
    let count = COUNT.load(Ordering::Acquire) as usize;
    TABLE
        .iter()
        .take(count)
        .map(|entry| entry.load(Ordering::Acquire).cast_const())
}

#[cold]
#[inline(never)]
fn register() -> Option<&'static Local> {
    // Off is also a forked child, where another thread may have held the lock below when it was forked.
    if GONE.get() || level::level() == Level::Off {
        return None;
    }
    let local = take()?;
    LOCAL.set(Some(local));
    // Where the destructor has run already the thread is at its end: it keeps its slot until the process ends.
    let _ = OWNER.try_with(|owner| *owner.borrow_mut() = Some(Owner(local)));
    local.thread.set_identity(Identity {
        name: std::thread::current().name().map(Into::into),
        handle: Some(backtrace::open_handle(&local.thread)),
    });
    Some(local)
}

/// Finds a slot that no thread has, or makes one.
fn take() -> Option<&'static Local> {
    let _one = REGISTER.lock().unwrap_or_else(PoisonError::into_inner);
    let free = parts().find(|local| {
        // SAFETY: leaked, and `taken` may be looked at by anyone.
        !unsafe { &(**local).taken }.load(Ordering::Acquire)
    });
    let local = match free {
        // SAFETY: leaked, and nobody's: from here on this thread's.
        Some(free) => unsafe { &*free },
        None => add()?,
    };
    local.taken.store(true, Ordering::Relaxed);
    local.thread.begin(gettid());
    Some(local)
}

/// Adds a part to the table; `None` where it is full. Under the lock.
fn add() -> Option<&'static Local> {
    let number = COUNT.load(Ordering::Relaxed);
    let entry = TABLE.get(number as usize)?;
    let local: &'static Local = Box::leak(Box::new(Local::new(number)));
    let debug = level::level() == Level::Debug;
    local.thread.debug.store(debug, Ordering::Relaxed);
    entry.store(std::ptr::from_ref(local).cast_mut(), Ordering::Release);
    COUNT.store(number + 1, Ordering::Release);
    Some(local)
}

impl Local {
    fn new(number: u32) -> Self {
        Self {
            thread: Thread::new(number),
            sites: Cache::new(),
            named: NamedCache::new(),
            free: FreeList::new(),
            longest_sub: Noted::new(None),
            next_id: Cell::new(0),
            last_id: Cell::new(0),
            taken: AtomicBool::new(false),
        }
    }

    /// A fresh task id: never reused, below 2^53. Threads take ids in blocks.
    #[inline]
    pub(crate) fn next_id(&self) -> u64 {
        let id = self.next_id.get();
        if id == self.last_id.get() {
            return self.next_block();
        }
        self.next_id.set(id + 1);
        id
    }

    #[cold]
    #[inline(never)]
    fn next_block(&self) -> u64 {
        /// Small, so that ids stay close to the order of spawns.
        const BLOCK: u64 = 16;
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let id = NEXT.fetch_add(BLOCK, Ordering::Relaxed);
        self.next_id.set(id + 1);
        self.last_id.set(id + BLOCK);
        id
    }
}

/// Gives the slot back when the thread ends.
struct Owner(&'static Local);

impl Drop for Owner {
    fn drop(&mut self) {
        LOCAL.set(None);
        GONE.set(true);
        self.0.free.empty();
        let thread = &self.0.thread;
        thread.tid.store(0, Ordering::Relaxed);
        thread.set_identity(Identity::default());
        // What the next thread must not find. A thread that ends inside a poll (`exit`) leaves its record posted.
        thread.pause();
        thread.paused.set(0);
        thread.set_role(Role::Other, 0);
        thread.set_scope(0);
        thread.hooked.store(false, Ordering::Relaxed);
        thread.dropping.set(0);
        thread.drops.set(0);
        self.0.taken.store(false, Ordering::Release);
    }
}

//! One stable waker per task, around the runtime's own.
//!
//! The node is made at the first poll in debug and stays, same address and same vtable, for as long as the
//! runtime's waker `will_wake` the one it holds: leaf futures compare wakers to skip registering again, so a new
//! identity per poll would cost a clone per leaf. It holds one clone of the runtime's waker, and dies with the
//! future and the last clone, exactly when the runtime's own would; the record does not know it, so there is no
//! cycle.
//!
//! `clone` may run under the runtime's or the user's locks: it allocates nothing, locks nothing, and never
//! registers a thread. The holders are counted by [`Refs`].

#![expect(unsafe_code, reason = "a raw waker's vtable")]

use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::task::{RawWaker, RawWakerVTable, Waker};

use crate::instrumented::WOKEN_WITHIN;
use crate::protocol::refs::Refs;
use crate::record::Record;
use crate::sync::Ordering;
use crate::{clock, level, thread};

/// In `last_waker`: the thread that woke the task, which polled none of ours. Ids of tasks are below 2^53.
pub(crate) const ON_THREAD: u64 = 1 << 63;

/// A task's waker, as all of its clones share it.
pub(crate) struct Node {
    inner: Waker,
    record: &'static Record,
    /// Which life of the record the node belongs to: after that, wakes are passed on and not counted.
    generation: u32,
    refs: Refs,
    /// What the task is polled with: points back here, and takes no share of the count.
    own: ManuallyDrop<Waker>,
}

impl Node {
    /// A node with one share, the caller's. Lives until the last share is released.
    pub(crate) fn new(inner: &Waker, record: &'static Record) -> NonNull<Self> {
        let generation = record.lives.current();
        let node = Box::<Self>::new_uninit();
        let at = NonNull::from(Box::leak(node)).cast::<Self>();
        // SAFETY: the vtable's contract holds for the node once it is written, which is before anybody sees the waker.
        let own = ManuallyDrop::new(unsafe { Waker::from_raw(raw(at)) });
        // SAFETY: freshly allocated for a `Node`.
        unsafe {
            at.write(Self {
                inner: inner.clone(),
                record,
                generation,
                refs: Refs::one(),
                own,
            });
        }
        at
    }

    /// Whether it passes wakes on to the same task of the runtime's as `inner` does.
    #[inline]
    pub(crate) fn wakes(&self, inner: &Waker) -> bool {
        self.inner.will_wake(inner)
    }

    /// The record of its task.
    #[inline]
    pub(crate) fn record(&self) -> &'static Record {
        self.record
    }

    /// The waker to poll with. Borrowed from a holder, and so changes no count.
    #[inline]
    pub(crate) fn waker(&self) -> &Waker {
        &self.own
    }

    /// Gives up a share.
    ///
    /// # Safety
    /// The caller holds the share, and does not use it again.
    pub(crate) unsafe fn release(node: *mut Self) {
        // SAFETY: the share given up is still held, so the node lives until this line is over.
        if unsafe { &*node }.refs.release() {
            // SAFETY: it was the last share, so nobody else can reach the node; it came from a Box.
            drop(unsafe { Box::from_raw(node) });
        }
    }
}

static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, drop_waker);

fn raw(node: NonNull<Node>) -> RawWaker {
    RawWaker::new(node.as_ptr().cast_const().cast(), &VTABLE)
}

unsafe fn clone(data: *const ()) -> RawWaker {
    // SAFETY: a waker of this vtable holds, or borrows from one who holds, a share of the node.
    let node = unsafe { &*data.cast::<Node>() };
    node.refs.hold();
    RawWaker::new(data, &VTABLE)
}

unsafe fn wake(data: *const ()) {
    // SAFETY: as in `clone`; `wake` consumes the share.
    unsafe {
        wake_by_ref(data);
        Node::release(data.cast_mut().cast());
    }
}

unsafe fn wake_by_ref(data: *const ()) {
    // SAFETY: as in `clone`.
    let node = unsafe { &*data.cast::<Node>() };
    count(node);
    node.inner.wake_by_ref();
}

unsafe fn drop_waker(data: *const ()) {
    // SAFETY: as in `clone`; the waker's share is given up.
    unsafe { Node::release(data.cast_mut().cast()) };
}

/// Counts a wake of the node's task.
#[inline]
fn count(node: &Node) {
    let record = node.record;
    if record.lives.current() != node.generation {
        return;
    }
    let by = thread::current_if_known().and_then(thread::Thread::current_record);
    match by {
        // Inside its own poll, so we are the record's owner: no read-modify-write, and the clock is read at the
        // end of the poll anyway.
        Some(own) if std::ptr::eq(own, record) => {
            record.self_wakes.bump(1);
            record.woken.store(WOKEN_WITHIN, Ordering::Relaxed);
        }
        other => {
            record.wakes.fetch_add(1, Ordering::Relaxed);
            // The first wake is what its next poll waits for since; the others need no clock.
            if record.woken.load(Ordering::Relaxed) < level::debug_since_ticks() {
                record.woken.store(clock::ticks(), Ordering::Relaxed);
            }
            match other {
                Some(task) => record.last_waker.store(task.id.get(), Ordering::Relaxed),
                None => woken_by_thread(record),
            }
        }
    }
}

/// Notes the thread that wakes, which polls no task. Not inlined: tasks that wake each other would pay for it.
#[cold]
#[inline(never)]
fn woken_by_thread(record: &Record) {
    let by = ON_THREAD | u64::from(thread::tid());
    record.last_waker.store(by, Ordering::Relaxed);
}

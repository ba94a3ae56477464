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

use crate::protocol::refs::Refs;
use crate::record::Record;
use crate::sync::Ordering;
use crate::{clock, thread};

struct Node {
    inner: Waker,
    record: &'static Record,
    /// Which life of the record the node belongs to: after that, wakes are passed on and not counted.
    generation: u32,
    refs: Refs,
}

/// The future's own hold on its node.
pub(crate) struct TaskWaker(NonNull<Node>);

impl std::fmt::Debug for TaskWaker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TaskWaker")
    }
}

// SAFETY: the node is shared through atomics and wakers, which are Send and Sync.
unsafe impl Send for TaskWaker {}
// SAFETY: as above.
unsafe impl Sync for TaskWaker {}

impl TaskWaker {
    #[cold]
    #[inline(never)]
    fn new(inner: &Waker, record: &'static Record) -> Self {
        let generation = record.lives.current();
        let node = Box::new(Node {
            inner: inner.clone(),
            record,
            generation,
            refs: Refs::one(),
        });
        Self(NonNull::from(Box::leak(node)))
    }

    /// The waker to poll with: the one `kept` stands for, as long as the runtime's own stays the same.
    ///
    /// It is borrowed from `kept`, and so changes no count.
    #[inline]
    pub(crate) fn for_poll(
        kept: &mut Option<Self>,
        inner: &Waker,
        record: &'static Record,
    ) -> ManuallyDrop<Waker> {
        let own = match kept {
            Some(own) if own.node().inner.will_wake(inner) => own,
            kept => kept.insert(Self::new(inner, record)),
        };
        // SAFETY: the vtable's contract holds for the node. The waker takes no share of the count, and is not
        // dropped; the caller keeps the node alive by `kept` while it polls.
        ManuallyDrop::new(unsafe { Waker::from_raw(raw(own.0)) })
    }

    #[inline]
    fn node(&self) -> &Node {
        // SAFETY: `self` holds a share of the count, so the node lives.
        unsafe { self.0.as_ref() }
    }
}

impl Drop for TaskWaker {
    fn drop(&mut self) {
        // SAFETY: `self` holds a share, and gives it up here.
        unsafe { release(self.0.as_ptr()) };
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
        release(data.cast_mut().cast());
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
    unsafe { release(data.cast_mut().cast()) };
}

unsafe fn release(node: *mut Node) {
    // SAFETY: the caller gives up a share it holds, so the node lives until this line is over.
    if unsafe { &*node }.refs.release() {
        // SAFETY: it was the last share, so nobody else can reach the node; it came from a Box.
        drop(unsafe { Box::from_raw(node) });
    }
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
            record.woken.store(1, Ordering::Relaxed);
        }
        other => {
            record.wakes.fetch_add(1, Ordering::Relaxed);
            record.woken.store(clock::ticks(), Ordering::Relaxed);
            record
                .last_waker
                .store(other.map_or(0, |other| other.id.get()), Ordering::Relaxed);
        }
    }
}

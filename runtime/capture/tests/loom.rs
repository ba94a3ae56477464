//! Every interleaving of the protocols in `src/protocol`, compiled here over loom's atomics.
//!
//! ```text
//! RUSTFLAGS="--cfg loom" LOOM_MAX_PREEMPTIONS=3 cargo test -p pollscope-capture --release --test loom
//! ```
//!
//! Each test was seen to fail with its protocol broken; the comment above it says how it was broken.
#![cfg(loom)]
#![expect(
    unsafe_code,
    reason = "the protocols hand out what only one side may touch"
)]
#![expect(
    dead_code,
    reason = "the crate uses more of the protocols than these tests"
)]

/// What `src/sync.rs` is for the crate.
mod sync {
    pub(crate) use loom::cell::UnsafeCell;
    pub(crate) use loom::sync::atomic::{
        AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence,
    };
}

#[path = "../src/protocol/batches.rs"]
mod batches;
#[path = "../src/protocol/counter.rs"]
mod counter;
#[path = "../src/protocol/lives.rs"]
mod lives;
#[path = "../src/protocol/post.rs"]
mod post;
#[path = "../src/protocol/refs.rs"]
mod refs;
#[path = "../src/protocol/ring.rs"]
mod ring;
#[path = "../src/protocol/sides.rs"]
mod sides;

/// Where these files look for each other.
mod protocol {
    pub(crate) use crate::counter;
}

use loom::sync::Arc;
use loom::thread;

use batches::{Batches, NIL};
use counter::Counter;
use lives::Lives;
use post::Post;
use refs::Refs;
use ring::Ring;
use sides::{READ, Sides};
use sync::{AtomicU32, AtomicU64, Ordering, UnsafeCell};

/// Broken by: no fence in `end`; no fence in `begin`; `begin` publishing Relaxed; no fence in `read`.
#[test]
fn a_reader_never_mixes_two_lives() {
    #[derive(Default)]
    struct Thing {
        lives: Lives,
        a: Counter,
        b: Counter,
        /// What the free list keeps in a free thing.
        link: Counter,
    }
    fn live(thing: &Thing, n: u64) {
        thing.lives.begin(|| {
            thing.a.set(n);
            thing.b.set(n);
            thing.link.set(n);
        });
    }
    fn free(thing: &Thing) {
        thing.lives.end();
        thing.link.set(99);
    }
    loom::model(|| {
        let thing = Arc::new(Thing::default());
        live(&thing, 1);
        let seen_by = Arc::clone(&thing);
        let reader = thread::spawn(move || {
            let seen = seen_by.lives.read(|life| {
                let (a, b) = (seen_by.a.get(), seen_by.b.get());
                (life, a, b, seen_by.link.get())
            });
            assert!(
                matches!(seen, None | Some((1, 1, 1, 1) | (3, 2, 2, 2))),
                "{seen:?}"
            );
        });
        // One thread ends the life, another begins the next.
        let freed_by = Arc::clone(&thing);
        let first = thread::spawn(move || free(&freed_by));
        first.join().expect("no panic");
        live(&thing, 2);
        reader.join().expect("no panic");
    });
}

/// Broken by: Relaxed in `leave_task`; `leave_handle` as a load and a store; `leave_task` not adding its bits.
#[test]
fn exactly_one_side_is_last_and_sees_what_the_other_did() {
    struct Held {
        sides: Sides,
        outcome: UnsafeCell<u32>,
        lasts: AtomicU32,
    }
    for reads in [false, true] {
        loom::model(move || {
            let held = Arc::new(Held {
                sides: Sides::default(),
                outcome: UnsafeCell::new(0),
                lasts: AtomicU32::new(0),
            });
            held.sides.start(7, 0);
            let last = move |held: &Held, bits: u32| {
                held.lasts.fetch_add(1, Ordering::Relaxed);
                assert_eq!(bits & READ != 0, reads, "what the handle marked is known");
                held.outcome.with(|at| {
                    // SAFETY: both sides are gone, we are alone; loom checks that it is so.
                    assert_eq!(unsafe { *at }, 3);
                });
                assert_eq!(held.sides.number(), 7);
            };
            let own = Arc::clone(&held);
            let task = thread::spawn(move || {
                // SAFETY: the task's side alone writes, before it leaves.
                own.outcome.with_mut(|at| unsafe { *at = 3 });
                if let Some(bits) = own.sides.leave_task(0) {
                    last(&own, bits);
                }
            });
            if reads {
                held.sides.mark(READ);
            }
            if let Some(bits) = held.sides.leave_handle() {
                last(&held, bits);
            }
            task.join().expect("no panic");
            assert_eq!(held.lasts.load(Ordering::Relaxed), 1);
        });
    }
}

/// What a thread polls, and when the polls of its two records began.
#[derive(Default)]
struct Posted {
    post: Post<Counter>,
    outer: Counter,
    inner: Counter,
}

impl Posted {
    /// A poll that begins at `edge`, with what runs inside it.
    fn poll(&self, record: &Counter, edge: u64, within: impl FnOnce()) {
        record.set(edge);
        let before = self.post.current();
        self.post.post(std::ptr::from_ref(record).cast_mut());
        within();
        self.post.post(before);
    }

    /// The number of changes, whether the item is the outer record, and its edge.
    fn read(&self) -> Option<(u64, bool, u64)> {
        let (edges, (outer, start)) = self.post.read(|record| {
            // SAFETY: only counters of `self` are posted, and it lives.
            let start = unsafe { &*record }.get();
            (std::ptr::eq(record, &raw const self.outer), start)
        })?;
        Some((edges, outer, start))
    }
}

// In both tests the writer is the main thread: loom runs that first, and it looks for the interleavings of a load
// with the stores before it, not of a store with the loads before it.

/// Broken by: `post` storing `current` Relaxed, or after the number; `read` loading `current` Relaxed.
#[test]
fn a_poll_is_never_seen_with_a_start_before_its_own() {
    loom::model(|| {
        let posted = Arc::new(Posted::default());
        let seen_by = Arc::clone(&posted);
        let reader = thread::spawn(move || {
            if let Some((edges, _, start)) = seen_by.read() {
                // Two changes are one poll. The item may be one change ahead of the number.
                assert!(start > edges / 2, "{edges} changes: began at {start}");
            }
        });
        posted.poll(&posted.outer, 1, || {});
        posted.poll(&posted.outer, 2, || {});
        reader.join().expect("no panic");
    });
}

/// Broken by: `post` not publishing the number; `read` not looking a second time.
#[test]
fn a_poll_within_a_poll_is_told_from_it_by_the_number() {
    loom::model(|| {
        let posted = Arc::new(Posted::default());
        let seen_by = Arc::clone(&posted);
        let reader = thread::spawn(move || {
            if let Some((edges, outer, start)) = seen_by.read() {
                // The outer begins and ends at changes 1 and 4, the inner at 2 and 3; one ahead at most.
                let known = if outer {
                    edges <= 3
                } else {
                    matches!(edges, 1 | 2)
                };
                assert!(
                    known,
                    "{edges} changes: {}",
                    if outer { "outer" } else { "inner" }
                );
                assert_eq!(start, if outer { 1 } else { 2 });
            }
        });
        posted.poll(&posted.outer, 1, || posted.poll(&posted.inner, 2, || {}));
        reader.join().expect("no panic");
    });
}

/// Broken by: `head` published Relaxed; `tail` given back Relaxed; drain without a turn.
#[test]
fn a_ring_gives_each_event_once_in_order_and_counts_the_rest() {
    loom::model(|| {
        let ring = Arc::new(Ring::<Box<u64>>::new(2));
        let producer = Arc::clone(&ring);
        let pushed = thread::spawn(move || {
            (1..=3)
                .filter(|n| {
                    // SAFETY: this thread is the only producer.
                    unsafe { producer.push(Box::new(*n)) }
                })
                .count()
        });
        let other = Arc::clone(&ring);
        let second = thread::spawn(move || {
            let mut seen = Vec::new();
            other.drain(|n| seen.push(*n));
            seen
        });
        let mut seen = Vec::new();
        ring.drain(|n| seen.push(*n));
        let seen_second = second.join().expect("no panic");
        assert!(seen.is_sorted() && seen_second.is_sorted());
        let pushed = pushed.join().expect("no panic");
        seen.extend(seen_second);
        ring.drain(|n| seen.push(*n));
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), pushed, "each event came out once");
        assert_eq!(ring.dropped() as usize, 3 - pushed);
    });
}

/// Broken by: Relaxed in `release`; no fence at the last; `release` as a load and a store.
#[test]
fn the_last_holder_frees_alone_and_after_all_others() {
    struct Node {
        refs: Refs,
        value: UnsafeCell<u32>,
        frees: AtomicU32,
    }
    fn give_up(node: &Node) {
        if node.refs.release() {
            node.frees.fetch_add(1, Ordering::Relaxed);
            // SAFETY: the last holder is alone; loom checks that it is so.
            node.value.with_mut(|at| unsafe { *at = 0 });
        }
    }
    loom::model(|| {
        let node = Arc::new(Node {
            refs: Refs::one(),
            value: UnsafeCell::new(1),
            frees: AtomicU32::new(0),
        });
        let clones: Vec<_> = (0..2)
            .map(|_| {
                node.refs.hold();
                let held = Arc::clone(&node);
                thread::spawn(move || {
                    // SAFETY: a holder may read.
                    assert_eq!(held.value.with(|at| unsafe { *at }), 1);
                    give_up(&held);
                })
            })
            .collect();
        give_up(&node);
        for clone in clones {
            clone.join().expect("no panic");
        }
        assert_eq!(node.frees.load(Ordering::Relaxed), 1);
    });
}

/// Broken by: `retag` leaving the tag (ABA); `push` Relaxed; `pop` Relaxed.
#[test]
fn a_batch_is_popped_once_and_with_what_its_pusher_wrote() {
    struct Slab {
        free: Batches,
        links: [AtomicU32; 3],
        /// What belongs to whoever has the batch.
        values: [UnsafeCell<u32>; 3],
    }
    impl Slab {
        fn pop(&self) -> Option<u32> {
            let first = self.free.pop(|first| self.links.get(first as usize))?;
            // SAFETY: who popped the batch has it alone; loom checks that it is so.
            self.values[first as usize].with_mut(|at| unsafe { *at += 1 });
            Some(first)
        }

        fn push(&self, first: u32) {
            // SAFETY: as in `pop`: not given back yet.
            self.values[first as usize].with_mut(|at| unsafe { *at += 1 });
            self.free.push(first, &self.links[first as usize]);
        }
    }
    loom::model(|| {
        let slab = Arc::new(Slab {
            free: Batches(AtomicU64::new(Batches::EMPTY)),
            links: std::array::from_fn(|_| AtomicU32::new(NIL)),
            values: std::array::from_fn(|_| UnsafeCell::new(0)),
        });
        for first in 0..3 {
            slab.push(first);
        }
        let other = Arc::clone(&slab);
        let popped = thread::spawn(move || other.pop());
        // Meanwhile two are taken and the first given back: what a slow pop has read of its link is out of date, its
        // number is not.
        let (top, below) = (slab.pop(), slab.pop());
        if let Some(top) = top {
            slab.push(top);
        }
        let mut held = Vec::from_iter(below);
        held.extend(popped.join().expect("no panic"));
        held.extend(std::iter::from_fn(|| slab.pop()));
        held.sort_unstable();
        assert_eq!(held, [0, 1, 2]);
    });
}

/// The whole life of a record between a task, its handle and the free list, with a reader looking on.
#[test]
fn a_record_goes_from_task_to_task_and_its_reader_sees_one_of_them() {
    #[derive(Default)]
    struct Record {
        lives: Lives,
        sides: Sides,
        id: Counter,
        outcome: Counter,
    }
    fn publish(record: &Record, id: u64) {
        record.lives.begin(|| {
            record.id.set(id);
            record.outcome.set(id * 10);
            record.sides.start(0, 0);
        });
    }
    loom::model(|| {
        let record = Arc::new(Record::default());
        publish(&record, 1);
        let last = |record: &Record, _bits: u32| {
            record.lives.end();
            publish(record, 2);
        };
        let task = Arc::clone(&record);
        let task = thread::spawn(move || {
            if let Some(bits) = task.sides.leave_task(0) {
                last(&task, bits);
            }
        });
        let handle = Arc::clone(&record);
        let handle = thread::spawn(move || {
            if let Some(bits) = handle.sides.leave_handle() {
                last(&handle, bits);
            }
        });
        let seen = record
            .lives
            .read(|_| (record.id.get(), record.outcome.get()));
        assert!(matches!(seen, None | Some((1, 10) | (2, 20))), "{seen:?}");
        task.join().expect("no panic");
        handle.join().expect("no panic");
        assert_eq!(record.id.get(), 2, "the record was freed once");
    });
}

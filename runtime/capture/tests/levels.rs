//! What changes when the level does, with tasks alive. One test: the level is the process's.

#[path = "executor/by_hand.rs"]
#[expect(dead_code, reason = "another test needs the rest")]
mod executor;

use std::time::{Duration, Instant};

use executor::{Pending, look, poll, run, spawn, sum};
use pollscope_capture::event::Family;
use pollscope_capture::level::{self, Source, level, set_level};
use pollscope_capture::{Level, clock, registry, thread};

#[test]
fn a_task_is_counted_at_any_level_and_timed_only_in_debug() {
    assert!(set_level(Level::Quiet, Source::Explicit));
    let (mut task, _share) = spawn(Pending(9));
    let (id, site) = (task.id(), look(task.id()).site);
    let timed = || {
        sum(site, |tally| {
            let mut buckets = [0; pollscope_capture::histogram::BUCKETS];
            tally.poll_ns.add_to(&mut buckets);
            buckets.iter().sum()
        })
    };

    assert!(poll(&mut task).is_pending());
    let quiet = look(id);
    assert_eq!(
        (quiet.polls(), quiet.busy_ns, quiet.edge, timed()),
        (1, 0, 0, 0)
    );

    assert!(set_level(Level::Debug, Source::Code));
    assert!(poll(&mut task).is_pending());
    let debug = look(id);
    assert_eq!((debug.polls(), timed()), (2, 1));
    assert!(debug.edge != 0 && debug.edge <= clock::ticks());

    // An old edge must not be taken for the start of a poll that is not timed.
    assert!(set_level(Level::Quiet, Source::Inspector));
    let (within, _share) = spawn(async {
        thread::current()
            .and_then(thread::Thread::now)
            .map(|now| now.start)
    });
    assert_eq!(run(within).into_inner(), Some(0));
    assert!(poll(&mut task).is_pending());
    let quiet = look(id);
    assert_eq!(
        (quiet.polls(), quiet.busy_ns, quiet.edge, timed()),
        (3, debug.busy_ns, 0, 1)
    );

    // What runs with a record needs it to its end.
    assert!(!set_level(Level::Off, Source::Code));
    assert_eq!(level(), Level::Quiet);
    a_forked_child_goes_without_us(task);
    wakes_of_another_time_of_debug_are_forgotten();
    the_threshold_is_the_one_at_the_end_of_the_poll();
}

/// Edge case 37, as in Python: what holds for a poll is the threshold as it is when the poll ends.
fn the_threshold_is_the_one_at_the_end_of_the_poll() {
    const LONG: Duration = Duration::from_millis(12);
    let slow = |at_start: u64, at_end: u64| {
        level::set_slow_poll_ns(at_start);
        let (task, _share) = spawn(async move {
            let begun = Instant::now();
            while begun.elapsed() < LONG {}
            level::set_slow_poll_ns(at_end);
        });
        let site = look(task.id()).site;
        let count = || sum(site, |tally| tally.found[Family::SlowPoll as usize].get());
        let before = count();
        run(task).into_inner();
        count() - before
    };
    let (low, high) = (1_000_000, u64::MAX);
    assert_eq!(slow(high, low), 1, "lowered meanwhile");
    assert_eq!(slow(low, high), 0, "raised meanwhile");
    assert_eq!((slow(low, low), slow(high, high)), (1, 0), "left alone");
}

/// Edge case 51. The child has one thread, and whatever locks others held stay held: it must touch none of ours.
#[expect(unsafe_code, reason = "forks")]
fn a_forked_child_goes_without_us(mut task: executor::Task<Pending>) {
    // SAFETY: the child calls nothing that needs another thread, and leaves by `_exit`.
    match unsafe { libc::fork() } {
        0 => {
            let (new, _share) = spawn(Pending(0));
            let ours = level() == Level::Off && new.id() == 0 && !registry::is_own_process();
            let polled = poll(&mut task).is_pending();
            drop(task);
            // SAFETY: ends the child at once.
            unsafe { libc::_exit(i32::from(!(ours && polled))) };
        }
        child => {
            assert!(child > 0, "fork works");
            let mut status = 0;
            // SAFETY: our own child; `status` is there to be filled.
            assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
            assert_eq!(status, 0, "the child saw level off, and ended by itself");
        }
    }
}

/// In quiet a task is polled with the runtime's own waker, and nothing notes that a wake was answered.
fn wakes_of_another_time_of_debug_are_forgotten() {
    let _ = set_level(Level::Debug, Source::Code);
    let (send, wakers) = std::sync::mpsc::channel::<std::task::Waker>();
    let (mut task, _share) = spawn(std::future::poll_fn(move |cx| {
        send.send(cx.waker().clone()).expect("the test listens");
        std::task::Poll::<()>::Pending
    }));
    let id = task.id();
    assert!(poll(&mut task).is_pending());
    let waker = wakers.recv().expect("sent");
    waker.wake_by_ref();
    let first = look(id).woken;
    assert!(first > 1);
    waker.wake_by_ref();
    assert_eq!(look(id).woken, first, "it waits since the first");

    assert!(set_level(Level::Quiet, Source::Code));
    assert_eq!(look(id).woken, 0, "unknown in quiet");
    assert!(poll(&mut task).is_pending());
    assert!(set_level(Level::Debug, Source::Code));
    assert_eq!(look(id).woken, 0, "long answered");
    assert!(poll(&mut task).is_pending());
    assert_eq!(look(id).scheduled_ns, 0);
    waker.wake_by_ref();
    assert!(look(id).woken > first);
    assert!(poll(&mut task).is_pending());
    assert!(look(id).scheduled_ns > 0);
}

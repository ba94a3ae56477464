//! Polls and wakes in debug, and futures that never had a poll.

#[path = "executor/by_hand.rs"]
#[expect(dead_code, reason = "another test needs the rest")]
mod executor;

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::sync::mpsc;
use std::task::{Poll, Waker};
use std::time::Duration;

use executor::{Pending, findings, look, poll, run, spawn, sum};
use pollscope_capture::event::{Detail, Event};
use pollscope_capture::level::{Source, set_level};
use pollscope_capture::tracked::{Tracked, stir, track_at};
use pollscope_capture::{Level, SiteId, clock, registry, thread};

fn debug() {
    assert!(set_level(Level::Debug, Source::Explicit));
}

/// Works for so long.
fn spin(time: Duration) {
    let end = clock::mono_ns() + time.as_nanos() as u64;
    while clock::mono_ns() < end {
        std::hint::spin_loop();
    }
}

/// This thread's id in the system.
fn tid() -> u32 {
    let own = std::fs::read_link("/proc/thread-self").expect("Linux");
    let tid = own.file_name().expect("PID/task/TID").to_string_lossy();
    tid.parse().expect("a number")
}

const WORK: Duration = Duration::from_millis(3);

#[test]
fn a_poll_is_timed_into_its_task_and_the_histogram_of_its_thread_and_site() {
    debug();
    let (mut task, _share) = spawn(async {
        spin(WORK);
        Pending(1).await;
    });
    let (id, site) = (task.id(), look(task.id()).site);
    let before = clock::ticks();
    assert!(poll(&mut task).is_pending());
    let after = look(id);
    let at_least = WORK.as_nanos() as u64 * 9 / 10;
    assert!(after.busy_ns >= at_least && after.max_ns == after.busy_ns);
    assert!(after.edge > before && after.edge <= clock::ticks());
    assert!(poll(&mut task).is_ready());
    assert_eq!(look(id).max_ns, after.max_ns, "the second was shorter");
    let mut buckets = [0; pollscope_capture::histogram::BUCKETS];
    for tally in thread::all().filter_map(|thread| thread.tally(site)) {
        tally.poll_ns.add_to(&mut buckets);
    }
    assert_eq!(buckets.iter().sum::<u64>(), 2);
    let of_first = pollscope_capture::histogram::bucket(after.max_ns);
    assert!(buckets[of_first] >= 1);
    assert_eq!(sum(site, |tally| tally.max_poll_ns.get()), after.max_ns);
}

#[test]
fn the_time_of_a_blocking_region_is_not_the_polls() {
    debug();
    let begun = clock::mono_ns();
    let (task, _share) = spawn(async move {
        let thread = thread::current().expect("this thread has a slot");
        assert!(thread.now().is_some());
        let region = registry::blocking_region(|| {
            assert!(thread.now().is_none(), "nobody may call this poll slow");
            work()
        });
        let now = thread.now().expect("back in the poll");
        let so_far = clock::ticks_to_ns(clock::ticks() - now.start);
        assert_is_without(so_far, region, begun);
        region
    });
    let id = task.id();
    let region = run(task).into_inner();
    assert_is_without(look(id).busy_ns, region, begun);
}

/// Works for a while, and says how many nanoseconds that took: a busy machine takes longer.
fn work() -> u64 {
    let begun = clock::mono_ns();
    spin(4 * WORK);
    clock::mono_ns() - begun
}

/// Of the time since `begun` no more is counted than what lay outside of the region.
#[track_caller]
fn assert_is_without(counted_ns: u64, region_ns: u64, begun: u64) {
    let outside = clock::mono_ns() - begun - region_ns;
    // The two clocks may go a little differently.
    let bound = outside + region_ns / 4;
    assert!(counted_ns <= bound, "{counted_ns} ns of {bound} ns");
}

#[test]
fn what_is_not_the_inner_polls_is_not_the_outer_polls_either() {
    debug();
    let begun = clock::mono_ns();
    let (inner, _inner_share) = spawn(async { registry::blocking_region(work) });
    let (task, _share) = spawn(async move { run(inner).into_inner() });
    let id = task.id();
    let region = run(task).into_inner();
    assert_is_without(look(id).busy_ns, region, begun);
}

/// Sites are told apart by the type of the future: so many of them in one place, each with backtraces of its own.
fn track_many<T: Default, const SITES: usize>(at: &'static Location<'static>) {
    struct Future<T>(T);
    fn one<T>(value: &T, at: &'static Location<'static>) {
        for _ in 0..8 {
            track_at(Future(std::hint::black_box(value)), at).discard();
        }
    }
    one(&([(); SITES], T::default()), at);
    one(&([(); SITES], T::default(), 1_u8), at);
    one(&([(); SITES], T::default(), 1_u16), at);
    one(&([(); SITES], T::default(), 1_u32), at);
}

/// What a poll was told to have taken that does this for the first time with such a type, and how long it took.
fn polled_for_the_first_time<T: Default>() -> (u64, u64) {
    let wall = std::cell::Cell::new(0);
    let (task, _share) = spawn(poll_fn(|_| {
        let start = clock::mono_ns();
        let at = Location::caller();
        track_many::<T, 0>(at);
        track_many::<T, 1>(at);
        track_many::<T, 2>(at);
        track_many::<T, 3>(at);
        wall.set(clock::mono_ns() - start);
        Poll::Ready(())
    }));
    let id = task.id();
    run(task).into_inner();
    (look(id).busy_ns, wall.get())
}

/// Edge case 46: what costs at a first time, and is ours, is not the poll's.
#[test]
fn the_time_of_our_own_backtraces_is_not_the_polls() {
    debug();
    // A busy machine may take the CPU away where it is the poll's time: once it does not. Were backtraces the
    // poll's, they would be each time.
    let looks = [
        polled_for_the_first_time::<()>,
        polled_for_the_first_time::<i8>,
        polled_for_the_first_time::<i16>,
        polled_for_the_first_time::<i32>,
        polled_for_the_first_time::<i64>,
        polled_for_the_first_time::<i128>,
    ];
    let mut seen = looks.iter().map(|look| look());
    assert!(
        seen.any(|(busy_ns, wall_ns)| busy_ns < wall_ns / 2),
        "most of the time was called the poll's, six times"
    );
}

#[test]
fn a_slow_poll_is_told_with_its_number_and_a_quick_one_is_not() {
    debug();
    let (task, _share) = spawn(async {
        Pending(1).await;
        spin(Duration::from_millis(12));
    });
    let site = look(task.id()).site;
    run(task).into_inner();
    let told = findings(site);
    let [event] = told.as_slice() else {
        panic!("{told:?}");
    };
    assert!(
        matches!(&event.detail, Detail::Poll(text) if text.number == 2 && text.ns >= 11_000_000),
        "{event:?}"
    );
}

#[test]
fn a_task_keeps_one_waker_and_its_wakes_are_told_apart() {
    debug();
    let (send, kept) = mpsc::channel::<Waker>();
    let (mut task, share) = spawn(poll_fn(move |cx| {
        send.send(cx.waker().clone()).expect("the test listens");
        cx.waker().wake_by_ref();
        Poll::<()>::Pending
    }));
    let id = task.id();
    assert!(poll(&mut task).is_pending() && poll(&mut task).is_pending());
    let (first, second) = (kept.recv().expect("sent"), kept.recv().expect("sent"));
    assert!(first.will_wake(&second), "leaves need not register again");
    assert_eq!((look(id).self_wakes, look(id).wakes), (2, 0));
    assert!(look(id).woken > 1, "waits since the end of its poll");

    // By another task, on another thread.
    let waker = std::thread::spawn(move || {
        let (task, _share) = spawn(async move { first.wake() });
        let id = task.id();
        run(task).into_inner();
        id
    });
    let waker = waker.join().expect("no panic");
    assert_eq!((look(id).wakes, look(id).last_waker), (1, waker));
    assert_eq!(look(id).last_waker_tid, 0, "a task did");
    assert!(poll(&mut task).is_pending());
    assert!(look(id).scheduled_ns > 0);

    // By no task, on this thread, and on one that has no other part in it: that one gets no slot.
    second.wake_by_ref();
    assert_eq!((look(id).wakes, look(id).last_waker), (2, 0));
    assert_eq!(look(id).last_waker_tid, tid());
    let stranger = second.clone();
    let stranger = std::thread::spawn(move || {
        stranger.wake_by_ref();
        stranger.wake();
        tid()
    });
    let stranger = stranger.join().expect("no panic");
    assert_eq!((look(id).wakes, look(id).last_waker_tid), (4, stranger));
    assert!(thread::all().all(|known| known.tid() != stranger));
    assert!(poll(&mut task).is_pending());

    // After its end a wake is passed on and counted for nobody.
    drop((task, share));
    second.wake_by_ref();
    assert!(registry::find(id).is_none());
}

#[track_caller]
fn tracked() -> (Tracked<Pending>, SiteId) {
    let location = Location::caller();
    let future = track_at(Pending(0), location);
    let name = std::any::type_name::<Pending>();
    let kind = pollscope_capture::TaskKind::Task;
    let site = pollscope_capture::site::intern(location, name, size_of::<Pending>() as u32, kind);
    (future, site)
}

/// Whether the one finding of this site is definite; `None` for no finding.
fn definite(site: SiteId) -> Option<bool> {
    let told = findings(site);
    assert!(told.len() <= 1, "{told:?}");
    told.first().map(|event: &Event| match event.detail {
        Detail::Unpolled { definite } => definite,
        _ => panic!("{event:?}"),
    })
}

/// Forgets a future on a thread of this name; its tid, and the site.
fn forget_on(name: &str) -> (u32, SiteId) {
    let thread = std::thread::Builder::new().name(name.to_owned());
    let ended = thread.spawn(|| {
        let (future, site) = tracked();
        drop(future);
        (thread::current().expect("a slot").tid(), site)
    });
    ended.expect("a thread").join().expect("no panic")
}

#[test]
fn a_finding_is_of_the_thread_it_was_made_on_whoever_has_its_slot_by_then() {
    let (tid, site) = forget_on("brief");
    // Whoever comes next may have the slot of the one that ended, with what that one had to tell.
    let told = std::thread::spawn(move || {
        assert_ne!(thread::current().expect("a slot").tid(), tid);
        findings(site)
    });
    let told = told.join().expect("no panic");
    let [event] = told.as_slice() else {
        panic!("{told:?}");
    };
    assert_eq!(
        (event.teller.tid, event.teller.name.as_deref()),
        (tid, Some("brief"))
    );
    assert_eq!(event.created_tid, tid);

    // The twin: one that lives.
    let (future, site) = tracked();
    drop(future);
    let told = findings(site);
    let here = thread::current().expect("a slot").tid();
    assert_eq!((told[0].teller.tid, told[0].created_tid), (here, here));
}

#[test]
fn a_future_of_a_thread_that_ended_is_not_credited_to_the_next_in_its_slot() {
    let (future, site) = std::thread::spawn(tracked).join().expect("no panic");
    let next = std::thread::spawn(move || {
        let here = thread::current().expect("a slot").tid();
        drop(future);
        here
    });
    let tid = next.join().expect("no panic");
    let told = findings(site);
    assert_eq!((told[0].teller.tid, told[0].created_tid), (tid, 0));
}

#[test]
fn a_future_made_and_dropped_with_nothing_between_was_forgotten() {
    let (future, site) = tracked();
    drop(future);
    assert_eq!(definite(site), Some(true));

    let (task, _share) = spawn(async {
        let (future, site) = tracked();
        drop(future);
        definite(site)
    });
    assert_eq!(run(task).into_inner(), Some(true), "also within a poll");
}

#[test]
fn a_future_that_may_have_had_an_owner_was_only_likely_forgotten() {
    let (future, site) = tracked();
    stir();
    drop(future);
    assert_eq!(definite(site), Some(false), "some owner polls by turns");

    let (task, _share) = spawn(async {
        let (future, site) = tracked();
        Pending(1).await;
        drop(future);
        definite(site)
    });
    assert_eq!(run(task).into_inner(), Some(false), "kept over two polls");

    let (future, site) = tracked();
    let moved = std::thread::spawn(move || drop(future));
    moved.join().expect("no panic");
    assert_eq!(definite(site), Some(false), "dropped by another thread");
}

#[test]
fn a_future_that_was_polled_or_given_up_on_purpose_was_not_forgotten() {
    let (future, site) = tracked();
    run(Box::pin(future));
    assert_eq!(definite(site), None, "polled");

    let (future, site) = tracked();
    future.discard();
    assert_eq!(definite(site), None, "discarded");

    let (future, site) = tracked();
    let (mut task, _share) = spawn(async move {
        Pending(1).await;
        drop(future);
    });
    assert!(poll(&mut task).is_pending());
    drop(task);
    assert_eq!(definite(site), None, "its task was aborted");

    let (future, site) = tracked();
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        let _held = future;
        panic!("unwinds it");
    }));
    assert!(unwound.is_err());
    assert_eq!(definite(site), None, "unwound");
}

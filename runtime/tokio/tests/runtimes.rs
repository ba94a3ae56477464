//! Runtimes: which there are, whose threads are whose, and what their hooks tell.

#![cfg(feature = "capture")]

#[path = "support/findings.rs"]
mod findings;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

use findings::wait_until;
use pollscope_capture::runtimes::{self, RuntimeInfo};
use pollscope_capture::thread::{self, Role};
use pollscope_capture::{TaskKind, registry, site};
use pollscope_tokio::runtime::{Builder, Handle, LocalRuntime, Runtime};
use pollscope_tokio::task;

fn named(name: &str) -> Option<RuntimeInfo> {
    runtimes::all()
        .into_iter()
        .find(|runtime| &*runtime.name == name)
}

fn two_workers(name: &str) -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(2)
        .name(name)
        .enable_all()
        .build()
        .expect("a runtime")
}

fn workers_of(number: u16) -> Vec<&'static thread::Thread> {
    thread::all()
        .filter(|thread| {
            thread.runtime() == number && thread.role() == Role::Worker && thread.tid() != 0
        })
        .collect()
}

#[test]
fn a_runtime_is_on_the_list_while_it_lives() {
    let runtime = two_workers("on-the-list");
    let info = named("on-the-list").expect("it is on the list");
    assert_eq!((info.flavor, info.workers), ("multi_thread", 2));
    assert_eq!(runtime.handle().name(), Some("on-the-list"));
    let waits = runtime.inner().spawn(std::future::pending::<()>());
    assert_eq!(
        (info.alive)(),
        Some(1),
        "tasks that are not ours count, too"
    );
    drop((waits, runtime));
    assert!(named("on-the-list").is_none());
    assert_eq!((info.alive)(), None);
}

#[test]
fn workers_are_told_from_the_blocking_pool() {
    let runtime = two_workers("roles");
    let number = named("roles").expect("it is on the list").number;
    let pool = runtime.spawn_blocking(|| thread::current().map(thread::Thread::role));
    assert_eq!(
        runtime.block_on(pool).expect("it ends"),
        Some(Role::Blocking)
    );
    wait_until("both workers", || workers_of(number).len() == 2);
    // A bare closure of Tokio's on the pool, which parks nobody.
    let bare = runtime
        .inner()
        .spawn_blocking(|| thread::current().map(|thread| (thread.role(), thread.runtime())));
    assert_eq!(
        runtime.block_on(bare).expect("it ends"),
        Some((Role::Blocking, number))
    );
    wait_until("both to rest", || {
        workers_of(number)
            .iter()
            .all(|worker| worker.parks().is_some_and(|n| n % 2 == 1))
    });
    let before: u64 = workers_of(number)
        .iter()
        .filter_map(|worker| worker.parks())
        .sum();
    runtime.block_on(runtime.spawn(async {})).expect("it ends");
    wait_until("the parking after", || {
        workers_of(number)
            .iter()
            .filter_map(|worker| worker.parks())
            .sum::<u64>()
            >= before + 2
    });
}

#[test]
fn a_worker_that_gave_its_core_away_is_none_until_it_parks() {
    let runtime = two_workers("handed-over");
    let number = named("handed-over").expect("it is on the list").number;
    wait_until("both workers", || workers_of(number).len() == 2);
    let role = runtime.block_on(runtime.spawn(async {
        task::block_in_place(|| {});
        thread::current().map(thread::Thread::role)
    }));
    assert_eq!(role.expect("it ends"), Some(Role::Blocking));
    drop(runtime);
}

#[test]
fn a_library_that_blocks_in_place_makes_no_second_worker() {
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .name("gave-away")
        .build()
        .expect("a runtime");
    let number = named("gave-away").expect("it is on the list").number;
    wait_until("the worker", || workers_of(number).len() == 1);
    let before = workers_of(number)[0].number();
    let task = runtime.spawn(async move {
        // Tokio's own, as a library would call it: until somebody else has taken the core.
        tokio::task::block_in_place(|| {
            wait_until("another worker", || {
                workers_of(number)
                    .iter()
                    .any(|worker| worker.number() != before)
            });
        });
    });
    runtime.block_on(task).expect("it ends");
    wait_until("one worker again", || workers_of(number).len() == 1);
    assert_ne!(workers_of(number)[0].number(), before);
}

/// Hangs a worker of the runtime in a task that is not ours; the slot of its thread, and what ends it when dropped.
fn hang_a_worker(runtime: &Runtime) -> (u32, impl Sized + use<>) {
    let ((here, hung), (keep, kept)) = (channel(), channel::<()>());
    let _task = runtime.inner().spawn(async move {
        let slot = thread::current().expect("a slot").number();
        here.send(slot).expect("it waits");
        let _ = kept.recv();
    });
    (hung.recv().expect("it hangs"), keep)
}

/// Two workers, one of which hangs while the other gives its core away by `in_place`: who are workers by then.
fn who_works_beside_a_hung_one(name: &str, in_place: fn(Box<dyn FnOnce() + Send>)) {
    let runtime = two_workers(name);
    let number = named(name).expect("it is on the list").number;
    wait_until("both to rest", || {
        let rests = |worker: &&thread::Thread| worker.parks().is_some_and(|n| n % 2 == 1);
        workers_of(number)
            .iter()
            .filter(|worker| rests(worker))
            .count()
            == 2
    });
    let before: Vec<u32> = workers_of(number)
        .iter()
        .map(|thread| thread.number())
        .collect();
    let (hung, _hangs) = hang_a_worker(&runtime);
    let (done, is_done) = channel();
    let _task = runtime.spawn(async move {
        let now = move || {
            workers_of(number)
                .iter()
                .map(|thread| thread.number())
                .collect::<Vec<_>>()
        };
        in_place(Box::new(move || {
            wait_until("another worker", || {
                now().iter().any(|at| !before.contains(at))
            });
            wait_until("no third", || now().len() <= 2);
            let here = thread::current().expect("a slot").number();
            done.send((now(), here)).expect("it waits");
        }));
    });
    let (workers, gave) = is_done.recv().expect("it ends");
    assert!(
        workers.contains(&hung),
        "{hung} hangs, and is a worker: {workers:?}"
    );
    assert!(
        !workers.contains(&gave) && workers.len() == 2,
        "{gave} gave its core away: {workers:?}"
    );
}

#[test]
fn a_worker_that_hangs_stays_one_while_another_gives_its_core_away() {
    who_works_beside_a_hung_one("one-hangs", |work| task::block_in_place(work));
}

/// In place of Tokio's, which a stable Tokio has from 1.54 on.
#[allow(dead_code, reason = "an older Tokio's")]
fn worker_index() -> Option<usize> {
    None
}

/// Whether Tokio says which worker runs here.
fn tokio_tells_workers() -> bool {
    let current = tokio::runtime::Builder::new_current_thread().build();
    current.expect("a runtime").block_on(async {
        #[allow(unused_imports, reason = "an older Tokio has none")]
        use tokio::runtime::*;
        worker_index().is_some()
    })
}

#[test]
fn a_worker_that_hangs_stays_one_while_a_library_gives_anothers_core_away() {
    if tokio_tells_workers() {
        who_works_beside_a_hung_one("one-hangs-too", |work| tokio::task::block_in_place(work));
    }
}

#[test]
fn a_panic_in_place_leaves_no_worker_that_is_none() {
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .expect("a runtime");
    let (tell_role, role) = channel();
    let _task = runtime.spawn(async move {
        let ((begins, has_begun), (end, ends)) = (channel(), channel::<()>());
        // Whoever takes the core does not park meanwhile, and so says nothing of it.
        let _beside = task::spawn(async move {
            begins.send(()).expect("it waits");
            let _ = ends.recv();
        });
        let unwound = catch_unwind(AssertUnwindSafe(|| {
            task::block_in_place(|| {
                has_begun.recv().expect("another thread has the core");
                panic!("on purpose");
            });
        }));
        assert!(unwound.is_err());
        tell_role
            .send(thread::current().map(thread::Thread::role))
            .expect("it waits");
        drop(end);
    });
    assert_eq!(role.recv().expect("it tells"), Some(Role::Blocking));
}

#[test]
fn the_thread_of_a_current_thread_runtime() {
    let before = thread::current().map(|thread| (thread.role(), thread.runtime()));
    let runtime = Builder::new_current_thread()
        .name("one-thread")
        .enable_all()
        .build()
        .expect("a runtime");
    let info = named("one-thread").expect("it is on the list");
    assert_eq!((info.flavor, info.workers), ("current_thread", 1));
    let inside = || thread::current().map(|thread| (thread.role(), thread.runtime()));
    assert_eq!(
        runtime.block_on(async { inside() }),
        Some((Role::Local, info.number))
    );
    assert_eq!(
        runtime
            .block_on(runtime.spawn(async move { inside() }))
            .expect("it ends"),
        Some((Role::Local, info.number))
    );
    assert_eq!(inside(), before, "as it was");
}

#[test]
fn a_local_runtime() {
    let runtime = LocalRuntime::new().expect("a runtime");
    let number = runtime.block_on(async { thread::current().expect("a slot").runtime() });
    assert!(
        runtimes::all()
            .iter()
            .any(|info| info.number == number && info.flavor == "local")
    );
    drop(runtime);
    assert!(!runtimes::all().iter().any(|info| info.number == number));
}

/// Edge case 49: two runtimes in one process, and ids that are their own.
#[test]
fn tasks_know_their_runtime() {
    let (a, b) = (two_workers("runtime-a"), two_workers("runtime-b"));
    let runtime_of = |id: u64| registry::find(id).expect("it lives").1.runtime;
    let (in_a, in_b) = (
        named("runtime-a").expect("a").number,
        named("runtime-b").expect("b").number,
    );
    assert_ne!(in_a, in_b);
    let from_outside = b.spawn(std::future::pending::<()>());
    assert_eq!(runtime_of(from_outside.pollscope_id()), in_b);
    a.block_on(async {
        let beside = task::spawn(std::future::pending::<()>());
        assert_eq!(runtime_of(beside.pollscope_id()), in_a);
        let across = b.handle().spawn(std::future::pending::<()>());
        assert_eq!(runtime_of(across.pollscope_id()), in_b);
        let nested = task::spawn(async move {
            let nested = task::spawn(std::future::pending::<()>());
            runtime_of(nested.pollscope_id())
        });
        assert_eq!(nested.await.expect("it ends"), in_a);
    });
}

#[test]
fn what_is_spawned_in_a_runtime_that_was_entered_is_its_own() {
    let (a, b) = (two_workers("enters"), two_workers("entered"));
    let (in_a, in_b) = (
        named("enters").expect("a").number,
        named("entered").expect("b").number,
    );
    let spawned_in = || {
        let task = task::spawn(std::future::pending::<()>());
        let runtime = registry::find(task.pollscope_id())
            .expect("it lives")
            .1
            .runtime;
        task.abort();
        runtime
    };
    a.block_on(async {
        let entered = b.enter();
        assert_eq!(spawned_in(), in_b);
        drop(entered);
        assert_eq!(spawned_in(), in_a);
    });
    let handle = b.handle().clone();
    let on_a_worker = a.spawn(async move {
        let within = {
            let _entered = handle.enter();
            spawned_in()
        };
        (within, spawned_in())
    });
    assert_eq!(a.block_on(on_a_worker).expect("it ends"), (in_b, in_a));
    let _entered = b.enter();
    assert_eq!(
        a.block_on(async { spawned_in() }),
        in_a,
        "blocking on it is to be in it"
    );
    assert_eq!(spawned_in(), in_b);
}

#[test]
fn tasks_on_a_runtime_that_is_not_ours() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .name("plain")
        .build()
        .expect("a runtime");
    let (first, second) = runtime.block_on(async {
        let spawned = tokio::task::spawn(async { Some(task::spawn(std::future::pending::<()>())) });
        (
            task::spawn(std::future::pending::<()>()),
            spawned.await.expect("it ends").expect("a handle"),
        )
    });
    let number = named("plain").expect("put on the list by the spawn").number;
    for handle in [&first, &second] {
        let (_, task) = registry::find(handle.pollscope_id()).expect("it lives");
        assert_eq!(task.runtime, number);
        assert_eq!(task.tokio_id.to_string(), handle.id().to_string());
    }
    let handle = Handle::from(runtime.handle().clone());
    let third = handle.spawn(std::future::pending::<()>());
    assert_eq!(
        registry::find(third.pollscope_id())
            .expect("it lives")
            .1
            .runtime,
        number
    );
}

/// The thread outlives the first.
#[test]
fn one_runtime_after_the_other_on_a_thread_that_is_not_ours() {
    let numbers = ["one", "other"].map(|name| {
        let plain = tokio::runtime::Builder::new_current_thread()
            .name(name)
            .build()
            .expect("a runtime");
        let spawned = async { task::spawn(std::future::pending::<()>()).pollscope_id() };
        let id = plain.block_on(async { tokio::task::spawn(spawned).await });
        let id = id.expect("it ends");
        let number = named(name).expect("put on the list by the spawn").number;
        assert_eq!(registry::find(id).expect("it lives").1.runtime, number);
        number
    });
    assert_ne!(numbers[0], numbers[1]);
}

#[test]
fn a_runtime_that_is_not_ours_is_counted_while_the_guard_lives() {
    let plain = tokio::runtime::Builder::new_current_thread()
        .name("guarded")
        .build()
        .expect("a runtime");
    plain.block_on(async {
        let guard = pollscope_tokio::setup::init();
        let _waits = tokio::task::spawn(std::future::pending::<()>());
        let info = named("guarded").expect("put on the list by the guard");
        assert_eq!((info.flavor, (info.alive)()), ("current_thread", Some(1)));
        let ours = task::spawn(std::future::pending::<()>());
        let (_, row) = registry::find(ours.pollscope_id()).expect("it lives");
        assert_eq!(row.runtime, info.number);
        drop(guard);
        assert_eq!((info.alive)(), None, "nothing of the runtime is held");
    });
    assert!(named("guarded").is_none());
}

#[test]
fn a_local_set_makes_its_thread_local() {
    let runtime = two_workers("local-set");
    let role = || thread::current().map(thread::Thread::role);
    runtime.block_on(async {
        assert_eq!(role(), Some(Role::Other));
        let inside = task::LocalSet::new().run_until(async { role() }).await;
        assert_eq!(inside, Some(Role::Local));
    });
    assert_eq!(role(), Some(Role::Other), "as it was");
}

#[test]
fn root_futures_are_rows() {
    async fn root_of_the_test() -> (TaskKind, u32) {
        let mut row = None;
        task::yield_now().await;
        registry::tasks(|_, snapshot| {
            let site = site::get(snapshot.site);
            if site.type_name.contains("root_of_the_test") {
                row = Some((snapshot.kind, site.line));
            }
        });
        row.expect("the root has a record while it runs")
    }
    let runtime = two_workers("roots");
    let (line, row) = (line!(), runtime.block_on(root_of_the_test()));
    assert_eq!(row, (TaskKind::BlockOn, line));
    let handle = runtime.handle();
    let (line, row) = (line!(), handle.block_on(root_of_the_test()));
    assert_eq!(row, (TaskKind::BlockOn, line));
    let set = task::LocalSet::new();
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    let (line, row) = (line!(), set.block_on(&runtime, root_of_the_test()));
    assert_eq!(row, (TaskKind::BlockOn, line));
}

#[test]
fn the_programs_hooks_are_called_too() {
    let counts: Arc<[AtomicUsize; 4]> = Arc::default();
    let count = |nth: usize| {
        let counts = Arc::clone(&counts);
        move || _ = counts[nth].fetch_add(1, Ordering::Relaxed)
    };
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .on_thread_start(count(0))
        .on_thread_stop(count(1))
        .on_thread_park(count(2))
        .on_thread_unpark(count(3))
        .build()
        .expect("a runtime");
    let at = |nth: usize| counts[nth].load(Ordering::Relaxed);
    wait_until("a start and a park", || at(0) == 1 && at(2) >= 1);
    runtime.block_on(runtime.spawn(async {})).expect("it ends");
    wait_until("an unpark", || at(3) >= 1);
    runtime.shutdown_timeout(Duration::from_secs(5));
    assert_eq!((at(0), at(1)), (1, 1));
}

/// Edge case 49: a runtime within a runtime.
#[test]
fn block_on_inside_a_task_panics_as_tokios_does() {
    let runtime = two_workers("nested");
    let words = |payload: Box<dyn std::any::Any + Send>| payload.downcast_ref::<&str>().copied();
    let ours = runtime.block_on(async {
        let unwound = catch_unwind(AssertUnwindSafe(|| Handle::current().block_on(async {})));
        words(unwound.expect_err("it panics"))
    });
    let tokios = runtime.block_on(async {
        let unwound = catch_unwind(AssertUnwindSafe(|| {
            tokio::runtime::Handle::current().block_on(async {});
        }));
        words(unwound.expect_err("it panics"))
    });
    assert_eq!(ours, tokios);
    assert!(ours.is_some());
    assert_eq!(runtime.block_on(async { 7 }), 7, "the thread is as it was");
}

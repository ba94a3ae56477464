//! Tasks that a library spawns past us: under `--cfg tokio_unstable` the runtime's hooks tell of them, once each, and the
//! program's own hooks are called as before.

#![cfg(all(tokio_unstable, feature = "capture"))]
#![expect(
    clippy::async_yields_async,
    reason = "what a library spawns is not awaited in the task that spawns it"
)]

#[path = "support/findings.rs"]
mod findings;
#[path = "support/runtimes.rs"]
mod runtimes;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use findings::{Found, found_at, wait_until};
use pollscope_capture::TaskKind;
use pollscope_capture::event::Family;
use pollscope_capture::record::Snapshot;
use pollscope_capture::{Counter, registry, site, thread};
use pollscope_tokio::runtime::Runtime;
use tokio::sync::Notify;

const SLOW: Duration = Duration::from_millis(100);

fn runtime() -> Runtime {
    runtimes::debugging(SLOW).build().expect("a runtime")
}

/// Whether it was spawned at this line; what blocks on a runtime there was not.
fn is_at(site: &site::Site, line: u32) -> bool {
    site.line == line && site.file == file!() && site.kind != TaskKind::BlockOn
}

/// The live tasks that were spawned at this line.
fn rows(line: u32) -> Vec<Snapshot> {
    let mut found = Vec::new();
    registry::tasks(|_, task| {
        if is_at(site::get(task.site), line) {
            found.push(task);
        }
    });
    found
}

/// How many tasks were spawned at this line, and how many of them have ended.
fn counted(line: u32) -> (u64, u64) {
    let sites = (0..site::count()).map(|id| site::get(pollscope_capture::SiteId(id)));
    let mut counts = (0, 0);
    for site in sites.filter(|site| is_at(site, line)) {
        for tally in thread::all().filter_map(|thread| thread.tally(site.id)) {
            counts.0 += tally.spawned.get();
            counts.1 += tally.ended.iter().map(Counter::get).sum::<u64>();
        }
    }
    counts
}

/// What was told of tasks that were spawned at this line; not polls in which a busy machine had no CPU for us.
fn told(line: u32) -> Vec<Found> {
    let is_long = |found: &Found| found.ns.is_none_or(|ns| ns >= SLOW.as_nanos() as u64);
    let mut found = found_at(file!(), line);
    found.retain(|found| found.site.kind == TaskKind::Foreign && is_long(found));
    found
}

#[test]
fn a_task_spawned_past_us_is_a_row_until_it_ends() {
    let runtime = runtime();
    let go = Arc::new(Notify::new());
    let waits = Arc::clone(&go);
    let line = line!() + 1;
    let task = runtime.block_on(async { tokio::spawn(async move { waits.notified().await }) });

    wait_until("its first poll", || {
        rows(line).iter().any(|row| row.seq == 2)
    });
    let [row] = rows(line)[..] else {
        panic!("one row: {:?}", rows(line));
    };
    assert_eq!(row.kind, TaskKind::Foreign);
    assert_eq!(row.tokio_id, task.id().to_string().parse::<u64>().unwrap());
    assert_ne!(row.runtime, 0);

    go.notify_one();
    runtime.block_on(task).unwrap();
    wait_until("its end", || counted(line) == (1, 1));
    assert!(rows(line).is_empty());
}

#[test]
fn our_own_tasks_are_not_counted_twice() {
    let runtime = runtime();
    let line = line!() + 2;
    runtime.block_on(async {
        let ours = pollscope_tokio::task::spawn(std::future::pending::<()>());
        wait_until("its row", || rows(line).len() == 1);
        assert_eq!(rows(line)[0].kind, TaskKind::Task);
        assert_eq!(counted(line), (1, 0));
        ours.abort();
    });
    // The flag of a spawn does not outlive it, and a `LocalSet`, which calls no hook, leaves none behind either.
    let local = pollscope_tokio::task::LocalSet::new();
    drop(local.spawn_local(async {}));
    let line = line!() + 1;
    let task = runtime.block_on(async { tokio::spawn(async {}) });
    runtime.block_on(task).unwrap();
    wait_until("the library's task", || counted(line) == (1, 1));
}

#[test]
fn a_slow_poll_of_it_is_told_with_its_place() {
    let runtime = runtime();
    let line = line!() + 1;
    let task = runtime.block_on(async { tokio::spawn(async { std::thread::sleep(SLOW) }) });
    runtime.block_on(task).unwrap();
    wait_until("the slow poll", || !told(line).is_empty());
    let found = told(line);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].family, Family::SlowPoll);
}

#[test]
fn a_panic_or_an_abort_frees_it_and_is_nobodys_loss() {
    let runtime = runtime();
    let wait = async |panics: bool| {
        if panics {
            // Without a backtrace, which may take as long as a slow poll.
            std::panic::resume_unwind(Box::new("on purpose"));
        }
        std::future::pending::<()>().await;
    };
    let line = line!() + 1;
    let spawn = |panics| runtime.block_on(async { tokio::spawn(wait(panics)) });
    assert!(runtime.block_on(spawn(true)).unwrap_err().is_panic());
    let aborted = spawn(false);
    aborted.abort();
    assert!(runtime.block_on(aborted).unwrap_err().is_cancelled());
    wait_until("both ends", || counted(line) == (2, 2));
    assert!(rows(line).is_empty());
    assert!(told(line).is_empty(), "{:?}", told(line));
    // The threads are as they were: what they poll next is told as itself.
    let ours = runtime.spawn(async { 7 });
    assert_eq!(runtime.block_on(ours).unwrap(), 7);
}

#[test]
fn the_programs_own_hooks_are_called() {
    let counts: Arc<[AtomicU32; 4]> = Arc::default();
    let count = |at: usize| {
        let counts = Arc::clone(&counts);
        move |_: &tokio::runtime::TaskMeta<'_>| _ = counts[at].fetch_add(1, Ordering::Relaxed)
    };
    let runtime = runtimes::debugging(SLOW)
        .on_task_spawn(count(0))
        .on_before_task_poll(count(1))
        .on_after_task_poll(count(2))
        .on_task_terminate(count(3))
        .build()
        .expect("a runtime");
    let ours = runtime.spawn(async {});
    let line = line!() + 1;
    let theirs = runtime.block_on(async { tokio::spawn(async {}) });
    runtime.block_on(async { (ours.await.unwrap(), theirs.await.unwrap()) });
    wait_until("all four of both", || {
        counts
            .iter()
            .all(|count| count.load(Ordering::Relaxed) == 2)
    });
    assert_eq!(counted(line).0, 1);
}

#[test]
fn a_runtime_that_goes_takes_them_with_it() {
    let runtime = runtime();
    let line = line!() + 2;
    for _ in 0..10 {
        drop(runtime.block_on(async { tokio::spawn(std::future::pending::<()>()) }));
    }
    assert_eq!(rows(line).len(), 10);
    drop(runtime);
    assert!(rows(line).is_empty());
    assert_eq!(counted(line), (10, 10));
}

/// Does something when it is dropped.
struct AtLast<F: FnMut()>(F);

impl<F: FnMut()> Drop for AtLast<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Tokio tells of its end first, and of its spawn then.
#[test]
fn a_task_that_comes_too_late_leaves_no_row() {
    let gone = runtime();
    let (ours, theirs) = (gone.handle().clone(), gone.handle().clone().into_tokio());
    drop(gone);
    let line = line!() + 1;
    let refused = theirs.spawn(std::future::pending::<()>());
    assert!(refused.is_finished());
    assert_eq!((rows(line).len(), counted(line)), (0, (0, 0)));

    // One of ours, whose drop spawns another of ours where that can be.
    let alive = Arc::new(runtime());
    let within = Arc::clone(&alive);
    let inner = line!() + 1;
    let last = AtLast(move || drop(within.spawn(async {})));
    let line = line!() + 1;
    let refused = ours.spawn(async move { drop(last) });
    assert!(refused.is_finished());
    drop(refused);
    wait_until("both ends", || {
        [inner, line].map(counted) == [(1, 1), (1, 1)]
    });
    assert!(rows(line).is_empty());
    // Nothing of that is left to this thread.
    let line = line!() + 1;
    let task = alive.block_on(async { tokio::spawn(async {}) });
    alive.block_on(task).unwrap();
    wait_until("the library's task", || counted(line) == (1, 1));
}

#[test]
fn a_poll_with_a_runtime_inside_is_one() {
    let runtime = runtime();
    let inner = line!() + 3;
    let blocks = || {
        let within = runtimes::current_thread();
        within.block_on(async { tokio::spawn(async {}).await.unwrap() });
    };
    let line = line!() + 2;
    let task = runtime.block_on(async {
        tokio::spawn(async move {
            tokio::task::block_in_place(blocks);
            std::thread::sleep(SLOW);
        })
    });
    runtime.block_on(task).unwrap();
    wait_until("the slow poll", || !told(line).is_empty());
    assert_eq!(told(line).len(), 1, "{:?}", told(line));
    wait_until("both ends", || {
        [inner, line].map(counted) == [(1, 1), (1, 1)]
    });
    assert!(told(inner).is_empty(), "{:?}", told(inner));
}

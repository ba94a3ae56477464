//! What a set joins was read; what it is dropped with, or detaches, was not.

#![cfg(feature = "capture")]

#[path = "support/findings.rs"]
mod findings;
#[path = "support/runtimes.rs"]
mod runtimes;

use std::future::pending;
use std::io;

use findings::{about, destroyed, none, only, settled, wait_until};
use pollscope_capture::event::Family;
use pollscope_tokio::task::{self, JoinSet};
use runtimes::{current_thread, multi_thread};

/// Edge case 23: `join_next` reads.
#[test]
fn joined_errors_and_panics_are_read() {
    runtimes::on_both(|| async {
        let mut set = JoinSet::new();
        set.spawn(async { Err::<(), _>(io::Error::other("joined")) });
        set.spawn(async { panic!("joined, on purpose") });
        set.spawn_blocking(|| Err(io::Error::other("joined")));
        let mut panics = 0;
        while let Some(joined) = set.join_next().await {
            panics += usize::from(joined.is_err_and(|error| error.is_panic()));
        }
        assert_eq!(panics, 1);
        assert!(set.is_empty());
        assert!(set.join_next().await.is_none());
    });
    none("joined_errors_and_panics_are_read");
}

/// Edge case 23: the drop of the set does not.
#[test]
fn dropped_with_an_error() {
    multi_thread().block_on(async {
        let mut set = JoinSet::new();
        let task = set.spawn(async { Err::<(), _>(io::Error::other("in the set")) });
        wait_until("the task's end", || task.is_finished());
        assert!(
            about("dropped_with_an_error").is_empty(),
            "it may still be joined"
        );
        drop(set);
        let found = only("dropped_with_an_error");
        assert_eq!(
            found.error.and_then(|error| error.display).as_deref(),
            Some("in the set")
        );
    });
}

#[test]
fn dropped_with_a_panic() {
    multi_thread().block_on(async {
        let mut set = JoinSet::new();
        let task = set.spawn(async { panic!("in the set, on purpose") });
        wait_until("the task's end", || task.is_finished());
        assert!(
            about("dropped_with_a_panic").is_empty(),
            "it may still be joined"
        );
        drop(set);
        let found = only("dropped_with_a_panic");
        assert_eq!(found.family, Family::LeakedPanic);
        assert!(found.panic.is_some_and(|panic| panic.place.is_some()));
    });
}

#[test]
fn dropped_while_all_is_well() {
    runtimes::on_both(|| async {
        let mut set = JoinSet::new();
        for _ in 0..100 {
            set.spawn(std::future::pending::<io::Result<()>>());
            set.spawn(async { Ok(()) });
        }
        task::yield_now().await;
        drop(set);
        while findings::live("dropped_while_all_is_well") > 0 {
            task::yield_now().await;
        }
    });
    none("dropped_while_all_is_well");
}

/// Edge case 23: `detach_all` drops the handles.
#[test]
fn detached_error_before_and_panic_after() {
    multi_thread().block_on(async {
        let (go, told) = pollscope_tokio::sync::oneshot::channel::<()>();
        let mut set = JoinSet::new();
        let early = set.spawn(async { Err::<(), _>(io::Error::other("before")) });
        set.spawn(async move {
            told.await.expect("told");
            panic!("after, on purpose")
        });
        wait_until("the first task's end", || early.is_finished());
        set.detach_all();
        assert_eq!(set.len(), 0);
        wait_until("the first finding", || {
            about("detached_error_before_and_panic_after").len() == 1
        });
        go.send(()).expect("the task runs on");
        settled("detached_error_before_and_panic_after");
        let mut families: Vec<_> = about("detached_error_before_and_panic_after")
            .iter()
            .map(|found| found.family as u8)
            .collect();
        families.sort_unstable();
        assert_eq!(
            families,
            [Family::LeakedError as u8, Family::LeakedPanic as u8]
        );
    });
}

#[test]
fn shut_down_with_an_error() {
    multi_thread().block_on(async {
        let mut set = JoinSet::new();
        let failed = set.spawn(async { Err::<(), _>(io::Error::other("nobody joins")) });
        set.spawn(std::future::pending());
        wait_until("the task's end", || failed.is_finished());
        set.shutdown().await;
        assert!(set.is_empty());
        only("shut_down_with_an_error");
    });
}

#[test]
fn aborted_tasks_are_no_finding() {
    runtimes::on_both(|| async {
        let mut set: JoinSet<io::Result<()>> = (0..10).map(|_| std::future::pending()).collect();
        set.abort_all();
        while let Some(joined) = set.join_next_with_id().await {
            assert!(joined.expect_err("it was aborted").is_cancelled());
        }
    });
    none("aborted_tasks_are_no_finding");
}

#[test]
fn join_all_hands_the_panic_on() {
    let runtime = multi_thread();
    let unwound = std::panic::catch_unwind(|| {
        runtime.block_on(async {
            let mut set = JoinSet::new();
            set.spawn(async { panic!("handed on, on purpose") });
            set.join_all().await
        })
    });
    let payload = unwound.expect_err("a panic");
    assert_eq!(
        payload.downcast_ref::<&str>(),
        Some(&"handed on, on purpose")
    );
    none("join_all_hands_the_panic_on");
}

#[test]
fn join_all_gives_all() {
    let mut all = multi_thread().block_on(async {
        let set: JoinSet<usize> = (0..10).map(|n| async move { n }).collect();
        set.join_all().await
    });
    all.sort_unstable();
    assert_eq!(all, (0..10).collect::<Vec<_>>());
}

#[test]
fn many_tasks_leave_no_record() {
    current_thread().block_on(async {
        let mut set = JoinSet::new();
        for n in 0..1000 {
            set.spawn(async move { n });
            if n % 3 == 0 {
                set.join_next()
                    .await
                    .expect("one is there")
                    .expect("it ends");
            }
        }
        while set.join_next().await.is_some() {}
        assert_eq!(
            findings::live("many_tasks_leave_no_record"),
            0,
            "the set is alive and holds nothing"
        );
    });
}

#[test]
fn named_tasks_of_a_set() {
    multi_thread().block_on(async {
        let mut set = JoinSet::new();
        let failed = set
            .build_task()
            .name("settle-7")
            .spawn(async { Err::<(), _>(io::Error::other("named")) });
        let failed = failed.expect("it never fails");
        wait_until("the task's end", || failed.is_finished());
        drop(set);
        assert_eq!(
            only("named_tasks_of_a_set").task_name.as_deref(),
            Some("settle-7")
        );
    });
}

/// It aborts its tasks, so they were not forgotten, though they never ran.
#[test]
fn dropped_before_its_tasks_had_a_turn_and_the_runtime_after_it() {
    async fn never_runs() {
        pending::<()>().await;
    }
    let runtime = current_thread();
    runtime.block_on(async {
        let mut set = JoinSet::new();
        set.spawn(never_runs());
    });
    drop(runtime);
    settled("dropped_before_its_tasks");
    assert_eq!(families(destroyed("dropped_before_its_tasks")), []);
}

/// The twin: nobody aborted it.
#[test]
fn detached_before_its_tasks_had_a_turn_and_the_runtime_dropped() {
    async fn never_runs() {
        pending::<()>().await;
    }
    let runtime = current_thread();
    runtime.block_on(async {
        let mut set = JoinSet::new();
        set.spawn(never_runs());
        set.detach_all();
    });
    drop(runtime);
    settled("detached_before_its_tasks");
    assert_eq!(
        families(destroyed("detached_before_its_tasks")),
        [Family::PendingDestroyed]
    );
}

fn families(found: Vec<findings::Found>) -> Vec<Family> {
    found.into_iter().map(|found| found.family).collect()
}

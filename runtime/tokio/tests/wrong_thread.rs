//! `spawn_local` where nothing can take the task: told of with the caller's place, and Tokio's own panic kept.

#![cfg(feature = "capture")]

#[path = "support/findings.rs"]
mod findings;
#[path = "support/runtimes.rs"]
mod runtimes;

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use findings::{about, none};
use pollscope_capture::event::Family;
use pollscope_tokio::runtime::LocalRuntime;
use pollscope_tokio::task::{self, JoinSet, LocalSet};
use runtimes::{current_thread, multi_thread};

fn words(unwound: Result<(), Box<dyn std::any::Any + Send>>) -> String {
    let payload = unwound.expect_err("a panic");
    payload
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| {
            payload
                .downcast_ref::<&str>()
                .map(|text| (*text).to_owned())
        })
        .expect("text")
}

#[test]
fn spawn_local_outside_a_local_set() {
    let ours = multi_thread().block_on(async {
        let misplaced = async { "spawn_local_outside_a_local_set" };
        let line = line!() + 1;
        let unwound = catch_unwind(|| drop(task::spawn_local(misplaced)));
        let found = about("spawn_local_outside_a_local_set");
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].family, Family::WrongThread);
        assert_eq!((found[0].place, found[0].site.line), (Some(line), line));
        let thread = found[0].thread.as_ref().expect("a thread");
        assert_eq!(
            (thread.what.as_str(), thread.did),
            ("spawn_local", "spawned")
        );
        words(unwound)
    });
    let tokios = multi_thread()
        .block_on(async { words(catch_unwind(|| drop(tokio::task::spawn_local(async {})))) });
    assert_eq!(ours, tokios);
}

#[test]
fn spawn_local_of_a_set_outside_a_local_set() {
    multi_thread().block_on(async {
        let unwound = catch_unwind(AssertUnwindSafe(|| {
            JoinSet::new().spawn_local(async { "spawn_local_of_a_set_outside_a_local_set" });
        }));
        assert!(words(unwound).contains("spawn_local"));
    });
    assert_eq!(about("spawn_local_of_a_set_outside_a_local_set").len(), 1);
}

/// Edge case 50: nothing of ours asks a local future to be `Send`.
#[test]
fn spawn_local_where_it_belongs() {
    let shared = Rc::new(Cell::new(0));
    let bump = |shared: &Rc<Cell<i32>>| {
        let shared = Rc::clone(shared);
        async move { shared.set(shared.get() + 1) }
    };
    let set = LocalSet::new();
    set.block_on(&current_thread(), async {
        task::spawn_local(bump(&shared)).await.expect("it ends");
        let mut joined = JoinSet::new();
        joined.spawn_local(bump(&shared));
        joined.spawn_local_on(bump(&shared), &set);
        joined.join_all().await;
    });
    multi_thread().block_on(async {
        let set = LocalSet::new();
        set.run_until(async { task::spawn_local(bump(&shared)).await.expect("it ends") })
            .await;
        let handle = {
            let _entered = set.enter();
            task::spawn_local(bump(&shared))
        };
        set.await;
        handle.await.expect("it ends");
    });
    runtimes::without_agent();
    let local = LocalRuntime::new().expect("a runtime");
    local.block_on(async { task::spawn_local(bump(&shared)).await.expect("it ends") });
    local
        .block_on(local.spawn_local(bump(&shared)))
        .expect("it ends");
    assert_eq!(shared.get(), 7);
    none("spawn_local_where_it_belongs");
}

/// Edge case 63: a task belongs to no thread.
#[test]
fn resumed_on_another_worker() {
    multi_thread().block_on(async {
        let mut set = JoinSet::new();
        for _ in 0..64 {
            set.spawn(async {
                for _ in 0..64 {
                    task::yield_now().await;
                }
            });
        }
        set.join_all().await;
    });
    none("resumed_on_another_worker");
}

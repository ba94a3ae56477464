//! An `Err` that nobody looked at is told of once, at whichever comes last: the failure or the end of interest.

#![cfg(feature = "capture")]

#[path = "support/findings.rs"]
mod findings;
#[path = "support/runtimes.rs"]
mod runtimes;

use std::io;
use std::time::Duration;

use findings::{none, only, wait_until};
use pollscope_capture::event::Family;
use pollscope_tokio::{sync::oneshot, task, time};
use runtimes::{current_thread, multi_thread};

/// Edge case 20: told once, at whichever comes last. Here that is the failure.
#[test]
fn handle_dropped_before_the_failure() {
    multi_thread().block_on(async {
        let (fail, told) = oneshot::channel::<()>();
        drop(task::spawn(async move {
            told.await.expect("told");
            Err::<(), _>(io::Error::other("lost late"))
        }));
        fail.send(()).expect("the task waits");
        let found = only("handle_dropped_before_the_failure");
        assert_eq!(found.family, Family::LeakedError);
        assert_eq!(
            found.error.and_then(|error| error.display).as_deref(),
            Some("lost late")
        );
    });
}

/// Edge case 20: and here it is the drop.
#[test]
fn handle_dropped_after_the_failure() {
    multi_thread().block_on(async {
        let handle = task::spawn(async { Err::<(), _>("lost early".to_owned()) });
        wait_until("the task's end", || handle.is_finished());
        assert!(
            findings::about("handle_dropped_after_the_failure").is_empty(),
            "the handle may still be awaited"
        );
        drop(handle);
        let found = only("handle_dropped_after_the_failure");
        assert_eq!(found.family, Family::LeakedError);
        assert!(found.site.file.ends_with("leaked_errors.rs"));
        assert_eq!(
            found.error.and_then(|error| error.display).as_deref(),
            Some("lost early")
        );
    });
}

/// Edge case 21: nothing while the handle is held.
#[test]
fn handle_held_and_never_awaited_is_told_at_its_drop() {
    let runtime = current_thread();
    let handle = runtime.spawn(async { Err::<(), _>(io::Error::other("held")) });
    runtime.block_on(async { wait_for(&handle).await });
    drop(runtime);
    assert!(findings::about("handle_held_and_never_awaited_is_told_at_its_drop").is_empty());
    drop(handle);
    only("handle_held_and_never_awaited_is_told_at_its_drop");
}

/// Looking whether a task has ended is not reading its result.
async fn wait_for<T>(handle: &task::JoinHandle<T>) {
    while !handle.is_finished() {
        task::yield_now().await;
    }
}

/// Edge case 22: `let _ = handle.await` has read it.
#[test]
fn awaited_and_ignored_is_read() {
    runtimes::on_both(|| async {
        let _ = task::spawn(async { Err::<(), _>(io::Error::other("seen")) }).await;
    });
    none("awaited_and_ignored_is_read");
}

#[test]
fn success_is_no_error() {
    runtimes::on_both(|| async {
        drop(task::spawn(async { Ok::<_, io::Error>(1) }));
        drop(task::spawn(async { 1 }));
        drop(task::spawn_blocking(|| Ok::<_, io::Error>(1)));
        while findings::live("success_is_no_error") > 0 {
            task::yield_now().await;
        }
    });
    none("success_is_no_error");
}

/// Edge case 29: only the outer result counts.
#[test]
fn an_error_inside_ok_is_a_value() {
    multi_thread().block_on(async {
        drop(task::spawn(async {
            Ok::<Result<(), &str>, io::Error>(Err("inner"))
        }));
    });
    none("an_error_inside_ok_is_a_value");
}

/// Edge case 31: it compiles, and says what it knows.
#[test]
fn output_without_debug_falls_back_to_its_type() {
    struct Opaque;
    multi_thread().block_on(async {
        drop(task::spawn(async { Err::<(), Opaque>(Opaque) }));
        let found = only("output_without_debug_falls_back_to_its_type");
        let error = found.error.expect("an error");
        assert!(error.type_name.contains("Opaque"));
        assert_eq!((error.display, error.debug), (None, None));
    });
}

#[test]
fn the_handle_that_lost_a_select() {
    current_thread().block_on(async {
        let handle = task::spawn(async {
            task::yield_now().await;
            Err::<(), _>(io::Error::other("too late"))
        });
        pollscope_tokio::select! {
            biased;
            () = std::future::ready(()) => {}
            _ = handle => unreachable!("the first is ready"),
        }
        while findings::live("the_handle_that_lost_a_select") > 0 {
            task::yield_now().await;
        }
    });
    assert_eq!(
        only("the_handle_that_lost_a_select").family,
        Family::LeakedError
    );
}

#[test]
fn the_handle_that_won_a_select_is_read() {
    current_thread().block_on(async {
        let handle = task::spawn(async { Err::<(), _>(io::Error::other("in time")) });
        let ended = pollscope_tokio::select! {
            ended = handle => ended.expect("it ends"),
            () = std::future::pending() => unreachable!("never"),
        };
        assert!(ended.is_err());
    });
    none("the_handle_that_won_a_select_is_read");
}

/// Edge case 24: the timeout drops the handle, and the task runs on.
#[test]
fn timed_out_and_failing_later() {
    multi_thread().block_on(async {
        let (fail, told) = oneshot::channel::<()>();
        let handle = task::spawn(async move {
            told.await.expect("the task runs on after the timeout");
            Err::<(), _>(io::Error::other("after the timeout"))
        });
        time::timeout(Duration::ZERO, handle)
            .await
            .expect_err("it waits");
        fail.send(()).expect("the task runs on");
        only("timed_out_and_failing_later");
    });
}

/// Edge case 30: `try_join!` hands on the first failure. The second is lost where it was a task's.
#[test]
fn the_second_failure_of_a_try_join() {
    multi_thread().block_on(async {
        let first = task::spawn(async { Err::<(), _>(io::Error::other("first")) });
        let second = task::spawn(async { Err::<(), _>(io::Error::other("second")) });
        wait_until("their ends", || first.is_finished() && second.is_finished());
        let joined = pollscope_tokio::try_join!(async { first.await.expect("no panic") }, async {
            second.await.expect("no panic")
        },);
        assert_eq!(joined.expect_err("both failed").to_string(), "first");
        let found = only("the_second_failure_of_a_try_join");
        assert_eq!(
            found.error.and_then(|error| error.display).as_deref(),
            Some("second")
        );
    });
}

/// Edge case 30: the twin, which asks both.
#[test]
fn both_failures_of_a_join() {
    multi_thread().block_on(async {
        let first = task::spawn(async { Err::<(), _>(io::Error::other("first")) });
        let second = task::spawn(async { Err::<(), _>(io::Error::other("second")) });
        let (first, second) = pollscope_tokio::join!(first, second);
        assert!(first.expect("no panic").is_err() && second.expect("no panic").is_err());
    });
    none("both_failures_of_a_join");
}

/// Edge case 25: unlike asyncio's `cancel`, which clears it.
#[test]
fn abort_after_the_failure_reads_nothing() {
    multi_thread().block_on(async {
        let handle = task::spawn(async { Err::<(), _>(io::Error::other("failed, then aborted")) });
        wait_until("the task's end", || handle.is_finished());
        handle.abort();
        drop(handle);
        only("abort_after_the_failure_reads_nothing");
    });
}

/// Edge case 27: to be aborted is no failure.
#[test]
fn aborted_and_never_read() {
    runtimes::on_both(|| async {
        let handle = task::spawn(async {
            std::future::pending::<()>().await;
            Err::<(), _>(io::Error::other("never"))
        });
        task::yield_now().await;
        handle.abort();
        drop(handle);
        while findings::live("aborted_and_never_read") > 0 {
            task::yield_now().await;
        }
    });
    none("aborted_and_never_read");
}

#[test]
fn errors_of_blocking_closures() {
    multi_thread().block_on(async {
        drop(task::spawn_blocking(|| {
            Err::<(), _>(io::Error::other("on the pool"))
        }));
        let found = only("errors_of_blocking_closures");
        assert_eq!(
            found.error.and_then(|error| error.display).as_deref(),
            Some("on the pool")
        );
    });
}

/// Edge case 56: a name of any length and content; it is cut where it is taken.
#[test]
fn a_named_task_is_told_of_by_name() {
    multi_thread().block_on(async {
        let name = "n\u{1b}[31m".repeat(100);
        let spawned = task::Builder::new()
            .name(&name)
            .spawn(async { Err::<(), _>(io::Error::other("named")) });
        drop(spawned.expect("it never fails"));
        let found = only("a_named_task_is_told_of_by_name");
        let told = found.task_name.expect("a name");
        assert!(
            name.starts_with(&told) && told.len() <= 128 && told.len() > 100,
            "cut: {told:?}"
        );
    });
}

#[test]
fn through_tokios_own_handle_it_counts_as_read() {
    multi_thread().block_on(async {
        let handle =
            task::spawn(async { Err::<(), _>(io::Error::other("handed on")) }).into_tokio();
        assert!(handle.await.expect("it ends").is_err());
    });
    none("through_tokios_own_handle_it_counts_as_read");
}

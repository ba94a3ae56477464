//! A panic that nobody asked about is told of once, with its place.

#![cfg(feature = "capture")]

#[path = "support/findings.rs"]
mod findings;
#[path = "support/runtimes.rs"]
mod runtimes;

use std::io;

use findings::{none, only, wait_until};
use pollscope_capture::event::Family;
use pollscope_tokio::task;
use runtimes::{current_thread, multi_thread};

#[test]
fn detached_and_panicking() {
    multi_thread().block_on(async {
        drop(task::spawn(async { panic!("lost on purpose") }));
        let found = only("detached_and_panicking");
        assert_eq!(found.family, Family::LeakedPanic);
        let panic = found.panic.expect("a panic");
        assert_eq!(panic.message.as_deref(), Some("lost on purpose"));
        let (file, line, _) = panic.place.expect("our hook saw it");
        assert!(file.ends_with("leaked_panics.rs"));
        assert_eq!(line, found.site.line, "it is all on one line");
    });
}

/// Edge case 22: to ask whether it ended is not to read how.
#[test]
fn only_asked_whether_it_ended() {
    multi_thread().block_on(async {
        let handle = task::spawn(async { panic!("not read, on purpose") });
        wait_until("the task's end", || handle.is_finished());
        assert!(
            findings::about("only_asked_whether_it_ended").is_empty(),
            "the handle may still be awaited"
        );
        drop(handle);
        assert_eq!(
            only("only_asked_whether_it_ended").family,
            Family::LeakedPanic
        );
    });
}

#[test]
fn awaited_panics_are_read() {
    runtimes::on_both(|| async {
        let error = task::spawn(async { panic!("read, on purpose") })
            .await
            .expect_err("it panics");
        assert!(error.is_panic());
        assert_eq!(
            error.into_panic().downcast_ref::<&str>(),
            Some(&"read, on purpose")
        );
        let error = task::spawn_blocking(|| panic!("read, on purpose"))
            .await
            .expect_err("it panics");
        assert!(error.is_panic());
    });
    none("awaited_panics_are_read");
}

#[test]
fn panics_of_blocking_closures() {
    multi_thread().block_on(async {
        drop(task::spawn_blocking(|| panic!("on the pool, on purpose")));
        let found = only("panics_of_blocking_closures");
        assert_eq!(
            found.panic.and_then(|panic| panic.message).as_deref(),
            Some("on the pool, on purpose")
        );
    });
}

#[test]
fn panics_of_local_tasks() {
    let set = task::LocalSet::new();
    let runtime = current_thread();
    drop(set.spawn_local(async { panic!("in a local set, on purpose") }));
    set.block_on(&runtime, async {
        while findings::live("panics_of_local_tasks") > 0 {
            task::yield_now().await;
        }
    });
    only("panics_of_local_tasks");
}

struct PanicsInDrop;

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        panic!("in drop, on purpose")
    }
}

/// Edge case 27: a panic on the way out is one that somebody should read.
#[test]
fn panicking_while_it_is_aborted() {
    current_thread().block_on(async {
        let handle = task::spawn(async {
            let _bad = PanicsInDrop;
            std::future::pending::<()>().await;
        });
        task::yield_now().await;
        handle.abort();
        while !handle.is_finished() {
            task::yield_now().await;
        }
        drop(handle);
    });
    let found = only("panicking_while_it_is_aborted");
    assert_eq!(found.family, Family::LeakedPanic);
    assert_eq!(
        found.panic.and_then(|panic| panic.message).as_deref(),
        Some("in drop, on purpose")
    );
}

/// Edge case 27: and here somebody does.
#[test]
fn panicking_while_it_is_aborted_and_read() {
    current_thread().block_on(async {
        let handle = task::spawn(async {
            let _bad = PanicsInDrop;
            std::future::pending::<()>().await;
        });
        task::yield_now().await;
        handle.abort();
        assert!(handle.await.expect_err("it was aborted").is_panic());
    });
    none("panicking_while_it_is_aborted_and_read");
}

#[test]
fn polled_after_its_end() {
    // Tokio's own words for it; one panic, not two findings.
    multi_thread().block_on(async {
        drop(task::spawn(async {
            let mut once = Box::pin(async {});
            once.as_mut().await;
            once.as_mut().await;
        }));
        let found = only("polled_after_its_end");
        let message = found
            .panic
            .and_then(|panic| panic.message)
            .expect("a message");
        assert!(message.contains("resumed after completion"), "{message}");
    });
}

#[test]
fn through_tokios_own_handle_the_payload_is_the_same() {
    multi_thread().block_on(async {
        let handle = task::spawn(async { std::panic::panic_any(7_u32) }).into_tokio();
        let error = handle.await.expect_err("it panics");
        assert_eq!(error.into_panic().downcast_ref::<u32>(), Some(&7));
        let aborted = task::spawn(std::future::pending::<io::Result<()>>());
        let by = aborted.abort_handle();
        let handle = aborted.into_tokio();
        by.abort();
        assert!(handle.await.expect_err("it was aborted").is_cancelled());
        let inner = task::spawn(std::future::pending::<()>());
        let watch = inner.abort_handle();
        let outer = inner.into_tokio();
        outer.abort();
        assert!(outer.await.expect_err("it was aborted").is_cancelled());
        while !watch.is_finished() {
            task::yield_now().await;
        }
    });
    none("through_tokios_own_handle_the_payload_is_the_same");
}

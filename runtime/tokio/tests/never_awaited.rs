//! A tracked future that was dropped before its first poll. `definite` is a claim that must never be wrong.

#![cfg(feature = "capture")]

#[path = "support/findings.rs"]
mod findings;
#[path = "support/runtimes.rs"]
mod runtimes;

use std::future::{pending, ready};
use std::time::Duration;

use findings::{about, destroyed, none, settled, wait_until};
use pollscope_capture::event::Family;
use pollscope_capture::tracked::track;
use pollscope_tokio::{task, time};
use runtimes::{current_thread, multi_thread};

/// What was claimed of the test's futures: the certainty of each finding.
fn claims(test: &str) -> Vec<bool> {
    about(test)
        .into_iter()
        .filter_map(|found| found.definite)
        .collect()
}

#[test]
#[expect(clippy::let_underscore_future, reason = "the mistake itself")]
fn forgotten_in_a_task() {
    multi_thread().block_on(async {
        task::spawn(async {
            drop(track(async { "forgotten_in_a_task" }));
            let _ = track(async { "forgotten_in_a_task" });
            drop(vec![track(async { "forgotten_in_a_task" })]);
        })
        .await
        .expect("it ends");
    });
    assert_eq!(claims("forgotten_in_a_task"), [true, true, true]);
    let found = &about("forgotten_in_a_task")[0];
    assert!(found.task != 0 && found.site.file.ends_with("never_awaited.rs"));
}

#[test]
fn awaited() {
    runtimes::on_both(|| async {
        track(async {}).await;
        task::spawn(track(async {})).await.expect("it ends");
        time::timeout(Duration::from_secs(5), track(async {}))
            .await
            .expect("it is ready");
    });
    none("awaited::{{closure}}");
}

#[test]
fn discarded_on_purpose() {
    track(async {}).discard();
    none("discarded_on_purpose");
}

#[test]
fn held_across_an_await_is_not_proved() {
    current_thread().block_on(async {
        let later = track(async {});
        task::yield_now().await;
        drop(later);
    });
    assert_eq!(claims("held_across_an_await_is_not_proved"), [false]);
}

#[test]
fn lost_a_select_of_ours() {
    runtimes::on_both(|| async {
        pollscope_tokio::select! {
            biased;
            () = ready(()) => {}
            () = track(async {}) => unreachable!("the first is ready"),
        }
        // The first branch is the one that is not polled, too.
        pollscope_tokio::select! {
            () = track(async { pending().await }), if false => unreachable!("disabled"),
            () = ready(()) => {}
        }
        // Made before, owned by the macro.
        let b = track(async {});
        pollscope_tokio::select! {
            biased;
            () = ready(()) => {}
            () = b => unreachable!("the first is ready"),
        }
    });
    none("lost_a_select_of_ours");
}

#[test]
fn borrowed_by_a_select_that_ended_first() {
    current_thread().block_on(async {
        let later = track(async { pending::<()>().await });
        pollscope_tokio::pin!(later);
        pollscope_tokio::select! {
            biased;
            () = ready(()) => {}
            () = &mut later => unreachable!("the first is ready"),
        }
    });
    assert_eq!(
        claims("borrowed_by_a_select_that_ended_first"),
        [false],
        "it had an owner: not proved"
    );
}

#[test]
fn lost_a_select_of_tokios() {
    // The twin: Tokio's own macro marks nobody, and a drop cannot tell. Documented; this test knows when it changes.
    current_thread().block_on(async {
        tokio::select! {
            biased;
            () = ready(()) => {}
            () = track(async {}) => unreachable!("the first is ready"),
        }
    });
    assert_eq!(claims("lost_a_select_of_tokios"), [true]);
}

#[test]
fn forgotten_inside_a_select_of_ours() {
    // The mark speaks for the branches only: what a handler forgets is proved.
    current_thread().block_on(async {
        pollscope_tokio::select! {
            biased;
            () = ready(()) => drop(track(async {})),
            () = pending() => {}
        }
    });
    assert_eq!(claims("forgotten_inside_a_select_of_ours"), [true]);
}

#[test]
fn polled_once_and_lost() {
    runtimes::on_both(|| async {
        pollscope_tokio::select! {
            biased;
            () = track(async { pending().await }) => unreachable!("never"),
            () = task::yield_now() => {}
        }
    });
    none("polled_once_and_lost");
}

#[test]
fn behind_an_error_in_try_join() {
    runtimes::on_both(|| async {
        let ended =
            pollscope_tokio::try_join!(async { Err::<(), _>(7) }, track(async { Ok::<(), _>(()) }));
        assert_eq!(ended, Err(7));
        let ended =
            pollscope_tokio::try_join!(biased; ready(Err::<(), _>(7)), track(async { Ok(()) }),);
        assert_eq!(ended, Err(7));
    });
    none("behind_an_error_in_try_join");
}

#[test]
fn joined() {
    runtimes::on_both(|| async {
        assert_eq!(
            pollscope_tokio::join!(track(async { 1 }), track(async { 2 })),
            (1, 2)
        );
        assert_eq!(pollscope_tokio::join!(biased; track(async { 1 })), (1,));
    });
    none("never_awaited::joined");
}

#[test]
fn timed_out_at_once() {
    runtimes::on_both(|| async {
        time::timeout(Duration::ZERO, track(async { pending::<()>().await }))
            .await
            .expect_err("it waits");
        time::timeout(Duration::ZERO, track(async {}))
            .await
            .expect("it is ready");
    });
    none("timed_out_at_once");
}

#[test]
fn dropped_by_unwinding() {
    multi_thread().block_on(async {
        let unwound = task::spawn(async {
            let _held = track(async {});
            panic!("on purpose")
        });
        unwound.await.expect_err("it panics");
    });
    none("dropped_by_unwinding");
}

#[test]
fn aborted_before_its_first_poll() {
    current_thread().block_on(async {
        let handle = task::spawn(track(async { 1 }));
        handle.abort();
        assert!(handle.await.expect_err("it was aborted").is_cancelled());
    });
    none("aborted_before_its_first_poll");
}

#[test]
fn abort_may_lose_the_race() {
    multi_thread().block_on(async {
        let handle = task::spawn(track(async { 1 }));
        handle.abort();
        match handle.await {
            Ok(ended) => assert_eq!(ended, 1),
            Err(error) => assert!(error.is_cancelled()),
        }
    });
    none("abort_may_lose_the_race");
}

#[test]
fn shut_down_with_its_runtime() {
    let runtime = current_thread();
    let queued = runtime.spawn(track(async {}));
    let waits = runtime.spawn(async {
        let _unpolled = track(async {});
        pending::<()>().await;
    });
    runtime.block_on(task::yield_now());
    let late = runtime.spawn(track(async {}));
    drop(runtime);
    drop((queued, waits, late));
    settled("shut_down_with_its_runtime");
    none("shut_down_with_its_runtime");
    let found = destroyed("shut_down_with_its_runtime");
    let families: Vec<Family> = found.iter().map(|found| found.family).collect();
    // Parity edge 10: what waited and what never ran were destroyed with their runtime, and not forgotten.
    assert!(
        matches!(
            families[..],
            [Family::IdleDestroyed, Family::PendingDestroyed]
                | [Family::PendingDestroyed, Family::IdleDestroyed]
        ),
        "{found:#?}"
    );
}

#[test]
fn moved_and_dropped_elsewhere() {
    let made = track(async { "moved_and_dropped_elsewhere" });
    std::thread::spawn(move || drop(made))
        .join()
        .expect("it ends");
    wait_until("the finding", || {
        !about("moved_and_dropped_elsewhere").is_empty()
    });
    assert_eq!(
        claims("moved_and_dropped_elsewhere"),
        [false],
        "once, and not proved"
    );
}

#[test]
fn a_stream_of_turns() {
    // The loop that programs really have: the same future borrowed by one select after the other.
    multi_thread().block_on(async {
        task::spawn(async {
            let work = track(async { time::sleep(Duration::from_millis(5)).await });
            pollscope_tokio::pin!(work);
            let mut ticks = time::interval(Duration::from_millis(1));
            loop {
                pollscope_tokio::select! {
                    () = &mut work => break,
                    _ = ticks.tick() => {}
                }
            }
        })
        .await
        .expect("it ends");
    });
    none("a_stream_of_turns");
}

#[test]
fn behind_one_that_was_polled_again() {
    // `buffer_unordered` and its like: the newest is there, an older one ends, and that was enough.
    multi_thread().block_on(async {
        task::spawn(std::future::poll_fn({
            let mut older = Box::pin(track(task::yield_now()));
            move |cx| {
                if older.as_mut().poll(cx).is_pending() {
                    let newest = track(async { "behind_one_that_was_polled_again" });
                    let mut again = std::task::Context::from_waker(std::task::Waker::noop());
                    assert!(older.as_mut().poll(&mut again).is_ready());
                    drop(newest);
                }
                std::task::Poll::Ready(())
            }
        }))
        .await
        .expect("it ends");
    });
    assert_eq!(
        claims("behind_one_that_was_polled_again"),
        [false],
        "not proved"
    );
}

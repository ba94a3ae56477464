//! What debug measures of tasks: long polls are told of, what is no poll is not.

#![cfg(feature = "capture")]

#[path = "support/findings.rs"]
mod findings;
#[path = "support/runtimes.rs"]
mod runtimes;

use std::time::{Duration, Instant};

use findings::{about, only};
use pollscope_capture::event::Family;
use pollscope_capture::registry;
use pollscope_tokio::runtime::Builder;
use pollscope_tokio::setup::{self, Level};
use pollscope_tokio::{task, time};
use runtimes::multi_thread;

const SLOW: Duration = Duration::from_millis(20);
/// What is no poll lasts so long: a busy machine takes no CPU away for that long at once.
const LONG: Duration = Duration::from_secs(1);

/// A runtime in debug. It holds for the process, so every test of this file says the same.
fn debugging() -> pollscope_tokio::runtime::Runtime {
    runtimes::debugging(SLOW).build().expect("a runtime")
}

/// Polls of the test that are told to have lasted as long as what was none.
fn long_polls(test: &str) -> Vec<findings::Found> {
    let long = LONG.as_nanos() as u64;
    about(test)
        .into_iter()
        .filter(|found| found.family == Family::SlowPoll && found.ns.is_none_or(|ns| ns >= long))
        .collect()
}

#[test]
fn a_poll_that_blocks() {
    let runtime = debugging();
    assert_eq!(setup::level(), Level::Debug);
    runtime
        .block_on(async { task::spawn(async { std::thread::sleep(2 * SLOW) }).await })
        .expect("it ends");
    let found = only("a_poll_that_blocks::{{closure}}::{{closure}}");
    assert!(
        found.ns.is_some_and(|ns| ns >= 2 * SLOW.as_nanos() as u64),
        "{found:?}"
    );
}

#[test]
fn waiting_is_not_polling() {
    debugging().block_on(async {
        task::spawn(async {
            time::sleep(LONG).await;
            for _ in 0..100 {
                task::yield_now().await;
            }
        })
        .await
        .expect("it ends");
    });
    assert!(long_polls("waiting_is_not_polling").is_empty());
}

/// Edge case 42: no poll of them is slow, whatever they come to.
#[test]
fn many_short_polls() {
    debugging().block_on(async {
        task::spawn(async {
            let until = Instant::now() + LONG;
            while Instant::now() < until {
                task::yield_now().await;
            }
        })
        .await
        .expect("it ends");
    });
    assert!(long_polls("many_short_polls::{{closure}}::{{closure}}").is_empty());
}

/// Edge case 38: the worker's core was handed on meanwhile.
#[test]
fn blocking_in_place_is_not_the_polls_time() {
    debugging().block_on(async {
        task::spawn(async { task::block_in_place(|| std::thread::sleep(LONG)) })
            .await
            .expect("it ends");
    });
    assert!(
        long_polls("blocking_in_place_is_not_the_polls_time::{{closure}}::{{closure}}").is_empty()
    );
}

/// Edge case 38, where there is nobody to hand the core to: Tokio's panic is kept, and the thread may not block.
#[test]
fn blocking_in_place_where_it_cannot_be() {
    drop(debugging());
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let ended = task::spawn(async { task::block_in_place(|| 7) }).await;
        assert!(ended.is_err_and(|end| end.is_panic()));
        let here = pollscope_capture::thread::current().expect("a slot");
        assert!(!here.is_paused());
    });
}

/// Edge case 41: Tokio ends a poll that had its share of what is ready. Each is a poll of its own.
#[test]
fn a_poll_that_the_budget_ends_is_one_of_many() {
    debugging().block_on(async {
        const MESSAGES: usize = 1000;
        let (send, mut receive) = pollscope_tokio::sync::mpsc::channel::<usize>(MESSAGES);
        for message in 0..MESSAGES {
            send.try_send(message).expect("there is room");
        }
        let (tell, told) = pollscope_tokio::sync::oneshot::channel();
        let (go, goes_on) = pollscope_tokio::sync::oneshot::channel::<()>();
        let handle = task::spawn(async move {
            let mut polls = 0_u64;
            let mut work = std::pin::pin!(async {
                for _ in 0..MESSAGES {
                    receive.recv().await.expect("it is there");
                }
            });
            std::future::poll_fn(|cx| {
                polls += 1;
                work.as_mut().poll(cx)
            })
            .await;
            tell.send(polls).expect("somebody waits");
            goes_on.await.expect("told");
        });
        let polls = told.await.expect("it gets there");
        assert!(polls > 1, "the budget was never used up");
        let (_, task) = registry::find(handle.pollscope_id()).expect("it lives");
        assert_eq!(task.polls(), polls);
        assert!(task.wakes + task.self_wakes >= polls - 1, "{task:?}");
        assert!(task.max_ns < task.busy_ns, "each has a time of its own");
        go.send(()).expect("it waits");
        handle.await.expect("it ends");
    });
}

#[test]
fn blocking_closures_may_take_their_time() {
    debugging().block_on(async {
        task::spawn_blocking(|| std::thread::sleep(LONG))
            .await
            .expect("it ends");
    });
    assert!(
        long_polls("blocking_closures_may_take_their_time::{{closure}}::{{closure}}").is_empty()
    );
}

#[test]
fn polls_are_counted() {
    debugging().block_on(async {
        let (go, told) = pollscope_tokio::sync::oneshot::channel::<()>();
        let handle = task::spawn(async move {
            for _ in 0..5 {
                task::yield_now().await;
            }
            told.await.expect("told");
        });
        let id = handle.pollscope_id();
        let polls = || registry::find(id).expect("it lives").1.polls();
        let limit = Instant::now() + Duration::from_secs(10);
        while polls() < 6 {
            assert!(Instant::now() < limit);
            task::yield_now().await;
        }
        assert_eq!(polls(), 6);
        go.send(()).expect("it waits");
        handle.await.expect("it ends");
    });
}

#[test]
fn explicit_debug_beats_the_default() {
    // Last said, and not by this test alone: all say debug.
    drop(multi_thread());
    drop(debugging());
    assert_eq!(setup::level(), Level::Debug);
}

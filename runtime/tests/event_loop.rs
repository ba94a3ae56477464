//! What is told of an event loop's misuse and of its callbacks' panics, each with a twin that must be silent.
//!
//! Read from the threads' rings: `watch` keeps the agent from starting, which would take the findings first.

#![cfg(feature = "capture")]

#[path = "warnings/watch.rs"]
#[expect(dead_code, reason = "shared with the tests of other warnings")]
mod watch;

use std::cell::Cell;
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use pollscope::event_loop::{self, EventLoop, ThreadsafeFuture};
use pollscope::task::yield_now;
use pollscope_capture::event::{Family, NoteText};
use watch::{Found, What, during};

const LIMIT: Duration = Duration::from_secs(20);

/// Runs a future on an event loop of a thread with a name, and gives what was found meanwhile.
fn during_loop<F: Future>(work: impl FnOnce() -> F + Send + 'static) -> Vec<Found> {
    during(|| {
        let on_loop = move || {
            event_loop::run(work()).expect("a loop");
        };
        let named = thread::Builder::new().name("the loop".to_owned());
        let ended = named.spawn(on_loop).expect("a thread").join();
        ended.expect("no panic");
    })
}

/// Runs `work` on another thread while the loop runs on this one.
async fn elsewhere<R: Send + 'static>(work: impl FnOnce(EventLoop) -> R + Send + 'static) -> R {
    let event_loop = EventLoop::current();
    let remote = event_loop.clone();
    let waits = event_loop.run_in_executor(move || work(remote));
    waits.await.expect("no panic")
}

/// Waits until the future has ended, and what it left is settled.
async fn ended<T>(future: &ThreadsafeFuture<T>) {
    while !future.done() {
        yield_now().await;
    }
}

#[test]
fn each_call_from_another_thread_is_told_with_its_line_and_both_threads() {
    let line = line!();
    let found = during_loop(|| {
        elsewhere(|event_loop| {
            assert!(event_loop.call_soon(|| ()).is_err());
            assert!(event_loop.call_later(LIMIT, || ()).is_err());
            assert!(event_loop.call_at(event_loop.time(), || ()).is_err());
            assert!(event_loop.create_task(async {}).is_err());
        })
    });
    let told: Vec<_> = found
        .iter()
        .map(|found| match &found.what {
            What::Thread(text) => {
                assert_eq!((text.did, &*text.owner_name), ("called", "the loop"));
                assert_ne!(text.owner_tid, 0);
                (&*text.what, found.at_line)
            }
            other => panic!("{other:?}"),
        })
        .collect();
    let expected = [
        ("EventLoop::call_soon", Some(line + 3)),
        ("EventLoop::call_later", Some(line + 4)),
        ("EventLoop::call_at", Some(line + 5)),
        ("EventLoop::create_task", Some(line + 6)),
    ];
    assert_eq!(told, expected);
}

#[test]
fn calls_from_its_own_thread_and_those_for_any_thread_are_silent() {
    let found = during_loop(|| async {
        let event_loop = EventLoop::current();
        let called = Rc::new(Cell::new(0));
        let bump = || {
            let called = Rc::clone(&called);
            move || called.set(called.get() + 1)
        };
        event_loop.call_soon(bump()).expect("here");
        event_loop.call_later(Duration::ZERO, bump()).expect("here");
        let now = event_loop.time();
        event_loop.call_at(now, bump()).expect("here");
        let task = event_loop.create_task(async { 7 }).expect("here");
        assert_eq!(task.await.expect("no panic"), 7);
        elsewhere(|event_loop| {
            assert!(!event_loop.is_here());
            event_loop.call_soon_threadsafe(|| ()).expect("open");
            let mut future = event_loop.run_coroutine_threadsafe(async { 42 });
            assert_eq!(future.result(Some(LIMIT)).expect("no panic"), 42);
            drop(event_loop);
        })
        .await;
        while called.get() < 3 {
            yield_now().await;
        }
    });
    assert_eq!(found, []);
}

/// cpython issue 136399: there a refused call leaves the loop half changed, and an `await` after it never ends.
/// Edge case 64.
#[test]
fn after_a_refused_call_nothing_has_changed() {
    let found = during_loop(|| async {
        let event_loop = EventLoop::current();
        let waits = event_loop.create_task(std::future::pending::<()>());
        let waits = waits.expect("here");
        let tasks = event_loop.runtime().metrics().num_alive_tasks();
        let refused = elsewhere(|event_loop| {
            let task = event_loop.create_task(async { 7 }).is_err();
            let call = event_loop
                .call_soon(|| panic!("it must not be called"))
                .is_err();
            task && call
        });
        assert!(refused.await);
        assert_eq!(event_loop.runtime().metrics().num_alive_tasks(), tasks);
        let (tell, told) = tokio::sync::oneshot::channel();
        event_loop
            .call_soon(move || tell.send(()).expect("heard"))
            .expect("here");
        told.await.expect("called");
        waits.abort();
        assert!(waits.await.expect_err("aborted").is_cancelled());
    });
    let wrong = |found: &Found| matches!(found.what, What::Thread(_));
    assert!(found.len() == 2 && found.iter().all(wrong), "{found:?}");
}

#[test]
fn a_panic_of_a_callback_is_told_with_both_places_and_the_loop_goes_on() {
    let line = line!();
    let found = during_loop(|| async {
        let event_loop = EventLoop::current();
        let boom = || panic!("boom {}", 7);
        event_loop.call_soon(boom).expect("here");
        let (tell, told) = tokio::sync::oneshot::channel();
        let next = move || tell.send(()).expect("heard");
        event_loop.call_later(Duration::ZERO, next).expect("here");
        told.await.expect("called");
    });
    let [Found { line: at, what, .. }] = &found[..] else {
        panic!("{found:?}")
    };
    let What::Note(
        Family::CallbackPanic,
        NoteText {
            what,
            message,
            place,
            ..
        },
    ) = what
    else {
        panic!("{found:?}")
    };
    assert_eq!(*at, line + 4);
    assert_eq!(message.as_deref(), Some("boom 7"));
    let (file, panicked_at, _) = place.as_ref().expect("our hook saw it");
    assert_eq!((&**file, *panicked_at), (file!(), line + 3));
    assert!(
        what.starts_with("callback event_loop::a_panic_of_a_callback"),
        "{what}"
    );
}

#[test]
fn a_payload_that_is_no_text_and_a_timer_are_told_too() {
    let line = line!() + 3;
    let found = during_loop(|| async {
        let (tell, told) = tokio::sync::oneshot::channel::<()>();
        let timer = EventLoop::current().call_later(Duration::ZERO, move || {
            let _tell = tell;
            std::panic::resume_unwind(Box::new(7));
        });
        timer.expect("here");
        told.await.expect_err("dropped by the panic");
        // The callback has unwound; its task ends in the same poll.
        yield_now().await;
    });
    let [
        Found {
            line: at,
            what: What::Note(Family::CallbackPanic, text),
            ..
        },
    ] = &found[..]
    else {
        panic!("{found:?}")
    };
    // `resume_unwind` runs no hook: nothing is known, and nothing of an earlier panic is taken for it.
    assert_eq!((*at, &text.message, &text.place), (line, &None, &None));
}

#[test]
fn a_panic_that_the_callback_catches_itself_is_its_own() {
    let found = during_loop(|| async {
        let (tell, told) = tokio::sync::oneshot::channel();
        let careful = move || {
            assert!(std::panic::catch_unwind(|| panic!("on purpose")).is_err());
            tell.send(()).expect("heard");
        };
        EventLoop::current().call_soon(careful).expect("here");
        told.await.expect("called");
    });
    assert_eq!(found, []);
}

#[test]
fn a_failure_of_another_threads_task_that_nobody_reads_is_told() {
    let line = line!();
    let found = during_loop(|| async {
        let event_loop = EventLoop::current();
        let fails = event_loop.run_coroutine_threadsafe(async { Err::<(), _>("no disk") });
        let panics = event_loop.run_coroutine_threadsafe(async { panic!("on purpose") });
        let panics: ThreadsafeFuture<()> = panics;
        ended(&fails).await;
        ended(&panics).await;
        drop((fails, panics));
        // Dropped before it fails: the end of the task is the last chance.
        let (tell, told) = tokio::sync::oneshot::channel::<()>();
        drop(event_loop.run_coroutine_threadsafe(async {
            let _tell = tell;
            Err::<(), _>("too late")
        }));
        told.await.expect_err("dropped at the task's end");
        yield_now().await;
    });
    let lines: Vec<_> = found.iter().map(|found| found.line - line).collect();
    assert_eq!(lines, [3, 4, 11], "{found:?}");
    let text = |found: &Found| match &found.what {
        What::Error(text) => text.display.clone(),
        _ => None,
    };
    assert_eq!(text(&found[0]).as_deref(), Some("no disk"));
    assert_eq!(text(&found[2]).as_deref(), Some("too late"));
}

#[test]
fn a_failure_that_was_read_and_a_task_that_was_cancelled_are_silent() {
    let found = during_loop(|| {
        elsewhere(|event_loop| {
            let mut fails = event_loop.run_coroutine_threadsafe(async { Err::<(), _>("no disk") });
            assert!(fails.result(Some(LIMIT)).expect("no panic").is_err());
            let mut panics = event_loop.run_coroutine_threadsafe(async { panic!("on purpose") });
            let ended: Result<(), _> = panics.result(Some(LIMIT));
            assert!(ended.is_err());
            let stuck = event_loop.run_coroutine_threadsafe(std::future::pending::<()>());
            stuck.cancel();
            drop(stuck);
            let fine = event_loop.run_coroutine_threadsafe(async { Ok::<(), &str>(()) });
            // Left behind at the loop's end it would be noted as destroyed.
            while !fine.done() {
                thread::yield_now();
            }
        })
    });
    assert_eq!(found, []);
}

/// A task of a multi-thread runtime may resume on any worker; only what a loop owns belongs to a thread.
/// Edge case 63.
#[test]
fn a_task_that_resumes_on_another_worker_is_on_the_right_thread() {
    let found = during(|| {
        let runtime = pollscope::runtime::Builder::new_multi_thread();
        let runtime = { runtime }.worker_threads(2).build().expect("a runtime");
        runtime.block_on(async {
            let mut tasks = pollscope::task::JoinSet::new();
            for _ in 0..32 {
                tasks.spawn(async {
                    for _ in 0..32 {
                        yield_now().await;
                    }
                });
            }
            tasks.join_all().await;
        });
    });
    assert_eq!(found, []);
}

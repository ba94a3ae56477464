//! Order, cancelling, refusing and showing; what is told of it is tested in `tests/event_loop.rs`.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::*;
use crate::task::yield_now;

/// Long enough for any machine.
const LIMIT: Duration = Duration::from_secs(20);

/// What was called, in order.
type Calls = Rc<RefCell<Vec<&'static str>>>;

fn note(calls: &Calls, what: &'static str) -> impl FnOnce() + 'static {
    let calls = Rc::clone(calls);
    move || calls.borrow_mut().push(what)
}

/// Lets the loop turn until this many were called.
async fn called(calls: &Calls, count: usize) {
    let limit = Instant::now() + LIMIT;
    while calls.borrow().len() < count {
        assert!(Instant::now() < limit, "called: {:?}", calls.borrow());
        yield_now().await;
    }
}

fn run_on_a_loop<F: Future>(future: F) -> F::Output {
    run(future).expect("a loop")
}

#[test]
fn callbacks_and_tasks_run_in_the_order_they_were_asked_for() {
    let calls = Calls::default();
    run_on_a_loop(async {
        let event_loop = EventLoop::current();
        event_loop.call_soon(note(&calls, "first")).expect("here");
        let task = note(&calls, "task");
        event_loop.create_task(async { task() }).expect("here");
        let inner = (event_loop.clone(), note(&calls, "from within"));
        let outer = note(&calls, "second");
        let nested = move || {
            outer();
            inner.0.call_soon(inner.1).expect("here");
        };
        event_loop.call_soon(nested).expect("here");
        event_loop.call_soon(note(&calls, "third")).expect("here");
        assert!(calls.borrow().is_empty(), "soon is not now");
        called(&calls, 5).await;
    });
    assert_eq!(
        *calls.borrow(),
        ["first", "task", "second", "third", "from within"]
    );
}

#[test]
fn a_thread_elsewhere_has_its_callbacks_run_in_order_on_the_loops_thread() {
    let (tell, told) = mpsc::channel();
    let home = thread::current().id();
    run_on_a_loop(async {
        let event_loop = EventLoop::current();
        let remote = event_loop.clone();
        let ask = move || {
            for n in 0..100 {
                let tell = tell.clone();
                let callback = move || tell.send((n, thread::current().id())).expect("heard");
                remote.call_soon_threadsafe(callback).expect("open");
            }
        };
        event_loop.run_in_executor(ask).await.expect("no panic");
        let limit = Instant::now() + LIMIT;
        let mut called = Vec::new();
        while called.len() < 100 {
            assert!(Instant::now() < limit, "called: {called:?}");
            called.extend(told.try_iter());
            yield_now().await;
        }
        let expected: Vec<_> = (0..100).map(|n| (n, home)).collect();
        assert_eq!(called, expected);
    });
}

#[test]
fn a_sleeping_loop_is_woken() {
    run_on_a_loop(async {
        let event_loop = EventLoop::current();
        let (tell, told) = tokio::sync::oneshot::channel();
        // Nothing else would wake this loop: a lost wake is a test that does not end.
        let elsewhere = thread::spawn(move || {
            let callback = move || tell.send(()).expect("heard");
            event_loop.call_soon_threadsafe(callback).expect("open");
        });
        told.await.expect("called");
        elsewhere.join().expect("no panic");
    });
}

#[test]
fn timers_come_in_the_order_of_their_times_and_not_early() {
    let calls = Calls::default();
    run_on_a_loop(async {
        let event_loop = EventLoop::current();
        let began = event_loop.time();
        let (late, early) = (Duration::from_millis(60), Duration::from_millis(5));
        let timer = event_loop.call_later(late, note(&calls, "late"));
        let timer = timer.expect("here");
        assert!(timer.when() >= began + late);
        let at = event_loop.call_at(began + early, note(&calls, "early"));
        assert_eq!(at.expect("here").when(), began + early);
        event_loop
            .call_at(began, note(&calls, "passed"))
            .expect("here");
        let never = event_loop.call_later(Duration::MAX, note(&calls, "never"));
        assert!(!never.expect("here").cancelled());
        called(&calls, 3).await;
        assert!(event_loop.time() >= began + late);
    });
    assert_eq!(*calls.borrow(), ["passed", "early", "late"]);
}

#[test]
fn what_is_cancelled_before_it_begins_never_runs() {
    let calls = Calls::default();
    run_on_a_loop(async {
        let event_loop = EventLoop::current();
        let soon = event_loop.call_soon(note(&calls, "soon")).expect("here");
        let later = event_loop.call_later(Duration::from_secs(3600), note(&calls, "later"));
        let later = later.expect("here");
        soon.cancel();
        later.cancel();
        assert!(soon.cancelled() && later.cancelled());
        let marker = event_loop.call_soon(note(&calls, "marker")).expect("here");
        called(&calls, 1).await;
        // Over: what ran was not cancelled, whatever is asked now.
        marker.cancel();
        assert!(!marker.cancelled());
        // Both callbacks are gone, the hour has not passed: the marker's own has been called and dropped, too.
        assert_eq!(Rc::strong_count(&calls), 1);
    });
    assert_eq!(*calls.borrow(), ["marker"]);
}

#[test]
fn a_callback_may_cancel_itself_and_another() {
    let calls = Calls::default();
    run_on_a_loop(async {
        let event_loop = EventLoop::current();
        let handles = Rc::new(RefCell::new(Vec::new()));
        let (own, told) = (Rc::clone(&handles), note(&calls, "first"));
        let cancels = move || {
            told();
            own.borrow().iter().for_each(Handle::cancel);
        };
        let first = event_loop.call_soon(cancels).expect("here");
        let second = event_loop.call_soon(note(&calls, "second"));
        handles.borrow_mut().extend([first, second.expect("here")]);
        event_loop.call_soon(note(&calls, "third")).expect("here");
        called(&calls, 2).await;
        let cancelled: Vec<_> = handles.borrow().iter().map(Handle::cancelled).collect();
        assert_eq!(cancelled, [false, true]);
    });
    assert_eq!(*calls.borrow(), ["first", "third"]);
}

#[test]
fn cancelled_elsewhere_a_callback_is_dropped_at_home() {
    struct Tells(mpsc::Sender<thread::ThreadId>);
    impl Drop for Tells {
        fn drop(&mut self) {
            let _ = self.0.send(thread::current().id());
        }
    }
    let (tell, dropped) = mpsc::channel();
    run_on_a_loop(async {
        let event_loop = EventLoop::current();
        // Not `Send`: it must not be dropped anywhere else.
        let keeps = (Tells(tell), Rc::new(()));
        let timer = event_loop.call_later(Duration::from_secs(3600), move || drop(keeps));
        let timer = timer.expect("here");
        yield_now().await;
        let cancel = move || timer.cancel();
        event_loop.run_in_executor(cancel).await.expect("no panic");
        let limit = Instant::now() + LIMIT;
        let at = loop {
            match dropped.try_recv() {
                Ok(at) => break at,
                Err(error) => assert!(Instant::now() < limit, "not dropped: {error}"),
            }
            yield_now().await;
        };
        assert_eq!(at, thread::current().id());
    });
}

#[test]
fn another_thread_is_refused_and_has_its_callback_back() {
    run_on_a_loop(async {
        let event_loop = EventLoop::current();
        let remote = event_loop.clone();
        let made_at = event_loop.shared.made_at;
        let asks = move || {
            let rc = Rc::new("mine");
            let callback = {
                let rc = Rc::clone(&rc);
                move || assert_eq!(*rc, "mine")
            };
            let at = line!() + 1;
            let refused = remote.call_soon(callback).expect_err("not its thread");
            let wrong = refused.wrong_thread().expect("that is why").clone();
            assert_eq!((wrong.touched_at.line(), wrong.made_at), (at, made_at));
            assert_eq!(wrong.current.id(), thread::current().id());
            assert_ne!(wrong.owner.id(), wrong.current.id());
            let text = refused.to_string();
            assert!(
                text.starts_with("EventLoop::call_soon was refused: "),
                "{text}"
            );
            assert_eq!(Rc::strong_count(&rc), 2, "neither dropped nor called");
            refused.into_inner()();
            assert_eq!(Rc::strong_count(&rc), 1);

            let later = remote.call_later(Duration::ZERO, || ());
            assert!(later.expect_err("refused").wrong_thread().is_some());
            let at = remote.call_at(remote.time(), || ());
            assert!(at.expect_err("refused").wrong_thread().is_some());
            let task = remote.create_task(async { 7 });
            assert!(task.expect_err("refused").wrong_thread().is_some());
        };
        event_loop.run_in_executor(asks).await.expect("no panic");
    });
}

#[test]
fn a_loop_that_does_not_run_takes_nothing_of_its_own_thread() {
    let runner = Runner::new().expect("a loop");
    let event_loop = runner.event_loop().clone();
    assert_eq!(EventLoop::try_current(), Err(NoRunningLoop(())));
    let early = event_loop.call_soon(|| ()).expect_err("not yet");
    assert_eq!(early.into_refusal(), Refusal::NotRunning);
    // From any thread it is taken, and waits.
    let (tell, told) = mpsc::channel();
    let waits = event_loop.call_soon_threadsafe(move || tell.send(()).expect("heard"));
    waits.expect("open");
    assert!(told.try_recv().is_err());
    runner.run(async {
        assert!(event_loop.is_running());
        while told.try_recv().is_err() {
            yield_now().await;
        }
    });
    assert!(!event_loop.is_running() && !event_loop.is_closed());
    // Another loop runs on this thread: not this one.
    run_on_a_loop(async {
        assert_ne!(EventLoop::current(), event_loop);
        assert!(event_loop.call_soon(|| ()).is_err());
    });
    runner.run(async { assert_eq!(EventLoop::current(), event_loop) });
    drop(runner);
    assert!(event_loop.is_closed());
    let late = event_loop.call_soon_threadsafe(|| ()).expect_err("closed");
    assert_eq!(late.refusal(), &Refusal::NotRunning);
}

#[test]
fn what_did_not_run_is_dropped_with_its_loop() {
    let calls = Calls::default();
    run_on_a_loop(async {
        let event_loop = EventLoop::current();
        event_loop.call_soon(note(&calls, "soon")).expect("here");
        let later = event_loop.call_later(Duration::from_secs(3600), note(&calls, "later"));
        later.expect("here");
    });
    assert_eq!(Rc::strong_count(&calls), 1);
}

#[test]
fn loops_of_two_threads_are_not_mixed_up() {
    let (tell, told) = mpsc::channel();
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let other = thread::Builder::new().name("other".to_owned());
    let other = other.spawn(move || {
        run_on_a_loop(async {
            tell.send(EventLoop::current()).expect("heard");
            ended.await.expect("told to end");
        });
    });
    let other = other.expect("a thread");
    let theirs = told.recv().expect("a loop");
    run_on_a_loop(async {
        let ours = EventLoop::current();
        assert_ne!(ours, theirs);
        assert_ne!(ours.runtime().id(), theirs.runtime().id());
        assert!(ours.is_here() && !theirs.is_here());
        let refused = theirs.call_soon(|| ()).expect_err("not its thread");
        let wrong = refused.wrong_thread().expect("that is why");
        assert_eq!(wrong.owner.name(), Some("other"));
        ours.call_soon(|| ()).expect("here");
    });
    end.send(()).expect("heard");
    other.join().expect("no panic");
}

#[test]
fn a_callback_that_panics_ends_alone() {
    let calls = Calls::default();
    run_on_a_loop(async {
        let event_loop = EventLoop::current();
        let panics = || panic!("on purpose, by a test");
        event_loop.call_soon(panics).expect("here");
        event_loop.call_soon(note(&calls, "next")).expect("here");
        called(&calls, 1).await;
    });
}

#[test]
fn they_are_shown_as_asyncio_shows_them() {
    fn settle() {}
    let work = || {
        let runner = Runner::new().expect("a loop");
        let event_loop = runner.event_loop().clone();
        runner.run(async {
            let debug = event_loop.get_debug();
            let shown = format!("{event_loop:?}").replace(&format!("debug: {debug}"), "debug: _");
            assert_golden(
                &shown,
                r#"EventLoop { thread: "the loop", running: true, closed: false, debug: _, made_at: FILE:LINE }"#,
            );
            let handle = event_loop.call_soon(settle).expect("here");
            assert_golden(
                &format!("{handle:?}"),
                "Handle { state: pending, callback: pollscope::event_loop::tests::they_are_shown_as_asyncio_shows_them::settle, created_at: FILE:LINE }",
            );
            handle.cancel();
            assert!(format!("{handle:?}").contains("state: cancelled"));
            let when = event_loop.shared.began + Duration::from_secs(1500);
            let timer = event_loop.call_at(when, settle).expect("here");
            assert_golden(
                &format!("{timer:?}"),
                "TimerHandle { when: 1500s, state: pending, callback: pollscope::event_loop::tests::they_are_shown_as_asyncio_shows_them::settle, created_at: FILE:LINE }",
            );
            let line = format!("{}:{}", file!(), timer.created_at().line());
            assert!(format!("{timer:?}").contains(&line), "{timer:?}");
        });
    };
    let named = thread::Builder::new().name("the loop".to_owned());
    let ended = named.spawn(work).expect("a thread").join();
    ended.expect("no panic");
}

/// Compares, with what follows `_at: ` taken for a place of this file.
#[track_caller]
fn assert_golden(shown: &str, golden: &str) {
    let at = shown.rfind("_at: ").expect("a place") + "_at: ".len();
    let (before, place) = shown.split_at(at);
    let place = place.trim_end_matches(" }");
    let mut parts = place.rsplitn(3, ':');
    let numbers = [parts.next(), parts.next()].map(|part| part.and_then(|n| n.parse::<u32>().ok()));
    assert!(numbers.iter().all(Option::is_some), "{shown}");
    assert_eq!(parts.next(), Some(file!()), "{shown}");
    assert_eq!(format!("{before}FILE:LINE }}"), golden);
}

mod threadsafe {
    use super::*;
    use crate::event_loop::{ThreadsafeFuture, WaitError};

    /// Runs `work` on another thread, given the loop that runs on this one.
    fn elsewhere<R: Send + 'static>(work: impl FnOnce(EventLoop) -> R + Send + 'static) -> R {
        run_on_a_loop(async {
            let event_loop = EventLoop::current();
            let remote = event_loop.clone();
            let waits = event_loop.run_in_executor(move || work(remote));
            waits.await.expect("no panic")
        })
    }

    #[test]
    fn a_result_comes_over() {
        let (answer, again, done) = elsewhere(|event_loop| {
            let home = event_loop.clone();
            let mut future = event_loop.run_coroutine_threadsafe(async move {
                yield_now().await;
                assert!(home.is_here());
                42
            });
            let answer = future.result(Some(LIMIT));
            (answer, future.result(None), future.done())
        });
        assert_eq!(answer.expect("no panic"), 42);
        assert!(matches!(again, Err(WaitError::Taken)), "{again:?}");
        assert!(done);
    }

    #[test]
    fn out_of_time_it_runs_on_until_it_is_cancelled() {
        elsewhere(|event_loop| {
            let mut future = event_loop.run_coroutine_threadsafe(std::future::pending::<()>());
            let late = future.result(Some(Duration::from_millis(50)));
            assert!(matches!(late, Err(WaitError::TimedOut)), "{late:?}");
            assert!(!future.done());
            future.cancel();
            let ended = future.result(Some(LIMIT));
            let cancelled = matches!(&ended, Err(WaitError::Join(error)) if error.is_cancelled());
            assert!(cancelled, "{ended:?}");
        });
    }

    #[test]
    fn a_panic_and_an_error_come_over() {
        elsewhere(|event_loop| {
            let mut panics = event_loop.run_coroutine_threadsafe(async {
                panic!("on purpose, by a test");
            });
            let ended: Result<(), WaitError> = panics.result(Some(LIMIT));
            let panicked = matches!(&ended, Err(WaitError::Join(error)) if error.is_panic());
            assert!(panicked, "{ended:?}");
            let mut fails = event_loop.run_coroutine_threadsafe(async { Err::<(), _>("no disk") });
            assert_eq!(fails.result(None).expect("no panic"), Err("no disk"));
        });
    }

    #[test]
    fn the_loops_own_thread_is_told_that_it_would_wait_for_ever() {
        run_on_a_loop(async {
            let event_loop = EventLoop::current();
            let mut future = event_loop.run_coroutine_threadsafe(async { 42 });
            let refused = future.result(Some(LIMIT));
            assert!(
                matches!(refused, Err(WaitError::WouldDeadlock)),
                "{refused:?}"
            );
            while !future.done() {
                yield_now().await;
            }
            // There is nothing to wait for any more.
            assert_eq!(future.result(None).expect("no panic"), 42);
            let awaited = event_loop.run_coroutine_threadsafe(async { 43 });
            assert_eq!(awaited.await.expect("no panic"), 43);
        });
    }

    #[test]
    fn a_closed_loop_cancels() {
        let runner = Runner::new().expect("a loop");
        let event_loop = runner.event_loop().clone();
        let mut before: ThreadsafeFuture<i32> = event_loop.run_coroutine_threadsafe(async { 1 });
        drop(runner);
        let mut after = event_loop.run_coroutine_threadsafe(async { 2 });
        for future in [&mut before, &mut after] {
            let ended = future.result(Some(LIMIT));
            let cancelled = matches!(&ended, Err(WaitError::Join(error)) if error.is_cancelled());
            assert!(cancelled, "{ended:?}");
        }
    }
}

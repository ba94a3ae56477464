//! Requests: rows of their own inside somebody else's task, and nothing that is theirs is told twice, or at all where
//! it is nobody's mistake.

#![cfg(feature = "capture")]

#[path = "support/findings.rs"]
mod findings;
#[path = "support/runtimes.rs"]
mod runtimes;

use std::future::{Future, pending, poll_fn};
use std::panic::{AssertUnwindSafe, Location, catch_unwind, panic_any};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use findings::{Found, about, destroyed, settled, wait_until};
use pollscope_capture::TaskKind;
use pollscope_capture::event::Family;
use pollscope_capture::record::{Outcome, Snapshot};
use pollscope_capture::task::{self as capture_task, label};
use pollscope_capture::{names, registry, site, thread};
use pollscope_tokio::private::{Request, request as new_request};
use pollscope_tokio::runtime::Runtime;
use pollscope_tokio::task;

const SLOW: Duration = Duration::from_millis(100);

fn debugging() -> Runtime {
    runtimes::debugging(SLOW).build().expect("a runtime")
}

#[track_caller]
fn request<F: Future>(name: &str, future: F) -> Request<F> {
    new_request(future, Location::caller(), || Some(name))
}

/// The live request of this name.
fn row(name: &str) -> Option<Snapshot> {
    let mut found = None;
    registry::tasks(|_, task| {
        if names::get(task.name).as_deref() == Some(name) {
            found = Some(task);
        }
    });
    found
}

/// How the requests of a test ended, by `Outcome`.
fn ended(test: &str) -> [u64; 5] {
    let mut ended = [0; 5];
    let of_test = |site: &&'static site::Site| {
        site.kind == TaskKind::Request && site.type_name.contains(test)
    };
    let sites = (0..site::count()).map(|id| site::get(pollscope_capture::SiteId(id)));
    for site in sites.filter(of_test) {
        let tallies = thread::all().filter_map(|thread| thread.tally(site.id));
        for tally in tallies {
            for (sum, count) in ended.iter_mut().zip(&tally.ended) {
                *sum += count.get();
            }
        }
    }
    ended
}

/// What was found of the test; not polls in which a busy machine had no CPU for us.
fn found(test: &str) -> Vec<Found> {
    let is_short = |found: &Found| found.ns.is_some_and(|ns| ns < SLOW.as_nanos() as u64);
    about(test)
        .into_iter()
        .filter(|found| !is_short(found))
        .collect()
}

#[track_caller]
fn none(test: &str) {
    settled(test);
    let found = found(test);
    assert!(found.is_empty(), "{found:#?}");
}

#[track_caller]
fn only(test: &str) -> Found {
    wait_until("a finding", || !found(test).is_empty());
    settled(test);
    let found = found(test);
    assert_eq!(found.len(), 1, "{found:#?}");
    found[0].clone()
}

/// Waits in a task, without keeping the thread.
async fn until<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let limit = Instant::now() + Duration::from_secs(10);
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(Instant::now() < limit, "{what}: not within 10 s");
        task::yield_now().await;
    }
}

fn once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn a_row_inside_a_task() {
    debugging().block_on(async {
        let (tell, told) = pollscope_tokio::sync::oneshot::channel::<()>();
        let handle = task::spawn(async move {
            request("a_row_inside_a_task", async {
                told.await.expect("told");
                7
            })
            .await
        });
        let polled = |row: &Snapshot| row.polls() > 0 && !row.is_polled();
        let seen = until("its first poll", || {
            row("a_row_inside_a_task").filter(polled)
        })
        .await;
        assert_eq!(seen.kind, TaskKind::Request);
        assert_eq!(seen.parent, handle.pollscope_id());
        assert!(site::get(seen.site).file.ends_with("requests.rs"));
        tell.send(()).expect("it waits");
        assert_eq!(handle.await.expect("it ends"), 7);
        assert!(row("a_row_inside_a_task").is_none(), "it has ended");
    });
}

#[test]
fn a_row_in_a_task_of_nobody_we_know() {
    runtimes::without_agent();
    let mut request = pin!(request("a_row_in_a_task_of_nobody", pending::<()>()));
    let row_now = || row("a_row_in_a_task_of_nobody").expect("it lives");
    assert_eq!((row_now().polls(), row_now().parent), (0, 0));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(request.as_mut().poll(&mut cx).is_pending());
    assert!(request.as_mut().poll(&mut cx).is_pending());
    assert_eq!(row_now().polls(), 2);
}

#[test]
fn an_error_is_its_callers() {
    runtimes::without_agent();
    let answer = |fails: bool| async move { if fails { Err("no".to_owned()) } else { Ok(1) } };
    let failed = once(request("an_error", answer(true)));
    assert_eq!(failed, Poll::Ready(Err("no".to_owned())));
    let fine = once(request("an_error", answer(false)));
    assert_eq!(fine, Poll::Ready(Ok(1)));
    let ended = ended("an_error_is_its_callers");
    assert_eq!(ended[Outcome::Error as usize], 1);
    assert_eq!(ended[Outcome::Ok as usize], 1);
    none("an_error_is_its_callers");
}

#[test]
fn dropped_it_is_aborted_and_no_finding() {
    runtimes::without_agent();
    let waits = || async { pending::<()>().await };
    drop(request("dropped", waits()));
    assert!(once(request("dropped", waits())).is_pending());
    let test = "dropped_it_is_aborted_and_no_finding";
    assert_eq!(ended(test)[Outcome::Aborted as usize], 2);
    none(test);
}

#[test]
fn at_its_runtimes_end_it_is_no_finding() {
    let runtime = debugging();
    let waits = || async { pending::<()>().await };
    // As a library does it: by Tokio's own spawn.
    let handle = runtime.handle().clone().into_tokio();
    let polled = request("polled at the end", waits());
    handle.spawn(polled);
    let unpolled = request("unpolled at the end", waits());
    handle.spawn(async move {
        pending::<()>().await;
        unpolled.await;
    });
    wait_until("its first poll", || {
        row("polled at the end").is_some_and(|row| row.polls() > 0)
    });
    drop(runtime);
    wait_until("their end", || row("unpolled at the end").is_none());
    assert_eq!(
        ended("at_its_runtimes_end_it_is_no_finding")[Outcome::Aborted as usize],
        2
    );
    none("at_its_runtimes_end_it_is_no_finding");
    assert!(destroyed("at_its_runtimes_end_it_is_no_finding").is_empty());
}

#[test]
fn a_panic_goes_through() {
    runtimes::without_agent();
    let panics = async { panic_any("in a request") };
    let caught = catch_unwind(AssertUnwindSafe(|| once(request("panics", panics))));
    let payload = caught.expect_err("it panicked");
    assert_eq!(payload.downcast_ref(), Some(&"in a request"));
    assert_eq!(ended("a_panic_goes_through")[Outcome::Panic as usize], 1);
    none("a_panic_goes_through");
}

/// A task of ours in which a request blocks: the request is slow, and what is around it is not.
#[test]
fn a_slow_poll_is_the_innermosts() {
    debugging().block_on(async {
        let handle = task::spawn(async {
            request("outer", async {
                request("inner", async { std::thread::sleep(2 * SLOW) }).await;
                task::yield_now().await;
            })
            .await;
        });
        handle.await.expect("it ends");
    });
    let found = only("a_slow_poll_is_the_innermosts");
    assert_eq!(found.task_name.as_deref(), Some("inner"));
    assert_eq!(found.site.kind, TaskKind::Request);
}

/// The twin: what the task does beside its requests is its own.
#[test]
fn a_slow_poll_beside_a_request() {
    debugging().block_on(async {
        let handle = task::spawn(async {
            request("quick", async {}).await;
            std::thread::sleep(2 * SLOW);
        });
        handle.await.expect("it ends");
    });
    let found = only("a_slow_poll_beside_a_request");
    assert_eq!((found.family, found.task_name), (Family::SlowPoll, None));
}

#[test]
fn time_in_a_slow_request_is_the_tasks_too() {
    debugging().block_on(async {
        let (go, told) = pollscope_tokio::sync::oneshot::channel::<()>();
        let handle = task::spawn(async move {
            let mut blocks = pin!(request("blocks", async {
                std::thread::sleep(2 * SLOW);
                pending::<()>().await;
            }));
            poll_fn(|cx| Poll::Ready(blocks.as_mut().poll(cx).is_pending())).await;
            told.await.expect("told");
        });
        let slow = SLOW.as_nanos() as u64;
        let task = until("its first poll", || {
            let (_, task) = registry::find(handle.pollscope_id())?;
            (task.polls() > 0 && !task.is_polled()).then_some(task)
        })
        .await;
        assert!(task.busy_ns >= 2 * slow, "{task:?}");
        assert!(task.max_ns < task.busy_ns, "{task:?}");
        let request = row("blocks").expect("it lives");
        assert!(request.max_ns >= 2 * slow, "{request:?}");
        go.send(()).expect("it waits");
        handle.await.expect("it ends");
    });
    only("time_in_a_slow_request");
}

/// However deep the request is that was slow, and once.
#[test]
fn what_is_around_a_slow_request_was_busy_too() {
    debugging().block_on(async {
        let begun = Instant::now();
        let (go, told) = pollscope_tokio::sync::oneshot::channel::<()>();
        let handle = task::spawn(async move {
            let mut outer = pin!(request("deep outer", async {
                let middle = request("deep middle", async {
                    request("deep inner", async { std::thread::sleep(2 * SLOW) }).await;
                    pending::<()>().await;
                });
                let mut middle = pin!(middle);
                poll_fn(|cx| Poll::Ready(middle.as_mut().poll(cx).is_pending())).await;
                // Slow ones before it are none of its own.
                let mut beside = pin!(request("deep beside", async {
                    request("deep quick", task::yield_now()).await;
                    pending::<()>().await;
                }));
                poll_fn(|cx| Poll::Ready(beside.as_mut().poll(cx).is_pending())).await;
                pending::<()>().await;
            }));
            poll_fn(|cx| Poll::Ready(outer.as_mut().poll(cx).is_pending())).await;
            told.await.expect("told");
        });
        let slow = SLOW.as_nanos() as u64;
        let task = until("its first poll", || {
            let (_, task) = registry::find(handle.pollscope_id())?;
            (task.polls() > 0 && !task.is_polled()).then_some(task)
        })
        .await;
        let most = u64::try_from(begun.elapsed().as_nanos()).expect("a test's time");
        for row in [Some(task), row("deep outer"), row("deep middle")] {
            let row = row.expect("it lives");
            assert!(row.busy_ns >= 2 * slow, "{row:?}");
            assert!(row.busy_ns <= most, "counted twice: {row:?}");
        }
        go.send(()).expect("it waits");
        handle.await.expect("it ends");
    });
    only("what_is_around_a_slow_request_was_busy_too");
}

/// The labels of the live task with this id.
fn labels(id: u64) -> Vec<(String, String)> {
    let extras = capture_task::extras(id);
    let labels = extras.iter().flat_map(|extras| &extras.labels);
    labels
        .map(|(key, value)| (key.to_string(), value.to_string()))
        .collect()
}

#[test]
fn a_label_is_the_innermosts_and_goes_with_it() {
    debugging().block_on(async {
        let (go, told) = pollscope_tokio::sync::oneshot::channel::<()>();
        let handle = task::spawn(async move {
            assert!(label("task"));
            let request = request("labelled", async {
                assert!(label("order=42") && label(" order = 43 ") && label("tenant=a=b"));
                assert!(!label("") && !label(" =no key"));
                told.await.expect("told");
            });
            request.await;
            assert!(label("after=1"));
        });
        let labelled = |row: &Snapshot| row.has_extras() && !row.is_polled();
        let row = until("its labels", || row("labelled").filter(labelled)).await;
        let id = row.id;
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(labels(id), [pair("order", "43"), pair("tenant", "a=b")]);
        assert_eq!(labels(handle.pollscope_id()), [pair("task", "")]);
        go.send(()).expect("it waits");
        let task = handle.pollscope_id();
        handle.await.expect("it ends");
        assert!(labels(id).is_empty() && labels(task).is_empty());
    });
}

#[test]
fn a_label_outside_of_any_task() {
    runtimes::without_agent();
    assert!(!label("order=42"));
    debugging().block_on(async {
        let labelled = task::spawn_blocking(|| label("order=42"));
        assert!(!labelled.await.expect("it ends"), "no poll is here");
    });
}

#[test]
fn labels_of_one_task_are_bounded() {
    let long = "ü".repeat(1000);
    let labelled = request("bounded", async {
        let kept = (0..100).filter(|number| label(&format!("key{number}={long}")));
        let kept = kept.count();
        assert!(!label(&format!("{long}=1")) && label(&format!("key7={long}")));
        let here = pollscope_capture::task::poll_here().expect("a request");
        for (key, value) in labels(here.task) {
            assert!(key.len() <= 64 && value.len() <= 256, "{key} {value}");
        }
        kept
    });
    assert_eq!(once(labelled), Poll::Ready(capture_task::MAX_LABELS));
}

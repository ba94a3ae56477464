//! From spawn to end: what is counted of a task, and what is told of one that ended badly.

#[path = "executor/by_hand.rs"]
mod executor;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;

use executor::{Pending, ended, findings, look, meta, poll, run, spawn, spawn_described, sum};
use pollscope_capture::event::{Detail, ErrorText};
use pollscope_capture::instrumented::{Read, Untold, instrument_blocking};
use pollscope_capture::record::Outcome;
use pollscope_capture::{SiteId, registry, thread};

#[test]
fn counts_are_exact_whichever_threads_come_and_go() {
    const THREADS: u64 = 4;
    const TASKS: u64 = 300;
    fn task() -> (
        executor::Task<Pending>,
        pollscope_capture::task::HandleShare,
    ) {
        spawn(Pending(2))
    }
    let (first, share) = task();
    let site = look(first.id()).site;
    drop((first, share));
    // Threads of the second round take over slots of the first, and go on with their counts.
    for _ in 0..2 {
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    for n in 0..TASKS {
                        let (mut task, share) = task();
                        assert!(poll(&mut task).is_pending());
                        // Every third is polled on by another thread, and joined there.
                        if n % 3 == 0 {
                            scope.spawn(move || run(task).join(&mut { share }));
                        } else {
                            drop(share);
                            run(task).into_inner();
                        }
                    }
                });
            }
        });
    }
    let all = 2 * THREADS * TASKS;
    assert_eq!(sum(site, |tally| tally.spawned.get()), all + 1);
    assert_eq!(ended(site, Outcome::Ok), all);
    assert_eq!(ended(site, Outcome::Aborted), 1);
    assert_eq!(sum(site, |tally| tally.ended_polls.get()), 3 * all);
    let mut live = 0;
    registry::tasks(|_, task| live += u32::from(task.site == site));
    assert_eq!(live, 0, "every record went back");
    assert!(findings(site).is_empty());
}

#[test]
fn a_record_lives_until_both_sides_are_gone() {
    let (task, share) = spawn(Pending(1));
    let (id, site) = (task.id(), look(task.id()).site);
    assert_eq!((look(id).polls(), look(id).handle()), (0, "held"));
    let output = run(task);
    let done = look(id);
    assert!(done.is_done() && !done.is_polled());
    assert_eq!((done.outcome, done.polls()), (Outcome::Ok, 2));
    drop(share);
    assert_eq!(look(id).handle(), "dropped");
    drop(output);
    assert!(registry::find(id).is_none());
    assert_eq!(ended(site, Outcome::Ok), 1);
}

/// Edge case 59: records are used again, ids are not.
#[test]
fn an_id_is_given_to_one_task_only() {
    let mut ids: Vec<u64> = (0..1000).map(|_| spawn(Pending(0)).0.id()).collect();
    let held: Vec<_> = (0..10).map(|_| spawn(Pending(0))).collect();
    let elsewhere = std::thread::spawn(|| spawn(Pending(0)).0.id());
    ids.push(elsewhere.join().expect("no panic"));
    ids.extend(held.iter().map(|(task, _share)| task.id()));
    let of_all = ids.len();
    assert!(ids.iter().all(|id| (1..1 << 53).contains(id)), "{ids:?}");
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), of_all);
    let mut left = 0;
    registry::tasks(|_, task| left += usize::from(ids.contains(&task.id)));
    assert_eq!(left, held.len(), "what ended leaves no record behind");
}

#[test]
fn a_dropped_task_was_aborted_polled_or_not() {
    let (mut polled, _share) = spawn(Pending(9));
    let site = look(polled.id()).site;
    assert!(poll(&mut polled).is_pending());
    drop(polled);
    assert_eq!(ended(site, Outcome::Aborted), 1);
    let (unpolled, _share) = spawn(std::future::pending::<()>());
    let (id, site) = (unpolled.id(), look(unpolled.id()).site);
    drop(unpolled);
    assert_eq!(ended(site, Outcome::Aborted), 1);
    assert_eq!(look(id).polls(), 0);
    assert!(findings(site).is_empty());
}

/// A task that panicked in its poll, as a runtime would drop it.
#[track_caller]
fn panicked(message: &'static str) -> (u64, SiteId, pollscope_capture::task::HandleShare) {
    let (mut task, share) = spawn(async move {
        std::panic::panic_any(message);
    });
    let (id, site) = (task.id(), look(task.id()).site);
    let unwound = catch_unwind(AssertUnwindSafe(|| poll(&mut task).is_ready()));
    assert!(unwound.is_err());
    drop(task);
    (id, site, share)
}

#[test]
fn a_panic_is_told_once_and_only_when_nobody_can_ask_any_more() {
    let (id, site, share) = panicked("boom");
    assert_eq!(look(id).outcome, Outcome::Panic);
    assert_eq!(ended(site, Outcome::Panic), 1);
    assert!(findings(site).is_empty(), "the handle may still be asked");
    drop(share);
    let told = findings(site);
    let [event] = told.as_slice() else {
        panic!("{told:?}");
    };
    assert_eq!(event.task, id);
    let Detail::Panic(text) = &event.detail else {
        panic!("{event:?}");
    };
    assert_eq!(text.message.as_deref(), Some("boom"));
    let (file, line, _) = text.place.as_ref().expect("our hook saw it");
    assert!(file.ends_with("lives.rs") && *line > 0);
}

#[test]
fn a_panic_that_was_read_is_not_told() {
    let (_, site, share) = panicked("read");
    share.mark_read();
    drop(share);
    assert!(findings(site).is_empty());
}

#[test]
fn a_panic_does_not_carry_the_text_of_an_earlier_one() {
    let (mut task, share) = spawn(async {
        let earlier = catch_unwind(|| panic!("earlier, and caught"));
        assert!(earlier.is_err());
        Pending(1).await;
        // Runs no hook.
        std::panic::resume_unwind(Box::new("later"));
    });
    let site = look(task.id()).site;
    assert!(poll(&mut task).is_pending());
    assert!(catch_unwind(AssertUnwindSafe(|| poll(&mut task).is_ready())).is_err());
    drop((task, share));
    let told = findings(site);
    let [event] = told.as_slice() else {
        panic!("{told:?}");
    };
    assert!(matches!(&event.detail, Detail::Panic(text) if text.message.is_none()));
}

#[test]
fn an_error_nobody_saw_is_told_once_with_its_text() {
    fn describe(result: &Result<(), String>) -> ErrorText {
        ErrorText {
            type_name: "String",
            display: result.as_ref().err().cloned(),
            debug: None,
        }
    }
    let (task, share) =
        spawn_described(async { Err::<(), _>("7".to_owned()) }, describe as Read<_>);
    let site = look(task.id()).site;
    let output = run(task);
    assert_eq!(ended(site, Outcome::Error), 1);
    drop(share);
    assert!(findings(site).is_empty(), "the output is still there");
    drop(output);
    let told = findings(site);
    assert_eq!(told.len(), 1);
    assert!(matches!(&told[0].detail, Detail::Error(text) if text.display.as_deref() == Some("7")));
}

#[test]
fn an_error_that_was_taken_is_not_told_and_an_ok_never() {
    let (task, mut share) = spawn(async { Err::<(), u8>(7) });
    let site = look(task.id()).site;
    assert_eq!(run(task).join(&mut share), Err(7));
    let (ok, _share) = spawn(async { Ok::<u8, u8>(7) });
    let ok_site = look(ok.id()).site;
    drop(run(ok));
    assert!(findings(site).is_empty() && findings(ok_site).is_empty());
}

#[test]
fn an_error_whose_own_text_panics_is_told_by_its_type() {
    fn describe(_: &Result<(), String>) -> ErrorText {
        panic!("a Display that panics");
    }
    let (task, _share) =
        spawn_described(async { Err::<(), _>("7".to_owned()) }, describe as Read<_>);
    let site = look(task.id()).site;
    drop(run(task));
    let told = findings(site);
    assert!(
        matches!(&told[0].detail, Detail::Error(text) if text.type_name.contains("Result") && text.display.is_none())
    );
}

#[test]
fn a_poll_within_a_poll_gives_the_thread_back() {
    let (outer, _share) = spawn(async {
        let thread = thread::current().expect("this thread has a slot");
        let now = || {
            thread
                .now()
                .map(|now| now.record.read().map(|task| task.id))
        };
        let outer = now();
        let (inner, _share) = spawn(Pending(0));
        let inner_id = inner.id();
        assert_eq!(Some(Some(look(inner_id).parent)), outer);
        let (innermost, _share) = spawn(async move {
            run(inner).into_inner();
            now()
        });
        let innermost_id = innermost.id();
        assert_eq!(run(innermost).into_inner(), Some(Some(innermost_id)));
        assert_eq!(now(), outer, "back in the outer poll");
        let unwound = catch_unwind(AssertUnwindSafe(|| {
            let (task, _share) = spawn(async { panic!("inner") });
            run(task).into_inner();
        }));
        assert!(unwound.is_err());
        assert_eq!(now(), outer, "also after a panic");
    });
    let id = outer.id();
    run(outer).into_inner();
    assert!(thread::current().is_some_and(|thread| thread.now().is_none()));
    assert_eq!(look(id).polls(), 1);
}

#[test]
fn closures_are_counted_as_tasks_are() {
    let here = std::panic::Location::caller();
    let (work, share) = instrument_blocking(|| 7, Untold, &meta(here));
    let site = look(share.id()).site;
    assert_eq!(work().into_inner(), 7);
    assert_eq!(ended(site, Outcome::Ok), 1);
    drop(share);

    let (work, share) = instrument_blocking(|| drop(vec![1]), Untold, &meta(here));
    let site = look(share.id()).site;
    drop(work);
    assert_eq!(ended(site, Outcome::Aborted), 1);
    assert_eq!(look(share.id()).polls(), 0);

    let (work, share) = instrument_blocking(|| assert!(here.line() == 0), Untold, &meta(here));
    let site = look(share.id()).site;
    assert!(catch_unwind(AssertUnwindSafe(|| work().into_inner())).is_err());
    assert_eq!(ended(site, Outcome::Panic), 1);
    drop(share);
    assert_eq!(findings(site).len(), 1);
}

#[test]
fn a_task_that_ends_while_its_thread_does_is_counted() {
    use std::cell::RefCell;

    type Held = (
        executor::Task<Pending>,
        pollscope_capture::task::HandleShare,
    );
    /// Polled and dropped by the thread-local's destructor.
    struct AtTheEnd(Option<Held>);
    impl Drop for AtTheEnd {
        fn drop(&mut self) {
            let (mut task, share) = self.0.take().expect("set below");
            assert!(matches!(poll(&mut task), Poll::Ready(_)));
            drop((task, share));
        }
    }
    thread_local!(static HELD: RefCell<Option<AtTheEnd>> = const { RefCell::new(None) });
    let (task, share) = spawn(Pending(0));
    let (id, site) = (task.id(), look(task.id()).site);
    std::thread::spawn(move || {
        // Registered before the thread's own part is, and so destroyed after it.
        HELD.with(|held| *held.borrow_mut() = Some(AtTheEnd(Some((task, share)))));
        assert!(thread::current().is_some());
    })
    .join()
    .expect("no panic");
    assert_eq!(ended(site, Outcome::Ok), 1);
    assert!(registry::find(id).is_none());
}

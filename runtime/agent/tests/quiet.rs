//! In quiet nothing is timed, and still a poll that hung before anybody came is found and named.

use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use pollscope_agent::Kind;
use pollscope_capture::level::{self, Level, Source};
use pollscope_capture::registry;
use pollscope_capture::thread::{Role, current};
use pollscope_capture::tracked::track;

#[path = "support/within.rs"]
mod within;
use within::within;

#[path = "support/executor.rs"]
mod executor;
use executor::{begin, finding, run, until};

#[inline(never)]
fn hang_until_told(told: &std::sync::mpsc::Receiver<()>) {
    let _ = told.recv();
    std::hint::black_box(());
}

#[test]
fn a_hang_is_found_at_the_second_round_and_is_over_when_it_is_over() {
    level::set_level(Level::Quiet, Source::Explicit);
    begin();
    let (tell, told) = channel();
    let worker = run("hung", async move { hang_until_told(&told) });
    let live = until("a live finding", || finding(Kind::SlowPoll, "hung"));
    assert!(live.live);
    assert!(
        live.wall_ns >= Some(1_000_000_000),
        "at least the second that it was met twice in: {:?}",
        live.wall_ns
    );
    let start = hang_until_told as *const () as usize;
    assert!(
        live.observed
            .stack
            .iter()
            .any(|frame| (start..start + 512).contains(frame)),
        "{:x?}",
        live.observed.stack
    );
    tell.send(()).expect("it waits");
    worker.join().expect("it ends");
    let over = until("its end", || {
        finding(Kind::SlowPoll, "hung").filter(|finding| !finding.live)
    });
    assert_eq!((over.id, over.count), (live.id, 1));
}

#[test]
fn a_poll_that_lasts_while_others_come_and_go_within_it_is_found() {
    level::set_level(Level::Quiet, Source::Explicit);
    begin();
    let (tell, told) = channel();
    let worker = run("outer", async move {
        while told.try_recv().is_err() {
            within("inner", async {});
            thread::sleep(Duration::from_millis(20));
        }
    });
    let live = until("the outer poll", || finding(Kind::SlowPoll, "outer"));
    assert!(live.live && live.wall_ns >= Some(1_000_000_000), "{live:?}");
    tell.send(()).expect("it waits");
    worker.join().expect("it ends");
    let over = until("its end", || {
        finding(Kind::SlowPoll, "outer").filter(|finding| !finding.live)
    });
    assert_eq!((over.id, over.count), (live.id, 1));
}

/// The collector comes round every two seconds: by then the thread is long gone.
#[test]
fn what_a_thread_told_before_it_ended_bears_its_name() {
    level::set_level(Level::Quiet, Source::Explicit);
    begin();
    run("brief", async { drop(track(async {})) })
        .join()
        .expect("it ends");
    pollscope_agent::flush(Duration::from_secs(5));
    let found = finding(Kind::NeverAwaited, "brief").expect("a finding");
    for place in [found.observed, found.created] {
        let thread = place.thread.expect("a thread");
        assert!(thread.tid != 0 && &*thread.name == "w-brief", "{thread:?}");
    }
}

#[test]
fn a_poll_that_only_waits_in_blocking_regions_is_not() {
    level::set_level(Level::Quiet, Source::Explicit);
    begin();
    run("polite", async {
        for _ in 0..7 {
            registry::blocking_region(|| thread::sleep(Duration::from_millis(450)));
        }
    })
    .join()
    .expect("it ends");
    pollscope_agent::flush(Duration::from_secs(5));
    assert!(finding(Kind::SlowPoll, "polite").is_none());
}

/// A worker that does not park and sleeps under something that is no task of ours, as Tokio's hooks would tell it.
#[test]
fn a_worker_held_by_a_librarys_task_is_found_and_one_that_parks_is_not() {
    level::set_level(Level::Quiet, Source::Explicit);
    begin();
    let worker = |name: &'static str, parks: bool| {
        let (tell, told) = channel();
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || {
            let slot = current().expect("a slot");
            slot.set_role(Role::Worker, 0);
            slot.set_parked(true);
            slot.set_parked(parks);
            hang_until_told(&told);
        });
        (tell, thread.expect("a thread"))
    };
    let (held, held_thread) = worker("held", false);
    let (parked, parked_thread) = worker("parked", true);
    let blocked = || {
        pollscope_agent::warnings()
            .into_iter()
            .filter(|finding| finding.kind == Kind::WorkerBlocked)
            .collect::<Vec<_>>()
    };
    let found = until("the held worker", || blocked().into_iter().next());
    assert!(found.live && found.task == 0);
    assert_eq!(
        found.observed.thread.as_ref().map(|thread| &*thread.name),
        Some("held")
    );
    assert!(!found.observed.stack.is_empty());
    #[cfg(feature = "symbols")]
    assert!(
        found.site.type_name.contains("hang_until_told") || found.site.type_name.is_empty(),
        "{found:?}"
    );
    assert_eq!(blocked().len(), 1, "the parked one waited as long");
    for (tell, thread) in [(held, held_thread), (parked, parked_thread)] {
        tell.send(()).expect("it waits");
        thread.join().expect("it ends");
    }
    until("its end", || {
        blocked()
            .first()
            .filter(|finding| !finding.live)
            .map(|_| ())
    });
}

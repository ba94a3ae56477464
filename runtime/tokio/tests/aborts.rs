//! Who aborted a task: told while somebody holds the task, and forgotten after.

#![cfg(feature = "capture")]

use std::future::pending;
use std::sync::{Arc, Mutex};

use pollscope_capture::task::{Aborter, aborter};
use pollscope_capture::{registry, site};
use pollscope_tokio::runtime::{Builder, Runtime};
use pollscope_tokio::task::{self, JoinSet};

fn current_thread() -> Runtime {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime")
}

fn line(aborter: Option<Aborter>) -> Option<u32> {
    aborter?.at.map(std::panic::Location::line)
}

#[test]
fn the_first_to_abort_is_known_by_line_task_and_thread_until_the_handle_goes() {
    current_thread().block_on(async {
        let stuck = task::spawn(pending::<()>());
        let id = stuck.pollscope_id();
        assert_eq!(aborter(id), None);
        let first = line!() + 2;
        let aborts = task::spawn(async move {
            stuck.abort();
            stuck.abort();
            Some(stuck)
        });
        let by = aborts.pollscope_id();
        let stuck = aborts.await.expect("no panic").expect("given back");
        let known = aborter(id).expect("it was aborted");
        assert_eq!((line(Some(known)), known.task), (Some(first), by));
        assert_ne!(known.tid, 0);
        let (_, seen) = registry::find(id).expect("its handle is held");
        assert!(seen.is_aborted());
        assert!(stuck.await.expect_err("aborted").is_cancelled());
        assert_eq!(aborter(id), None, "nobody holds it any more");
    });
}

#[test]
fn a_set_aborts_by_the_line_that_told_it_to() {
    current_thread().block_on(async {
        let mut set = JoinSet::new();
        set.spawn(async { pending::<()>().await });
        let stuck = || {
            let mut found = None;
            registry::tasks(|_, seen| {
                let own = site::get(seen.site).type_name.contains("a_set_aborts");
                found = found.or((own && seen.is_aborted()).then_some(seen.id));
            });
            found
        };
        assert_eq!(stuck(), None);
        set.abort_all();
        let at = line!() - 1;
        let id = stuck().expect("the set holds it");
        assert_eq!(line(aborter(id)), Some(at));
        drop(set);
        task::yield_now().await;
        assert_eq!(aborter(id), None);
    });
}

#[test]
fn a_set_that_is_shut_down_names_no_line_of_ours() {
    current_thread().block_on(async {
        let mut set = JoinSet::new();
        let ids = Arc::new(Mutex::new(Vec::new()));
        let noted = ids.clone();
        // Whoever drops the task's future asks: after the abort, before the record goes.
        set.spawn(async move {
            let _asks = Asks(noted);
            pending::<()>().await;
        });
        task::yield_now().await;
        set.shutdown().await;
        let asked = ids.lock().expect("no panic").clone();
        assert_eq!(asked, [(true, None)], "it was aborted, from no place");
    });
}

/// Whether a task was aborted, and from which line.
type Answer = (bool, Option<u32>);

/// Asks, when it is dropped, how the task that it lives in was aborted.
struct Asks(Arc<Mutex<Vec<Answer>>>);

impl Drop for Asks {
    fn drop(&mut self) {
        let mut found = None;
        registry::tasks(|_, seen| {
            let own = site::get(seen.site).type_name.contains("shut_down_names");
            found = found.or((own && seen.is_aborted()).then_some(seen.id));
        });
        let aborted = found.and_then(aborter);
        let mut asked = self.0.lock().expect("no panic");
        asked.push((aborted.is_some(), line(aborted)));
    }
}

#[test]
fn tokios_own_handle_does_not_tell_from_where() {
    current_thread().block_on(async {
        let ours = task::spawn(pending::<()>());
        let id = ours.pollscope_id();
        let tokios = ours.into_tokio();
        tokios.abort();
        assert!(tokios.await.expect_err("aborted").is_cancelled());
        // It is not wrong, either: no place is better than one of ours.
        assert_eq!(line(aborter(id)), None);
    });
}

/// What is not aborted is not said to be: the twin of all above.
#[test]
fn whoever_ends_by_itself_was_aborted_by_nobody() {
    current_thread().block_on(async {
        let ends = task::spawn(async { 7 });
        let id = ends.pollscope_id();
        task::yield_now().await;
        assert_eq!(aborter(id), None);
        assert_eq!(ends.await.expect("no panic"), 7);
    });
}

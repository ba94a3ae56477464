//! Reads what the hot path told, as the agent would: from the rings of all threads.
//!
//! Tests of one file run beside each other in one process, so each asks for findings about its own futures: their type
//! names hold the name of the test's function.

#![allow(dead_code, reason = "each test file uses what it needs")]

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use pollscope_capture::event::{Detail, ErrorText, Event, Family, NoteText, PanicText, ThreadText};
use pollscope_capture::{registry, site, thread};

/// One finding.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) family: Family,
    pub(crate) site: &'static site::Site,
    pub(crate) task: u64,
    pub(crate) task_name: Option<String>,
    pub(crate) place: Option<u32>,
    pub(crate) definite: Option<bool>,
    pub(crate) ns: Option<u64>,
    pub(crate) error: Option<ErrorText>,
    pub(crate) panic: Option<PanicText>,
    pub(crate) thread: Option<ThreadText>,
    pub(crate) note: Option<NoteText>,
}

impl Found {
    fn of(event: &Event) -> Self {
        let mut found = Self {
            family: Family::SlowPoll,
            site: site::get(event.site),
            task: event.task,
            task_name: event.name().map(|name| name.to_string()),
            place: event.place.map(std::panic::Location::line),
            definite: None,
            ns: None,
            error: None,
            panic: None,
            thread: None,
            note: None,
        };
        found.family = match &event.detail {
            Detail::Unpolled { definite, .. } => {
                found.definite = Some(*definite);
                if *definite {
                    Family::NeverAwaited
                } else {
                    Family::Unpolled
                }
            }
            Detail::Poll(text) => {
                found.ns = Some(text.ns);
                Family::SlowPoll
            }
            Detail::Drop(text) => {
                found.ns = Some(text.ns);
                Family::SlowDrop
            }
            Detail::Error(text) => {
                found.error = Some((**text).clone());
                Family::LeakedError
            }
            Detail::Panic(text) => {
                found.panic = Some((**text).clone());
                Family::LeakedPanic
            }
            Detail::Thread(text) => {
                found.thread = Some((**text).clone());
                Family::WrongThread
            }
            Detail::Note(family, text) => {
                found.note = Some((**text).clone());
                *family
            }
        };
        found
    }
}

static SEEN: Mutex<Vec<Found>> = Mutex::new(Vec::new());

/// All findings so far about futures of the test function with this name, but for tasks that their runtime's end
/// destroyed: whether a task runs before the test's runtime is dropped is a matter of luck in many tests.
pub(crate) fn about(test: &str) -> Vec<Found> {
    let (_, others) = split(test);
    others
}

/// The findings about tasks of the test that their runtime's end destroyed.
pub(crate) fn destroyed(test: &str) -> Vec<Found> {
    let (destroyed, _) = split(test);
    destroyed
}

/// The findings about the test: those of a runtime's end, and all others.
fn split(test: &str) -> (Vec<Found>, Vec<Found>) {
    all(test).into_iter().partition(|found| {
        matches!(
            found.family,
            Family::PendingDestroyed | Family::IdleDestroyed
        )
    })
}

fn all(test: &str) -> Vec<Found> {
    of(|found| found.site.type_name.contains(test))
}

/// All findings so far about what was made at this line of a file.
pub(crate) fn found_at(file: &str, line: u32) -> Vec<Found> {
    of(|found| found.site.line == line && found.site.file == file)
}

fn of(which: impl Fn(&Found) -> bool) -> Vec<Found> {
    // One drainer at a time: a ring has one reader.
    let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    for thread in thread::all() {
        thread.drain(|event| seen.push(Found::of(&event)));
    }
    seen.iter().filter(|found| which(found)).cloned().collect()
}

/// The one finding about the test; waits for it.
#[track_caller]
pub(crate) fn only(test: &str) -> Found {
    wait_until("a finding", || !about(test).is_empty());
    settled(test);
    let found = about(test);
    assert_eq!(found.len(), 1, "one finding: {found:#?}");
    found[0].clone()
}

/// That there is no finding about the test, once its tasks are over.
#[track_caller]
pub(crate) fn none(test: &str) {
    settled(test);
    let found = about(test);
    assert!(found.is_empty(), "no finding: {found:#?}");
}

/// How many tasks of the test have a record.
pub(crate) fn live(test: &str) -> usize {
    let mut live = 0;
    registry::tasks(|_, snapshot| {
        let site = site::get(snapshot.site);
        live += usize::from(
            site.kind != pollscope_capture::TaskKind::BlockOn && site.type_name.contains(test),
        );
    });
    live
}

/// Waits until no task of the test has a record any more: whatever is to tell of them is told before.
#[track_caller]
pub(crate) fn settled(test: &str) {
    wait_until("the end of the test's tasks", || live(test) == 0);
}

/// Waits for a condition.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let limit = Instant::now() + Duration::from_secs(10);
    while !done() {
        assert!(Instant::now() < limit, "{what}: not within 10 s");
        std::thread::yield_now();
    }
}

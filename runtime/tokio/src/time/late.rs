//! How late a timer fired, as its task sees it.
//!
//! A timer that fires wakes its task by the waker of its last poll. So the first poll of the task after that one comes
//! at the deadline, if nothing woke the task before: where it comes later and finds the timer elapsed, the task waited
//! for its worker. A task that was polled meanwhile, and had no time for its timer, is late by its own doing: then this
//! is not its first poll after that one, and nothing is said.
//!
//! Measured by the clock of the machine: where a test moves Tokio's clock, nobody was held.

use std::panic::Location;

use crate::capture::event::{Family, NoteText};
use crate::capture::level::{self, Level};
use crate::capture::registry::{self, Made};
use crate::capture::task::{self, PollHere};
use crate::capture::thread::Role;
use crate::capture::{TaskKind, clock};
use tokio::time::Instant;

use super::Sleep;
use crate::runtime::driving;

/// Whatever the threshold: Tokio's timers count milliseconds, and machines are busy.
const LEAST_NS: u64 = 10_000_000;

/// What is kept of one timer. Made below level debug it is nothing, and costs a test.
#[derive(Debug)]
pub(super) struct Watch {
    what: &'static str,
    made: Option<Made>,
    pending: Option<Pending>,
}

/// The last poll that found it pending.
#[derive(Clone, Copy, Debug)]
struct Pending {
    task: u64,
    poll: u64,
    /// The same moment, by the clock of the machine and by Tokio's.
    at_ns: u64,
    at: Instant,
}

impl Watch {
    /// Watches a timer that is made at `location`.
    pub(super) fn new(what: &'static str, location: &'static Location<'static>) -> Self {
        let debug = level::level() == Level::Debug && registry::is_started();
        Self {
            what,
            made: debug.then(|| registry::made::<Sleep>(location)),
            pending: None,
        }
    }

    /// Whether it is watched at all.
    pub(super) fn is_on(&self) -> bool {
        self.made.is_some()
    }

    /// The timer was set anew, or is not awaited any more.
    pub(super) fn forget(&mut self) {
        self.pending = None;
    }

    /// A poll found it pending.
    #[inline]
    pub(super) fn is_pending(&mut self) {
        if self.made.is_some() {
            self.pending = pending();
        }
    }

    /// A poll found it elapsed.
    #[inline]
    pub(super) fn has_elapsed(&mut self, deadline: Instant) {
        if let (Some(made), Some(pending)) = (self.made, self.pending.take()) {
            elapsed(self.what, made, pending, deadline);
        }
    }
}

fn pending() -> Option<Pending> {
    let here = task::poll_here().filter(|_| level::level() == Level::Debug)?;
    Some(Pending {
        task: here.task,
        poll: here.poll,
        at_ns: clock::mono_ns(),
        at: Instant::now(),
    })
}

fn elapsed(what: &'static str, made: Made, before: Pending, deadline: Instant) {
    let Some(here) = task::poll_here().filter(|_| level::level() == Level::Debug) else {
        return;
    };
    let left = deadline.saturating_duration_since(before.at);
    let due_ns = before
        .at_ns
        .saturating_add(u64::try_from(left.as_nanos()).unwrap_or(u64::MAX));
    let late_ns = clock::mono_ns().saturating_sub(due_ns);
    let threshold_ns = level::slow_poll_ns();
    let next = here.task == before.task && here.poll == before.poll + 1;
    if next && late_ns >= threshold_ns.max(LEAST_NS) && was_due(&here, due_ns) {
        registry::note(Family::TimerLate, made, None, || NoteText {
            what: what.to_owned(),
            ns: Some(late_ns),
            threshold_ns: Some(threshold_ns),
            ..NoteText::default()
        });
    }
}

/// Whether somebody was there to poll the task when the timer fired. What runs on a thread of its caller's rests while
/// the caller does something else, and a `LocalSet` while nobody awaits it.
fn was_due(here: &PollHere, due_ns: u64) -> bool {
    match (here.kind, here.role) {
        (TaskKind::BlockOn, _) | (TaskKind::Task, Role::Worker) => true,
        (TaskKind::Task, Role::Local) => driving::since_ns().is_some_and(|since| since <= due_ns),
        _ => false,
    }
}

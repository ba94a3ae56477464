//! Tasks whose runtime goes away before they have ended, as asyncio's "Task was destroyed but it is pending!".
//!
//! A program that ends leaves tasks behind, and most of them wait for work that will not come: that is how Tokio's
//! programs end, and no defect. So what had been polled is a note, and only a task that **never ran** is a finding: it
//! was given work, and the work was not even begun. Where the end is that of `main` or of a test, that is a note, too.

use super::note;
use crate::event::{Family, NoteText};
use crate::level::{self, Level};
use crate::protocol::sides::{ABORTED, READ};
use crate::record::{Outcome, Record, TaskKind};
use crate::runtimes::closing::{self, Way};
use crate::{panic, registry};

/// A task was dropped before its end, by a drop that began at `since` (ticks; `None`: as part of an unwinding). Tells of
/// it where its runtime goes away and nobody aborted it. Not of a part of another task, whose owner may drop it at any
/// time.
#[inline]
pub(crate) fn dropped(record: &Record, outcome: Outcome, since: Option<u64>) {
    // Not in a forked child, whose locks may be held by threads that it does not have.
    if level::level() != Level::Off
        && let Some(way) = closing::way_of(record.runtime())
        && !matches!(record.kind(), TaskKind::BlockOn | TaskKind::Request)
    {
        at_end(record, way, outcome, since);
    }
}

#[cold]
fn at_end(record: &Record, way: Way, outcome: Outcome, since: Option<u64>) {
    match (outcome, since) {
        (Outcome::Aborted, _) if record.sides.bits() & ABORTED == 0 => {
            let never_ran = record.polls() == 0 && !way.is_expected;
            pending(record, way, never_ran, way.how);
        }
        (Outcome::Panic, Some(since)) => panicked(record, way, since),
        _ => {}
    }
}

fn pending(record: &Record, way: Way, is_real: bool, did: &'static str) {
    let family = if is_real {
        Family::PendingDestroyed
    } else {
        Family::IdleDestroyed
    };
    note(record, family, way.at, || NoteText {
        did,
        count: Some(record.polls()),
        ..NoteText::default()
    });
}

/// The drop of a task at its runtime's end panicked, and nobody will be asked to join it.
fn panicked(record: &Record, way: Way, since: u64) {
    record.sides.mark(READ);
    note(record, Family::ShutdownPanic, way.at, || {
        let text = panic::unwound_drop(since).unwrap_or_default();
        NoteText {
            message: text.message,
            place: text.place,
            stack: text.stack,
            ..NoteText::default()
        }
    });
}

/// Tells of the tasks that are still being polled though their runtime's time to shut down is over: they will not be
/// polled again, and nobody waits for them any more.
pub fn still_polled(number: u16, way: Way) {
    if number == 0 || registry::is_off() {
        return;
    }
    registry::tasks(|record, task| {
        let polled = task.is_polled() && !task.is_done();
        if task.runtime != number || !polled || task.kind != TaskKind::Task {
            return;
        }
        // It may have ended since it was looked at, and another have its record.
        if record.id.get() == task.id {
            note(record, Family::PendingDestroyed, way.at, || NoteText {
                did: "still in a poll when the time to shut down was over",
                count: Some(task.polls()),
                ..NoteText::default()
            });
        }
    });
}

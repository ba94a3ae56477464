//! Panics of tasks: kept until somebody asks how the task ended, or nobody can any more.
//!
//! Only panics come here, so locks and maps are fine. What is kept is capped.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::finding;
use crate::event::{Detail, Event, Family, PanicText};
use crate::level::{self, Level};
use crate::protocol::sides::{IN_SET, READ};
use crate::record::Record;
use crate::{registry, thread};

/// How many panics wait at a time. Past it they are told without text.
const MAX_KEPT: usize = 4096;

/// Panics whose handle still lives, by our id.
static UNREAD: Kept<PanicText> = Kept(Mutex::new(None));
/// Panics of tasks in sets, by Tokio's id, until the set asks.
static IN_SETS: Kept<Event> = Kept(Mutex::new(None));

/// A capped map behind a lock.
struct Kept<T>(Mutex<Option<HashMap<u64, T>>>);

impl<T> Kept<T> {
    fn keep(&self, id: u64, what: T) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = kept.get_or_insert_default();
        if kept.len() < MAX_KEPT {
            kept.insert(id, what);
        }
    }

    fn take(&self, id: u64) -> Option<T> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.as_mut()?.remove(&id)
    }
}

/// A poll (or closure) of the task unwound; `text` is what the panic hook saw of it.
#[cold]
pub(crate) fn panicked(record: &Record, text: Option<PanicText>) {
    if level::level() == Level::Off {
        return;
    }
    if record.tokio_id.get() == 0 {
        record.tokio_id.set(registry::runtime_task_id());
    }
    UNREAD.keep(record.id.get(), text.unwrap_or_default());
}

/// The last holder of a task that panicked: told, unless somebody read it.
#[cold]
pub(super) fn settle(record: &Record, bits: u32) {
    let text = UNREAD.take(record.id.get()).unwrap_or_default();
    if bits & READ != 0 {
        return;
    }
    let event = finding(record, text.stack, Detail::Panic(Box::new(text)));
    if bits & IN_SET != 0 {
        IN_SETS.keep(record.tokio_id.get(), event);
    } else {
        tell(event);
    }
}

/// A set learnt that a task of its own panicked. `read`: its user did, too; else nobody will, and it is told.
pub fn set_panicked(tokio_id: u64, read: bool) {
    if let Some(event) = IN_SETS.take(tokio_id)
        && !read
    {
        tell(event);
    }
}

fn tell(event: Event) {
    thread::with(|local| {
        let tally = local.thread.tally_of(event.site);
        if tally.find(Family::LeakedPanic) {
            local.thread.tell(event);
        }
    });
}

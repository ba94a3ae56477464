//! Panics of tasks: kept until somebody asks how the task ended, or nobody can any more.
//!
//! Only panics come here, so locks and maps are fine. What is kept is capped.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::finding;
use crate::event::{Detail, Family, PanicText};
use crate::level::{self, Level};
use crate::protocol::sides::READ;
use crate::record::Record;
use crate::{backtrace, registry, thread};

/// How many panics wait at a time. Past it they are told without text.
const MAX_KEPT: usize = 4096;

/// Panics whose handle still lives, by our id.
static UNREAD: Mutex<Option<HashMap<u64, PanicText>>> = Mutex::new(None);

/// A poll (or closure) of the task unwound; `text` is what the panic hook saw of it.
#[cold]
pub(crate) fn panicked(record: &Record, text: Option<PanicText>) {
    if level::level() == Level::Off {
        return;
    }
    if record.tokio_id.get() == 0 {
        record.tokio_id.set(registry::runtime_task_id());
    }
    let mut unread = UNREAD.lock().unwrap_or_else(PoisonError::into_inner);
    let unread = unread.get_or_insert_default();
    if unread.len() < MAX_KEPT {
        unread.insert(record.id.get(), text.unwrap_or_default());
    }
}

/// The last holder of a task that panicked: told, unless somebody read it.
#[cold]
pub(super) fn settle(record: &Record, bits: u32) {
    let text = UNREAD
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .as_mut()
        .and_then(|unread| unread.remove(&record.id.get()))
        .unwrap_or_default();
    if bits & READ != 0 {
        return;
    }
    let event = finding(record, text.stack, Detail::Panic(Box::new(text)));
    thread::with(|local| {
        let tally = local.thread.tally_of(event.site);
        if !backtrace::is_own() && tally.find(Family::LeakedPanic) {
            local.thread.tell(event);
        }
    });
}

//! A task whose future is not in our hands: a library spawned it past us, and the runtime's hooks tell when it is made,
//! polled and gone. They tell neither what it returns nor who wakes it.

use std::panic::Location;

use super::seen::Seen;
use super::timed::Timed;
use crate::record::{Outcome, Record, TaskKind};
use crate::task::{self, Asks, Meta};
use crate::thread::{self, Thread};

/// In place of the type of a future that nobody showed us. An address of its own: sites are told apart by it.
const UNKNOWN_TYPE: &str = "(a library's task)";

/// Such a task, from its spawn to its end: dropped, it has ended.
#[derive(Debug)]
pub struct Hooked(&'static Record);

impl Hooked {
    /// A task was spawned at `location` on the runtime with this number, with this id of Tokio's. On the thread that
    /// spawns it. `None` at level off and when the table is full.
    pub fn born(location: &'static Location<'static>, runtime: u16, tokio_id: u64) -> Option<Self> {
        let meta = Meta {
            location,
            kind: TaskKind::Foreign,
            name: None,
            runtime,
            asks: Asks::Caller,
        };
        let record = task::born_as(UNKNOWN_TYPE, 0, &meta)?;
        record.tokio_id.set(tokio_id);
        Some(Self(record))
    }

    /// A poll of it begins on this thread. It must end there.
    pub fn poll_begins(&self) -> Option<HookedPoll> {
        let thread = thread::current()?;
        let timed = thread.is_debug().then(|| Timed::begin(self.0, thread));
        let start = timed.as_ref().map_or(0, |timed| timed.start);
        Some(HookedPoll {
            parts: Some((Seen::new(self.0, thread, start), timed)),
            record: self.0,
            thread,
        })
    }
}

impl Drop for Hooked {
    fn drop(&mut self) {
        // Nobody tells how: its outcome stays unknown.
        task::returned(self.0, Outcome::None);
        task::task_gone(self.0, true);
    }
}

/// A poll of such a task, between two hooks: dropped, it has ended.
#[derive(Debug)]
pub struct HookedPoll {
    parts: Option<(Seen, Option<Timed>)>,
    record: &'static Record,
    thread: &'static Thread,
}

impl Drop for HookedPoll {
    fn drop(&mut self) {
        if let Some((seen, timed)) = self.parts.take() {
            seen.end();
            if let Some(timed) = timed {
                timed.end(self.record, self.thread);
            }
        }
    }
}

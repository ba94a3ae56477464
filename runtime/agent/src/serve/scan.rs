//! The scan behind an update: counts all tasks, filters them, and keeps the window of the order that is asked for.
//!
//! Nothing is allocated per task, and nothing is kept of tasks outside the window: a row's sort key is 24 bytes,
//! at most twice the window's end is kept at a time, and the rest is cut off by a partial sort. Strings are made
//! later, for the rows that are sent.

use pollscope_capture::record::{Record, Snapshot};
use pollscope_capture::{TaskKind, registry};
use pollscope_proto::order::Order;

use super::fields::Task;
use super::view::View;
use super::world::World;
use crate::figures::TaskState;

/// Room for fewer rows than this is not worth saving.
const LEAST_ROOM: usize = 512;
/// Room for this many rows (1.5 MiB) is kept from one scan to the next.
const KEPT_ROOM: usize = 1 << 16;

/// A row of the window: who it is and where it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    /// Smaller comes first, whatever the direction.
    rank: u64,
    /// Never reused, so the record can be asked later whether it is still this task.
    id: u64,
    record: &'static Record,
}

impl Key {
    fn place(&self) -> (u64, u64) {
        (self.rank, self.id)
    }

    /// The task as it is now; `None` when it is gone.
    pub(super) fn read(&self) -> Option<(&'static Record, Snapshot)> {
        self.record
            .read()
            .filter(|task| task.id == self.id)
            .map(|task| (self.record, task))
    }
}

/// All tasks, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) running: u64,
    pub(super) scheduled: u64,
    pub(super) idle: u64,
    pub(super) unpolled: u64,
    pub(super) done: u64,
    pub(super) blocking: u64,
    /// Those that pass the view.
    pub(super) matched: u64,
}

impl Counts {
    /// Tasks that have not ended.
    pub(super) fn live(&self) -> u64 {
        self.running + self.scheduled + self.idle + self.unpolled
    }

    fn count(&mut self, task: &Snapshot) -> TaskState {
        let state = TaskState::of(task);
        *match state {
            TaskState::Running => &mut self.running,
            TaskState::Scheduled => &mut self.scheduled,
            TaskState::Idle => &mut self.idle,
            TaskState::Unpolled => &mut self.unpolled,
            TaskState::Done => &mut self.done,
        } += 1;
        if task.kind == TaskKind::Blocking && state != TaskState::Done {
            self.blocking += 1;
        }
        state
    }
}

/// The buffers of scans, kept from one to the next.
#[derive(Debug, Default)]
pub(super) struct Scan {
    pub(super) world: World,
    kept: Vec<Key>,
}

impl Scan {
    /// Scans all tasks around a world that has been looked at. The window's rows, in order.
    pub(super) fn run(&mut self, view: &View) -> (Counts, Vec<Key>) {
        if view.order == Order::Name && view.limit > 0 {
            self.world.rank_names();
        }
        self.kept.clear();
        let (world, kept) = (&self.world, &mut self.kept);
        let mut counts = Counts::default();
        let mut window = Window {
            end: if view.limit == 0 {
                0
            } else {
                view.offset + view.limit
            },
            last: None,
        };
        registry::tasks(|record, snapshot| {
            let state = counts.count(&snapshot);
            if (state == TaskState::Done && !view.done)
                || view.site.is_some_and(|site| site != snapshot.site)
            {
                return;
            }
            let task = Task::new(record, &snapshot, world);
            if !view.filter.matches(&task) {
                return;
            }
            counts.matched += 1;
            if window.end > 0 {
                let rank = directed(task.rank(view.order), view.descending);
                window.keep(
                    kept,
                    Key {
                        rank,
                        id: snapshot.id,
                        record,
                    },
                );
            }
        });
        window.cut(kept);
        let rows = sorted_from(kept, view.offset);
        // One client's wide window must not stay with us for ever.
        if kept.capacity() > KEPT_ROOM {
            kept.truncate(KEPT_ROOM);
            kept.shrink_to(KEPT_ROOM);
        }
        (counts, rows)
    }
}

/// What was not measured comes last in both directions.
fn directed(rank: Option<u64>, descending: bool) -> u64 {
    const LAST: u64 = u64::MAX;
    match rank {
        None => LAST,
        Some(rank) if descending => (LAST - 1) - rank.min(LAST - 1),
        Some(rank) => rank.min(LAST - 1),
    }
}

/// The first `end` keys of the order, out of any number.
struct Window {
    end: usize,
    /// Nothing behind this can be in the window any more.
    last: Option<(u64, u64)>,
}

impl Window {
    fn keep(&mut self, kept: &mut Vec<Key>, key: Key) {
        if self.last.is_some_and(|last| key.place() >= last) {
            return;
        }
        kept.push(key);
        if kept.len() >= (2 * self.end).max(LEAST_ROOM) {
            self.cut(kept);
        }
    }

    fn cut(&mut self, kept: &mut Vec<Key>) {
        if kept.len() > self.end && self.end > 0 {
            let (_, last, _) = kept.select_nth_unstable_by_key(self.end - 1, Key::place);
            self.last = Some(last.place());
            kept.truncate(self.end);
        }
    }
}

/// The keys from the window's start on, sorted; those before it are only put aside.
fn sorted_from(kept: &mut [Key], start: usize) -> Vec<Key> {
    if start >= kept.len() {
        return Vec::new();
    }
    if start > 0 {
        kept.select_nth_unstable_by_key(start, Key::place);
    }
    let mut rows = kept[start..].to_vec();
    rows.sort_unstable_by_key(Key::place);
    rows
}

#[cfg(test)]
mod tests;

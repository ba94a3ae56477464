//! What is known of some tasks and has no room in their records: labels, and the span that they were made in.
//!
//! Kept by id until the task's last holder leaves: `EXTRAS` in its sides says that there is something to forget. What is
//! kept is capped, all together; past that a task goes without. Locks are short, and of the one or the other sixteenth
//! of all tasks.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::level::{self, Level};
use crate::names::cut;
use crate::protocol::sides::EXTRAS;
use crate::record::Record;
use crate::thread::{self, Thread};

/// Labels of one task.
pub const MAX_LABELS: usize = 16;
/// Longest key kept of a label, in bytes.
const LONGEST_KEY: usize = 64;
/// Longest value of a label.
const LONGEST_VALUE: usize = 256;
/// Longest text kept of a span, in bytes.
pub const LONGEST_SPAN: usize = 256;
/// Bytes of one shard, about.
const MAX_BYTES: usize = 1 << 20;
/// What a task, or a label, takes beside its text.
const OVERHEAD: usize = 96;
const SHARDS: usize = 16;

/// What is known of one task.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extras {
    /// The `tracing` span that it was made in; empty: none.
    pub span: Box<str>,
    /// Key and value, in the order in which they came.
    pub labels: Vec<(Box<str>, Box<str>)>,
}

#[derive(Debug, Default)]
struct Shard {
    by_id: Option<HashMap<u64, Arc<Extras>>>,
    bytes: usize,
}

static SHARED: [Mutex<Shard>; SHARDS] = [const {
    Mutex::new(Shard {
        by_id: None,
        bytes: 0,
    })
}; SHARDS];

fn shard(id: u64) -> MutexGuard<'static, Shard> {
    let shard = &SHARED[id as usize % SHARDS];
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Extras {
    fn bytes(&self) -> usize {
        let label = |(key, value): &(Box<str>, Box<str>)| key.len() + value.len() + OVERHEAD;
        self.span.len() + self.labels.iter().map(label).sum::<usize>() + OVERHEAD
    }

    fn set(&mut self, key: &str, value: &str) -> bool {
        let is_full = self.labels.len() == MAX_LABELS;
        match self.labels.iter_mut().find(|(known, _)| **known == *key) {
            Some((_, known)) => *known = value.into(),
            None if is_full => return false,
            None => self.labels.push((key.into(), value.into())),
        }
        true
    }
}

/// Puts a label on the task that is polled here, the innermost: `key=value`, or a key alone. A key that is there already
/// gets the new value. Keys are cut at 64 bytes, values at 256.
///
/// False, and nothing is done: outside of any poll, at level off, past sixteen labels of one task, without a key, and
/// where there is no room for more.
pub fn label(text: &str) -> bool {
    let Some(record) = thread::current_if_known().and_then(Thread::current_record) else {
        return false;
    };
    let (key, value) = text.split_once('=').unwrap_or((text, ""));
    let (key, value) = (
        cut(key.trim(), LONGEST_KEY),
        cut(value.trim(), LONGEST_VALUE),
    );
    !key.is_empty() && keep(record, |extras| extras.set(key, value))
}

/// Notes the span that a task was made in.
#[cold]
pub(crate) fn keep_span(record: &Record, span: &str) {
    keep(record, |extras| {
        extras.span = cut(span, LONGEST_SPAN).into();
        true
    });
}

/// Changes what is known of a task. Whoever calls has the task's side of its record.
fn keep(record: &Record, change: impl FnOnce(&mut Extras) -> bool) -> bool {
    // A forked child: the lock may be held by a thread that does not exist here.
    if level::level() == Level::Off {
        return false;
    }
    let id = record.id.get();
    let mut shard = shard(id);
    let Shard { by_id, bytes } = &mut *shard;
    let by_id = by_id.get_or_insert_default();
    let known = by_id.get(&id);
    let before = known.map_or(0, |extras| extras.bytes());
    let mut extras = known.map(|extras| (**extras).clone()).unwrap_or_default();
    if !change(&mut extras) {
        return false;
    }
    let after = *bytes - before + extras.bytes();
    if after > MAX_BYTES {
        return false;
    }
    *bytes = after;
    by_id.insert(id, Arc::new(extras));
    drop(shard);
    // Behind the entry: whoever sees the bit finds it, and takes it out.
    record.sides.mark(EXTRAS);
    true
}

/// The task has no holder any more.
#[cold]
pub(super) fn forget(id: u64) {
    let mut shard = shard(id);
    let gone = shard.by_id.as_mut().and_then(|by_id| by_id.remove(&id));
    if let Some(gone) = gone {
        shard.bytes -= gone.bytes();
    }
}

/// What is known of the task with this id, while its record lives.
pub fn extras(id: u64) -> Option<Arc<Extras>> {
    shard(id).by_id.as_ref()?.get(&id).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_one_value_and_a_task_so_many_keys() {
        let mut extras = Extras::default();
        for number in 0..MAX_LABELS {
            assert!(extras.set(&format!("key{number}"), "1"));
        }
        assert!(!extras.set("one more", "1"));
        assert!(extras.set("key3", "2"));
        assert_eq!(extras.labels.len(), MAX_LABELS);
        assert_eq!(extras.labels[3], ("key3".into(), "2".into()));
    }

    #[test]
    fn what_is_kept_is_bounded_and_given_back() {
        // One shard, with ids that no task has.
        let record = |number: u64| {
            let record = Record::default();
            record.id.set((1 << 52) + number * SHARDS as u64 + 5);
            record
        };
        let value = "x".repeat(LONGEST_VALUE);
        let kept = (0..)
            .map(record)
            .take_while(|record| keep(record, |extras| extras.set("key", &value)))
            .inspect(|record| assert_ne!(record.sides.bits() & EXTRAS, 0))
            .collect::<Vec<_>>();
        let bound = MAX_BYTES / LONGEST_VALUE;
        assert!((bound / 4..bound).contains(&kept.len()), "{}", kept.len());
        assert!(shard(kept[0].id.get()).bytes <= MAX_BYTES);
        for record in &kept {
            forget(record.id.get());
        }
        let left = shard(kept[0].id.get()).bytes;
        assert!(left < MAX_BYTES / 2, "{left}");
        assert!(extras(kept[0].id.get()).is_none());
    }
}

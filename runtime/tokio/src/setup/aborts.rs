//! What can abort a task by our id. Kept only where the program's rights include it (`POLLSCOPE_RIGHTS=abort`): an
//! `AbortHandle` keeps the task's cell in memory, and most programs never need it.
//!
//! An entry is made by the spawner, who holds the record by its share, and taken out when the record's last holder
//! leaves: the spawner's share comes before that, so an entry cannot be made too late, and none is left behind.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::capture::task::HandleShare;
use tokio::task::AbortHandle;

use super::ids::IdHasher;

/// Set before the first spawn, and read by all: Relaxed is enough for a task or two at the change.
static WANTED: AtomicBool = AtomicBool::new(false);
/// The program said something of it: the environment is not asked.
static SAID: AtomicBool = AtomicBool::new(false);

type Shard = Mutex<Option<HashMap<u64, AbortHandle, BuildHasherDefault<IdHasher>>>>;
/// A power of two: workers spawn and end tasks at the same time.
const SHARDS: usize = 16;
static HANDLES: [Shard; SHARDS] = [const { Mutex::new(None) }; SHARDS];

/// Whether tasks are to be kept.
#[inline]
pub(crate) fn wanted() -> bool {
    WANTED.load(Ordering::Relaxed)
}

/// Whether tasks can be aborted by our id, from now on. What was said first holds.
#[cfg(any(feature = "serve", test))]
pub(super) fn say(wanted: bool) {
    if !SAID.swap(true, Ordering::Relaxed) {
        WANTED.store(wanted, Ordering::Relaxed);
    }
}

/// What the environment says of it, where the program said nothing.
pub(super) fn read_env() {
    let rights = std::env::var("POLLSCOPE_RIGHTS").unwrap_or_default();
    if !SAID.load(Ordering::Relaxed) && rights.trim().eq_ignore_ascii_case("abort") {
        WANTED.store(true, Ordering::Relaxed);
    }
}

/// Keeps what aborts the task of this share.
#[cold]
pub(crate) fn keep(share: &HandleShare, abort: AbortHandle) {
    // Before the bit is set: whoever sees the bit finds the entry.
    if share.id() != 0 {
        shard(share.id())
            .get_or_insert_with(HashMap::default)
            .insert(share.id(), abort);
        share.mark_listed();
    }
}

/// The task's record has no holder any more.
pub(super) fn forget(id: u64) {
    let abort = shard(id).as_mut().and_then(|handles| handles.remove(&id));
    // Dropped when the lock is open again: it may be the last hold on the task's cell.
    drop(abort);
}

/// Aborts the task with this id of ours; false where it is not known: over, or spawned before this was wanted.
pub(super) fn abort(id: u64) -> bool {
    let abort = shard(id)
        .as_ref()
        .and_then(|handles| handles.get(&id).cloned());
    abort.is_some_and(|abort| {
        let runs = !abort.is_finished();
        abort.abort();
        runs
    })
}

fn shard(
    id: u64,
) -> MutexGuard<'static, Option<HashMap<u64, AbortHandle, BuildHasherDefault<IdHasher>>>> {
    // Threads take ids in blocks of 16: neighbours in one block go to one shard, blocks to different ones.
    HANDLES[(id / 16) as usize % SHARDS]
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::task;

    fn kept() -> usize {
        (0..SHARDS)
            .map(|number| shard(number as u64 * 16).as_ref().map_or(0, HashMap::len))
            .sum()
    }

    fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
        let limit = Instant::now() + Duration::from_secs(10);
        while !done() {
            assert!(Instant::now() < limit, "{what}: not within 10 s");
            std::thread::yield_now();
        }
    }

    // One test: the table is the process's, and so is the wish to have it.
    #[test]
    fn tasks_are_aborted_by_our_id_and_leave_nothing() {
        say(true);
        let runtime = crate::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .build()
            .expect("a runtime");

        // Aborted while it waits.
        let stuck = runtime.spawn(std::future::pending::<()>());
        let id = stuck.pollscope_id();
        assert_eq!(kept(), 1);
        assert!(abort(id));
        assert!(
            runtime
                .block_on(stuck)
                .expect_err("it was aborted")
                .is_cancelled()
        );
        wait_until("the aborted task is forgotten", || kept() == 0);
        assert!(!abort(id), "it is over");

        // Ended before, while and after its entry was made, joined or detached.
        runtime.block_on(async {
            let mut set = task::JoinSet::new();
            for n in 0..500 {
                let handle = task::spawn(async move { n });
                if n % 2 == 0 {
                    assert_eq!(handle.await.expect("it ends"), n);
                }
                set.spawn(async move { n });
                task::spawn_blocking(move || n);
            }
            set.join_all().await;
        });
        wait_until("all are forgotten", || kept() == 0);
    }
}

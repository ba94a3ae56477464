//! Tasks that libraries spawn past us, where the runtime tells of them: under `--cfg tokio_unstable`.
//!
//! The hooks tell of our own tasks, too. Those are told apart at their spawn, which is ours and on the same thread, and
//! are not in the table: what the hooks say of them later finds nothing there. While a library's task lives, each poll of
//! any task costs a look into the table; while none does, one load.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::runtime::TaskMeta;

use crate::capture::instrumented::{Hooked, HookedPoll};
use crate::capture::level::{self, Level};
use crate::setup::ids;

/// Parts of the table, so that workers seldom meet: a power of two.
const PARTS: usize = 64;

type Part = Mutex<Option<HashMap<u64, Hooked>>>;

static TASKS: [Part; PARTS] = [const { Mutex::new(None) }; PARTS];
/// How many there are in all parts.
static COUNT: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// Whether what is spawned on this thread right now is a task of ours.
    static BY_US: Cell<bool> = const { Cell::new(false) };
    /// The library's task that is polled here, by Tokio's id.
    static POLLED: RefCell<Option<(u64, HookedPoll)>> = const { RefCell::new(None) };
}

/// While this is held, what this thread spawns is a task of ours.
#[derive(Debug)]
pub(crate) struct ByUs(());

impl ByUs {
    #[inline]
    pub(crate) fn begin() -> Self {
        let _ = BY_US.try_with(|by_us| by_us.set(true));
        Self(())
    }
}

impl Drop for ByUs {
    #[inline]
    fn drop(&mut self) {
        let _ = BY_US.try_with(|by_us| by_us.set(false));
    }
}

/// A task was spawned, on this thread. Once for each spawn of ours: what the program's own hook spawns is not ours.
pub(super) fn spawned(task: &TaskMeta<'_>, runtime: u16) {
    if BY_US.try_with(|by_us| by_us.replace(false)) != Ok(false) {
        return;
    }
    let id = ids::of_task(task.id());
    // At level off, and so in a forked child, there is none.
    if let Some(hooked) = Hooked::born(task.spawned_at(), runtime, id) {
        COUNT.fetch_add(1, Ordering::Relaxed);
        part(id).get_or_insert_default().insert(id, hooked);
    }
}

/// A poll of a task begins here.
#[inline]
pub(super) fn poll_begins(task: &TaskMeta<'_>) {
    if is_any() {
        begin(ids::of_task(task.id()));
    }
}

fn begin(id: u64) {
    let poll = match part(id).as_ref().and_then(|tasks| tasks.get(&id)) {
        Some(hooked) => hooked.poll_begins(),
        None => return,
    };
    if let Some(poll) = poll {
        let _ = POLLED.try_with(|polled| polled.replace(Some((id, poll))));
    }
}

/// The poll that ran here has ended.
#[inline]
pub(super) fn poll_ends() {
    if is_any() {
        let _ = POLLED.try_with(RefCell::take);
    }
}

/// A task has ended, on whatever thread: inside of its last poll, where it has returned.
pub(super) fn ended(task: &TaskMeta<'_>) {
    if !is_any() {
        return;
    }
    let id = ids::of_task(task.id());
    let hooked = part(id).as_mut().and_then(|tasks| tasks.remove(&id));
    let Some(hooked) = hooked else {
        return;
    };
    let _ = POLLED.try_with(|polled| drop(polled.borrow_mut().take_if(|(of, _)| *of == id)));
    COUNT.fetch_sub(1, Ordering::Relaxed);
    drop(hooked);
}

/// Whether one lives. Not in a forked child: a lock of the table may be held by a thread that does not exist there.
#[inline]
fn is_any() -> bool {
    COUNT.load(Ordering::Relaxed) != 0 && level::level() != Level::Off
}

/// The part of the table that a task is in. Held for a look, never while the program's code runs.
fn part(id: u64) -> MutexGuard<'static, Option<HashMap<u64, Hooked>>> {
    // Ids count up.
    let part = &TASKS[id as usize % PARTS];
    part.lock().unwrap_or_else(PoisonError::into_inner)
}

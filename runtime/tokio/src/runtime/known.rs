//! Runtimes by number: ours get one when they are built, others when a handle of theirs is first seen.

use std::cell::Cell;
use std::sync::{Arc, OnceLock};

use crate::capture::level::{self, Level};
use crate::capture::{runtimes, thread};
use tokio::runtime::{Handle, RuntimeFlavor};

use super::enter;
use crate::setup::ids;

/// A runtime on the list, until this is dropped.
#[derive(Debug)]
pub(crate) struct Registration {
    number: u16,
    /// The list holds a weak one: a handle kept for longer than the runtime would keep its file descriptors open.
    handle: Arc<OnceLock<Handle>>,
}

impl Registration {
    /// Puts a runtime on the list that is about to be built: its threads want to know its number when they start.
    pub(crate) fn reserve(name: Option<&str>, flavor: &'static str, workers: u32) -> Self {
        let handle = Arc::new(OnceLock::<Handle>::new());
        let number = if level::level() == Level::Off {
            0
        } else {
            runtimes::add(name, flavor, workers, 0, alive(&handle))
        };
        Self { number, handle }
    }

    /// The runtime was built, with a blocking pool of so many threads at most (0: not known).
    pub(crate) fn complete(&self, handle: &Handle, blocking_threads: u32) {
        if self.number != 0 {
            let workers = handle.metrics().num_workers() as u32;
            let key = ids::of_runtime(handle.id());
            runtimes::complete(self.number, key, workers, blocking_threads);
            let _ = self.handle.set(handle.clone());
        }
    }

    /// Puts the runtime that this thread is in on the list, where it is somebody else's: its tasks are counted for as
    /// long as this is held.
    pub(crate) fn of_current() -> Option<Self> {
        let handle = Handle::try_current().ok()?;
        if level::level() == Level::Off {
            return None;
        }
        let key = ids::of_runtime(handle.id());
        if runtimes::all().iter().any(|runtime| runtime.key == key) {
            return None;
        }
        let cell = Arc::new(OnceLock::new());
        let number = runtimes::add(
            handle.name(),
            flavor(&handle),
            workers(&handle),
            key,
            alive(&cell),
        );
        let _ = cell.set(handle);
        Some(Self {
            number,
            handle: cell,
        })
    }

    /// The runtime's number; 0 at level off and when there are too many.
    pub(crate) fn number(&self) -> u16 {
        self.number
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        if self.number != 0 {
            runtimes::remove(self.number);
        }
    }
}

fn alive(handle: &Arc<OnceLock<Handle>>) -> Arc<dyn Fn() -> Option<u64> + Send + Sync> {
    let handle = Arc::downgrade(handle);
    Arc::new(move || {
        let handle = handle.upgrade()?;
        Some(
            handle
                .get()
                .map_or(0, |handle| handle.metrics().num_alive_tasks() as u64),
        )
    })
}

fn flavor(handle: &Handle) -> &'static str {
    match handle.runtime_flavor() {
        RuntimeFlavor::CurrentThread => "current_thread",
        _ => "multi_thread",
    }
}

fn workers(handle: &Handle) -> u32 {
    handle.metrics().num_workers() as u32
}

thread_local! {
    /// The last runtime this thread asked for: key and number, and the round of numbers that this is of.
    static LAST: Cell<(u64, u16, u32)> = const { Cell::new((0, 0, 0)) };
}

/// The number of the runtime behind a handle of Tokio's; 0 at level off and when there are too many.
pub(crate) fn of_handle(handle: &Handle) -> u16 {
    if level::level() == Level::Off {
        return 0;
    }
    let (key, round) = (ids::of_runtime(handle.id()), runtimes::round());
    // While the thread ends there is no memory of the last: ask the list.
    match LAST.try_with(Cell::get) {
        Ok((last, number, of)) if (last, of) == (key, round) => number,
        _ => ask(handle, key, round),
    }
}

#[cold]
fn ask(handle: &Handle, key: u64, round: u32) -> u16 {
    // How many tasks live in a runtime that is not ours cannot be told without holding a handle of it.
    let number = runtimes::meet(handle.name(), flavor(handle), workers(handle), key);
    let _ = LAST.try_with(|last| last.set((key, number, round)));
    number
}

/// The number of the runtime this thread works for, for a spawn that names none; 0: as the thread's slot says.
#[inline]
pub(crate) fn of_this_thread() -> u16 {
    if level::level() == Level::Off {
        return 0;
    }
    match thread::current() {
        Some(thread) if thread.runtime() == 0 || enter::is_any_held() => of_current(),
        _ => 0,
    }
}

/// On a thread that none of our runtimes made, or that entered one: it may be in another by the next spawn, so Tokio is
/// asked each time.
#[inline(never)]
fn of_current() -> u16 {
    Handle::try_current().map_or(0, |handle| of_handle(&handle))
}

#[cfg(all(test, feature = "capture"))]
mod tests {
    use super::*;

    #[test]
    fn others_leave_room_for_ours() {
        crate::setup::ensure_started();
        let mut numbers = Vec::new();
        for _ in 0..300 {
            let plain = tokio::runtime::Builder::new_current_thread()
                .build()
                .expect("a runtime");
            numbers.push(of_handle(plain.handle()));
        }
        let ours = Registration::reserve(Some("beside-many"), "current_thread", 1);
        assert_ne!(ours.number(), 0);
        numbers.push(ours.number());
        let known = numbers.len();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), known, "each has a number of its own");
    }
}

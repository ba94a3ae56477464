//! Which thread runs which of a runtime's workers, where Tokio tells: from 1.54 on.
//!
//! `block_in_place` hands a worker's core to a thread of the pool. Who had it before is known here from when that thread
//! last parked, so that of two workers that do not park the one that gave its core away is told from the one that hangs.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::capture::thread::{self, Thread};

/// By the worker's number, the thread that runs it; 0: not known.
#[derive(Debug, Default)]
pub(super) struct Cores(OnceLock<Box<[AtomicU64]>>);

impl Cores {
    /// How many there are. To be asked on a thread of the runtime; 0 elsewhere.
    pub(super) fn number(&self) -> usize {
        self.all().len()
    }

    /// Whether this thread is known to run the worker that it runs, or which one that is cannot be known.
    #[inline]
    pub(super) fn has(&self, thread: &Thread) -> bool {
        let Some(core) = core_here() else { return true };
        let holder = self.all().get(core);
        holder.is_none_or(|holder| holder.load(Ordering::Relaxed) == id(thread))
    }

    /// This thread runs a worker, as it says itself. Which thread that worker had before, where another is known.
    pub(super) fn take(&self, thread: &Thread) -> Option<&'static Thread> {
        let mine = core_here()?;
        let id = id(thread);
        for (core, holder) in self.all().iter().enumerate() {
            if core != mine {
                // What it had before that has another thread by now.
                let _ = holder.compare_exchange(id, 0, Ordering::Relaxed, Ordering::Relaxed);
            }
        }
        let before = self.all().get(mine)?.swap(id, Ordering::Relaxed);
        thread::all().find(|other| before != id && before != 0 && self::id(other) == before)
    }

    /// Whether this thread is known to run one: nobody was seen to run that one since.
    pub(super) fn is_held_by(&self, thread: &Thread) -> bool {
        let id = id(thread);
        let mut all = self.all().iter();
        all.any(|holder| holder.load(Ordering::Relaxed) == id)
    }

    fn all(&self) -> &[AtomicU64] {
        if let Some(all) = self.0.get() {
            return all;
        }
        match tokio::runtime::Handle::try_current() {
            Ok(handle) => self.0.get_or_init(|| {
                let all = 0..handle.metrics().num_workers();
                all.map(|_| AtomicU64::new(0)).collect()
            }),
            Err(_) => &[],
        }
    }
}

/// A thread and no later one in its slot.
fn id(thread: &Thread) -> u64 {
    u64::from(thread.tid()) << 32 | u64::from(thread.number())
}

/// Which worker of its runtime this thread runs.
#[cfg_attr(
    not(test),
    expect(
        clippy::wildcard_imports,
        reason = "Tokio's function is taken where it has one, and else the one below"
    )
)]
fn core_here() -> Option<usize> {
    #[allow(unused_imports, reason = "an older Tokio has none")]
    use tokio::runtime::*;
    worker_index()
}

/// In place of Tokio's, which a stable Tokio has from 1.54 on.
#[allow(dead_code, reason = "an older Tokio's")]
fn worker_index() -> Option<usize> {
    None
}

#[cfg(all(test, feature = "capture"))]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    /// A thread that lives until what comes with it is dropped.
    fn a_thread() -> (&'static Thread, impl Sized) {
        let (tell, told) = channel();
        let (keep, kept) = channel::<()>();
        let thread = std::thread::spawn(move || {
            tell.send(thread::current().expect("a slot"))
                .expect("it waits");
            let _ = kept.recv();
        });
        (told.recv().expect("it tells"), (keep, thread))
    }

    #[test]
    fn a_core_has_one_thread_and_a_thread_one_core() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime");
        // On the one thread of such a runtime, the worker is 0.
        runtime.block_on(async {
            let Some(core) = core_here() else { return };
            assert_eq!(core, 0);
            let cores = Cores(OnceLock::from(Box::from([7, 0].map(AtomicU64::new))));
            assert_eq!(cores.number(), 2);
            let ((one, _lives), (other, _lives_too)) = (a_thread(), a_thread());
            assert!(!cores.has(one) && !cores.is_held_by(one));
            assert!(cores.take(one).is_none(), "whoever it was has ended");
            assert!(cores.has(one) && cores.is_held_by(one));
            assert!(cores.take(one).is_none(), "it was itself");
            let before = cores.take(other).expect("another had it");
            assert!(std::ptr::eq(before, one));
            assert!(!cores.is_held_by(one) && cores.has(other));
            // It had another one before.
            cores.all()[1].store(id(one), Ordering::Relaxed);
            assert!(cores.take(one).is_some());
            assert_eq!(cores.all()[1].load(Ordering::Relaxed), 0);
        });
    }
}

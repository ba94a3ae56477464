//! What a thread brings along so that others can look at it.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use super::files::{self, Kept, SyscallFile};
use super::procfs::Look;
use super::{elf, procfs, unwind};
#[cfg(target_arch = "x86_64")]
use crate::stack::Missed;
use crate::stack::{Marks, Sample};

/// One thread, as it registered itself: enough to look at it from another.
///
/// Holds one file descriptor, while few threads do: the first, up to a sixteenth of what the process may open. Stays valid,
/// and says `Missed::Gone` after the thread ended.
#[derive(Debug)]
pub struct ThreadHandle {
    tid: i32,
    syscall: Option<Kept>,
    stack: Range<u64>,
    root: Option<u64>,
    marks: Marks,
    registered: bool,
}

impl ThreadHandle {
    /// Opens the calling thread. Call [`init`](super::init) before.
    ///
    /// Costs some 30 µs: opens a file, asks for the stack's range and walks the stack once to its root, the
    /// place every later walk of this thread must end at. Takes no lock after the first call. On the main thread the C library reads
    /// `/proc/self/maps` for it.
    pub fn current(marks: Marks) -> Self {
        super::init();
        let tid = procfs::current_tid();
        let root = unwind::root();
        if let Some(root) = root {
            remember_root(root);
        }
        Self {
            tid,
            syscall: files::keep(tid),
            stack: unwind::stack_range().unwrap_or(0..0),
            root,
            marks,
            registered: true,
        }
    }

    /// A thread that did not register. Its stack's range and its root are not known.
    pub(super) fn stranger(tid: i32) -> Self {
        Self {
            tid,
            syscall: None,
            stack: 0..u64::MAX,
            root: None,
            marks: Marks::none(),
            registered: false,
        }
    }

    /// The kernel's thread id.
    pub fn tid(&self) -> i32 {
        self.tid
    }

    /// Looks at the thread's scheduler state: three small files, some 15 µs. Does not disturb the thread.
    pub fn sample(&self) -> Sample {
        self.look().sample
    }

    /// What the thread publishes about itself.
    pub fn marks(&self) -> Marks {
        self.marks
    }

    pub(super) fn look(&self) -> Look {
        procfs::look(self.tid, self.syscall().as_deref())
    }

    pub(super) fn is_registered(&self) -> bool {
        self.registered
    }

    /// The file of the thread's system call: the one that is kept, or opened for this look.
    pub(super) fn syscall(&self) -> Option<SyscallFile<'_>> {
        files::of(self.tid, self.syscall.as_ref())
    }

    /// The part of the thread's stack at and above `sp`.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn stack_from(&self, sp: u64) -> Result<Range<u64>, Missed> {
        if self.stack.contains(&sp) {
            Ok(sp..self.stack.end)
        } else {
            Err(Missed::ForeignStack)
        }
    }

    /// The whole stack, if its range is known.
    pub(super) fn known_stack(&self) -> Option<Range<u64>> {
        self.registered.then(|| self.stack.clone())
    }

    /// Whether a walk of this thread may end with the return address `last`.
    ///
    /// A thread that registered has one answer. Of a stranger only this is known: threads start in the same few
    /// places.
    pub(super) fn is_root(&self, last: u64) -> bool {
        match self.root {
            Some(root) => root == last,
            None => {
                ROOTS
                    .iter()
                    .any(|root| root.load(Ordering::Relaxed) == last)
                    || is_entry(last)
            }
        }
    }
}

/// Where the walks of registered threads ended: a handful of addresses, mostly one (`clone3`).
static ROOTS: [AtomicU64; 8] = [const { AtomicU64::new(0) }; 8];

/// Keeps a root for threads that have none of their own. More than eight different ones: the first stay.
fn remember_root(root: u64) {
    for known in &ROOTS {
        match known.compare_exchange(0, root, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => return,
            Err(held) if held == root => return,
            Err(_) => {}
        }
    }
}

/// Whether this lies in the few instructions of `_start`, where the main thread begins.
fn is_entry(at: u64) -> bool {
    let entry = elf::entry();
    entry != 0 && (entry..entry + 64).contains(&at)
}

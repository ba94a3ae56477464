//! Which threads' system call files are kept open, and which are opened for each look.
//!
//! One that is kept can be read after the process gave up its rights (`setuid`, `PR_SET_DUMPABLE`), when it could not be
//! opened any more. But descriptors are the program's: a blocking pool may have 512 threads, and a service with 512 open
//! connections too many is one that refuses the next. So the first threads have one each, which are the workers, and
//! all of them together no more than a sixteenth of what the process may open.

use std::fs::File;
use std::ops::Deref;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::procfs;

/// Files kept open at most, whatever the process may open.
const MOST: usize = 128;
/// The part of the process's descriptors that we may hold.
const SHARE: usize = 16;

static HELD: AtomicUsize = AtomicUsize::new(0);

/// A file that is kept open, and counted.
#[derive(Debug)]
pub(super) struct Kept(File);

impl Drop for Kept {
    fn drop(&mut self) {
        HELD.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The file for one look.
pub(super) enum SyscallFile<'a> {
    Kept(&'a File),
    Opened(File),
}

impl Deref for SyscallFile<'_> {
    type Target = File;

    fn deref(&self) -> &File {
        match self {
            Self::Kept(file) => file,
            Self::Opened(file) => file,
        }
    }
}

/// Opens a thread's file to be kept; `None` where enough are, and where the kernel refuses.
pub(super) fn keep(tid: i32) -> Option<Kept> {
    let most = most();
    HELD.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |held| {
        (held < most).then_some(held + 1)
    })
    .ok()?;
    let file = procfs::open_syscall(tid);
    if file.is_none() {
        HELD.fetch_sub(1, Ordering::Relaxed);
    }
    file.map(Kept)
}

/// The file of a thread, which may have one that is kept.
pub(super) fn of(tid: i32, kept: Option<&Kept>) -> Option<SyscallFile<'_>> {
    match kept {
        Some(kept) => Some(SyscallFile::Kept(&kept.0)),
        None => procfs::open_syscall(tid).map(SyscallFile::Opened),
    }
}

/// Asked once: a limit that grows later changes nothing for us.
fn most() -> usize {
    static LIMIT: OnceLock<usize> = OnceLock::new();
    *LIMIT.get_or_init(|| share_of(procfs::descriptors()))
}

fn share_of(limit: u64) -> usize {
    usize::try_from(limit).map_or(MOST, |limit| (limit / SHARE).min(MOST))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stack::linux::procfs::InKernel;

    #[test]
    fn the_programs_descriptors_stay_the_programs() {
        assert_eq!(share_of(1024), 64);
        assert_eq!(share_of(256), 16);
        assert_eq!(share_of(0), 0);
        assert_eq!(share_of(u64::MAX), MOST);
    }

    #[test]
    fn a_file_that_is_not_kept_is_opened_for_the_look() {
        procfs::init();
        let tid = procfs::current_tid();
        let opened = of(tid, None).expect("our own");
        assert!(matches!(opened, SyscallFile::Opened(_)));
        // Of itself a thread sees the very call that reads.
        let seen = procfs::in_kernel(&opened);
        assert!(
            matches!(seen, InKernel::Running | InKernel::Asleep(_)),
            "{seen:?}"
        );
        let kept = keep(tid).expect("there is room");
        let shown = of(tid, Some(&kept)).expect("the one that is kept");
        assert!(matches!(shown, SyscallFile::Kept(_)));
    }
}

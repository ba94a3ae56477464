//! The few calls into the system that our threads need.
//!
//! Protocol: every call passes valid pointers to locals.
#![expect(
    unsafe_code,
    reason = "signal masks, priorities and poll have no safe form in std"
)]

use std::os::fd::{AsRawFd, BorrowedFd};

/// Blocks all signals for as long as it lives, so that a thread spawned meanwhile starts with none of the
/// program's signals on it.
#[derive(Debug)]
pub(crate) struct SignalsBlocked(libc::sigset_t);

impl SignalsBlocked {
    pub(crate) fn new() -> Self {
        // SAFETY: both sets are locals that the calls fill; a zeroed set is a valid value to overwrite.
        unsafe {
            let mut all: libc::sigset_t = std::mem::zeroed();
            let mut before: libc::sigset_t = std::mem::zeroed();
            libc::sigfillset(&raw mut all);
            libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut before);
            Self(before)
        }
    }
}

impl Drop for SignalsBlocked {
    fn drop(&mut self) {
        // SAFETY: the set was filled by `new`; null: the present one is not asked for.
        unsafe {
            libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.0, std::ptr::null_mut())
        };
    }
}

/// Blocks all signals on this thread for good.
pub(crate) fn block_signals() {
    std::mem::forget(SignalsBlocked::new());
}

/// Lets others go first on the CPU. For this thread only, where the system can do that.
///
/// Not the least there is: whoever allocates holds locks that are the whole process's, the allocator's and the kernel's of
/// its memory, and one that gets no CPU for 100 ms while it does holds up the program's threads for as long.
#[cfg(feature = "symbols")]
pub(crate) fn low_priority() {
    #[cfg(target_os = "linux")]
    // SAFETY: no pointers. On Linux priority is a thread's, and `who` 0 is the calling one.
    unsafe {
        libc::setpriority(libc::PRIO_PROCESS, 0, 10);
    }
}

/// Has `last` called when the program ends by `exit` or by returning from `main`.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn at_exit(last: fn(status: Option<i32>)) {
    static LAST: std::sync::OnceLock<fn(Option<i32>)> = std::sync::OnceLock::new();
    extern "C" fn call() {
        if let Some(last) = LAST.get() {
            last(None);
        }
    }
    let _ = LAST.set(last);
    // SAFETY: a static function that takes nothing and does not unwind.
    let _ = unsafe { libc::atexit(call) };
}

/// Has `last` called, with the exit status, when the program ends by `exit` or by returning from `main`.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) fn at_exit(last: fn(status: Option<i32>)) {
    static LAST: std::sync::OnceLock<fn(Option<i32>)> = std::sync::OnceLock::new();
    unsafe extern "C" {
        fn on_exit(
            call: extern "C" fn(libc::c_int, *mut libc::c_void),
            data: *mut libc::c_void,
        ) -> libc::c_int;
    }
    extern "C" fn call(status: libc::c_int, _: *mut libc::c_void) {
        if let Some(last) = LAST.get() {
            last(Some(status));
        }
    }
    let _ = LAST.set(last);
    // SAFETY: as glibc declares it; a static function that does not unwind and looks at no data.
    let _ = unsafe { on_exit(call, std::ptr::null_mut()) };
}

/// Ends the program with this status, from within what `at_exit` had called.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) fn exit_with(status: i32) -> ! {
    // SAFETY: no preconditions. glibc's `exit` may be called again from what it calls (`__run_exit_handlers` is made
    // for that): the handlers that are left run, and the last status holds.
    unsafe { libc::exit(status) }
}

/// Ends the program with this status, from within what `at_exit` had called: handlers registered earlier do not run,
/// since `exit` within `exit` is not defined everywhere.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn exit_with(status: i32) -> ! {
    // SAFETY: a null stream means all; then no preconditions.
    unsafe {
        libc::fflush(std::ptr::null_mut());
        libc::_exit(status)
    }
}

/// Whether a line can be written to this descriptor without waiting: not to a pipe that nobody empties, nor to a
/// terminal that is halted.
pub(crate) fn takes_a_line(fd: BorrowedFd<'_>) -> bool {
    let mut ready = libc::pollfd {
        fd: fd.as_raw_fd(),
        events: libc::POLLOUT,
        revents: 0,
    };
    // SAFETY: one valid entry, and no time to wait.
    let found = unsafe { libc::poll(&raw mut ready, 1, 0) };
    found == 1 && ready.revents == libc::POLLOUT
}

/// The user this process acts as.
pub(crate) fn uid() -> u32 {
    // SAFETY: geteuid has no preconditions and cannot fail.
    unsafe { libc::geteuid() }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn what_is_full_or_closed_takes_no_line() {
        let (from, mut to) = UnixStream::pair().expect("a pair");
        assert!(takes_a_line(to.as_fd()));
        to.set_nonblocking(true).expect("a mode");
        while to.write(&[b'x'; 4096]).is_ok() {}
        assert!(!takes_a_line(to.as_fd()), "nobody reads");
        drop(from);
        assert!(!takes_a_line(to.as_fd()), "nobody ever will");
    }
}

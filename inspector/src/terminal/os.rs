//! Calls of the C library that have no safe form here: local time, and stopping ourselves.
//!
//! Protocol: `localtime_r` writes only the `tm` it is given; `sigaction` reads and writes only the structures it is
//! given, and what it had is put back before anything else runs on this thread; `raise` takes a number.
#![expect(unsafe_code, reason = "libc calls")]

use std::io;
use std::mem::MaybeUninit;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::app::TimeOfDay;

/// What a clock on the wall shows here.
pub fn time_of_day() -> TimeOfDay {
    let since_epoch = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let seconds = libc::time_t::try_from(since_epoch.as_secs()).unwrap_or_default();
    let mut fields = MaybeUninit::<libc::tm>::zeroed();
    // SAFETY: both point to live values of the right types, and all-zero bytes are a valid `tm`, which is what
    // remains if the call fails.
    let fields = unsafe {
        libc::localtime_r(&raw const seconds, fields.as_mut_ptr());
        fields.assume_init()
    };
    TimeOfDay {
        hour: fields.tm_hour as u8,
        minute: fields.tm_min as u8,
        second: fields.tm_sec as u8,
    }
}

/// Stops this process, as Ctrl-Z does. Returns when it is continued; at once where nobody could continue it.
///
/// By the default action of SIGTSTP, which we otherwise handle to give the terminal back first. Not by SIGSTOP: that
/// also stops a process that no shell waits for (the only command of a tmux window), and nothing brings it back.
pub fn stop() -> io::Result<()> {
    let mut handler = MaybeUninit::<libc::sigaction>::zeroed();
    let mut default = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: all-zero bytes are a valid `sigaction`; both structures are live. `raise` delivers the signal to this
    // thread before it returns, so the handler is back only after the stop.
    unsafe {
        (*default.as_mut_ptr()).sa_sigaction = libc::SIG_DFL;
        check(libc::sigaction(
            libc::SIGTSTP,
            default.as_ptr(),
            handler.as_mut_ptr(),
        ))?;
        let stopped = check(libc::raise(libc::SIGTSTP));
        check(libc::sigaction(
            libc::SIGTSTP,
            handler.as_ptr(),
            std::ptr::null_mut(),
        ))?;
        stopped
    }
}

fn check(result: libc::c_int) -> io::Result<()> {
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_day_is_one() {
        let now = time_of_day();
        assert!(now.hour < 24 && now.minute < 60 && now.second < 61);
        assert_eq!(now.to_string().len(), 8);
    }
}

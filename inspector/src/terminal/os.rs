//! Two calls of the C library that have no safe form here: local time, and stopping ourselves.
//!
//! Protocol: `localtime_r` writes only the `tm` it is given; `kill` takes plain numbers.
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

/// Stops this process, as Ctrl-Z does. Returns when it is continued.
///
/// SIGSTOP and not SIGTSTP: we handle that one ourselves, to give the terminal back first.
pub fn stop() -> io::Result<()> {
    // SAFETY: no memory is involved.
    let result = unsafe { libc::kill(libc::getpid(), libc::SIGSTOP) };
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

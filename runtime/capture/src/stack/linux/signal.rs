//! Asking a running thread for its stack, by a signal.
#![expect(
    unsafe_code,
    reason = "installs a signal handler and sends a signal with a value to one thread"
)]
//!
//! Only for threads on a CPU: a signal ends `nanosleep`, `poll` and reads with a time-out early, with `EINTR`, even
//! under `SA_RESTART`. A thread on a CPU is in no such call.
//!
//! Protocol:
//! * one real-time signal, found free (default action, not blocked) when first needed. A handler that somebody
//!   put there later is respected: before each signal ours is checked to be still in place;
//! * the handler unwinds nothing. It copies registers, the thread's marks and at most 64 KiB of its stack into
//!   the one [`Buffer`] and returns. It calls no function of another crate, so it allocates nothing, takes no
//!   lock, leaves `errno` alone, needs a few hundred bytes of stack beside what the kernel puts there, and touches
//!   no thread-local storage;
//! * the signal carries the request's token. One that comes late, or from somebody else, does nothing;
//! * a thread that blocks the signal, or gets no CPU in time, is given up. The signal may stay pending: late, see
//!   above.

use std::ffi::{c_int, c_void};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use super::buffer::{Buffer, Copied, Progress};
use super::thread::ThreadHandle;
use crate::stack::Missed;

/// How long a thread may take to begin, and to copy. It runs, so mostly this is microseconds; but its time slice
/// may just have ended.
const PATIENCE: Duration = Duration::from_millis(50);

static BUFFER: Buffer = Buffer::new();
/// One request at a time. Only ever taken by threads that capture, never in the handler.
static TURN: Mutex<()> = Mutex::new(());
static SIGNAL: OnceLock<Option<c_int>> = OnceLock::new();

/// The head of `siginfo_t` for a queued signal, as the kernel lays it out on 64-bit machines.
#[repr(C)]
struct Queued {
    signo: c_int,
    errno: c_int,
    code: c_int,
    pad: c_int,
    pid: libc::pid_t,
    uid: libc::uid_t,
    value: u64,
    rest: [u64; 12],
}

const _: () = assert!(size_of::<Queued>() == size_of::<libc::siginfo_t>());

/// Installs the handler if that was not done yet. The signal's number, or `None` if none is free.
pub(super) fn install() -> Option<c_int> {
    *SIGNAL.get_or_init(|| {
        // From the top: programs that use real-time signals themselves mostly count from the bottom.
        (libc::SIGRTMIN()..libc::SIGRTMAX())
            .rev()
            .find(|signal| is_free(*signal) && set_handler(*signal))
    })
}

fn is_free(signal: c_int) -> bool {
    // SAFETY: both calls only fill what they are given.
    unsafe {
        let mut blocked: libc::sigset_t = std::mem::zeroed();
        // Blocked here means that somebody waits for it in another way (`signalfd`, `sigwait`).
        libc::pthread_sigmask(libc::SIG_BLOCK, std::ptr::null(), &raw mut blocked);
        current_action(signal).is_some_and(|action| action.sa_sigaction == libc::SIG_DFL)
            && libc::sigismember(&raw const blocked, signal) == 0
    }
}

fn current_action(signal: c_int) -> Option<libc::sigaction> {
    // SAFETY: a null new action only reads the old one.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        (libc::sigaction(signal, std::ptr::null(), &raw mut action) == 0).then_some(action)
    }
}

fn set_handler(signal: c_int) -> bool {
    // SAFETY: the handler has the type `SA_SIGINFO` asks for and keeps to what a handler may do, see above.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART | libc::SA_ONSTACK;
        // Nothing nests on top of it: its stack use stays what it is.
        libc::sigfillset(&raw mut action.sa_mask);
        libc::sigaction(signal, &raw const action, std::ptr::null_mut()) == 0
    }
}

fn is_ours(signal: c_int) -> bool {
    current_action(signal).is_some_and(|a| a.sa_sigaction == handler as *const () as usize)
}

extern "C" fn handler(_signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: the kernel passes both, valid while this runs.
    unsafe {
        let queued = info.cast::<Queued>();
        if (*queued).code == libc::SI_QUEUE {
            let context = super::arch::interrupted(context);
            BUFFER.fill((*queued).value, &context);
        }
    }
}

fn send(signal: c_int, tid: i32, token: u64) -> Result<(), Missed> {
    // SAFETY: plain values; the kernel reads one `siginfo_t`.
    let sent = unsafe {
        let pid = libc::getpid();
        let info = Queued {
            signo: signal,
            errno: 0,
            code: libc::SI_QUEUE,
            pad: 0,
            pid,
            uid: libc::getuid(),
            value: token,
            rest: [0; 12],
        };
        libc::syscall(
            libc::SYS_rt_tgsigqueueinfo,
            pid,
            tid,
            signal,
            &raw const info,
        )
    };
    match sent {
        0 => Ok(()),
        _ if std::io::Error::last_os_error().raw_os_error() == Some(libc::ESRCH) => {
            Err(Missed::Gone)
        }
        _ => Err(Missed::Running),
    }
}

/// Has the thread copy its own stack, and reads the copy. Waits up to 100 ms, mostly some 50 µs.
pub(super) fn ask<T>(handle: &ThreadHandle, read: impl FnOnce(&Copied) -> T) -> Result<T, Missed> {
    let signal = install()
        .filter(|signal| is_ours(*signal))
        .ok_or(Missed::Running)?;
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    // Of a stranger's stack the end is not known, so nothing of it is copied: registers only.
    let stack = handle.known_stack().unwrap_or(0..0);
    let token = BUFFER.ask(&stack, handle.marks()).ok_or(Missed::Silent)?;
    if let Err(missed) = send(signal, handle.tid(), token) {
        BUFFER.give_up(token);
        return Err(missed);
    }
    let begun = Instant::now();
    let mut pause = Duration::from_micros(5);
    loop {
        match BUFFER.progress(token) {
            Progress::Done => return BUFFER.take(token, read).ok_or(Missed::Silent),
            Progress::Pending if begun.elapsed() > PATIENCE => {
                if BUFFER.give_up(token) {
                    return Err(Missed::Silent);
                }
            }
            Progress::Copying if begun.elapsed() > 2 * PATIENCE => return Err(Missed::Silent),
            Progress::Pending | Progress::Copying => {}
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_micros(200));
    }
}

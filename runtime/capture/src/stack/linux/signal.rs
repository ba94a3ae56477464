//! Asking a running thread for its stack, by a signal it gets only while it runs.
#![expect(
    unsafe_code,
    reason = "installs a signal handler, and timers that signal one thread"
)]
//!
//! A signal ends `nanosleep`, `poll` and reads with a time-out early, with `EINTR`, even under `SA_RESTART`. Looking
//! first whether the thread runs is not enough: between the look and the signal it may fall asleep, and on a busy
//! machine it does (a test caught it). So the signal is not sent. A timer on the thread's *own CPU clock* is set
//! instead, due at once: the kernel finds it expired in a clock tick that the thread itself is running in, and
//! delivers on the way back to user code (by task work, since Linux 5.11). A thread asleep uses no CPU time and
//! gets nothing. The price: up to one tick, 1 to 10 ms, before the handler runs.
//!
//! Protocol:
//! * one real-time signal, found free (default action, not blocked) when first needed. A handler that somebody
//!   put there later is respected: before each timer ours is checked to be still in place;
//! * the handler unwinds nothing. It copies registers, the thread's marks and at most 64 KiB of its stack into
//!   the one [`Buffer`] and returns. It calls no function of another crate, so it allocates nothing, takes no
//!   lock, leaves `errno` alone, needs a few hundred bytes of stack beside what the kernel puts there, and touches
//!   no thread-local storage;
//! * the signal carries the request's token. One that comes late, or from somebody else, does nothing;
//! * a thread that blocks the signal, or gets no CPU in time, is given up, and one that fell asleep meanwhile at
//!   once. Deleting the timer takes a pending signal with it; if not, late, see above.

use std::ffi::{c_int, c_void};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use super::buffer::{Buffer, Copied, Progress};
use super::procfs::{self, InKernel};
use super::thread::ThreadHandle;
use crate::stack::Missed;

/// How long a thread may take to begin, and to copy. It runs, so mostly this is the rest of a tick; but its time
/// slice may just have ended.
const PATIENCE: Duration = Duration::from_millis(50);
/// How often it is looked whether the thread fell asleep instead.
const LOOK: Duration = Duration::from_millis(2);

static BUFFER: Buffer = Buffer::new();
/// One request at a time. Only ever taken by threads that capture, never in the handler.
static TURN: Mutex<()> = Mutex::new(());
static SIGNAL: OnceLock<Option<c_int>> = OnceLock::new();

/// The head of `siginfo_t` for a timer's signal, as the kernel lays it out on 64-bit machines.
#[repr(C)]
struct FromTimer {
    signo: c_int,
    errno: c_int,
    code: c_int,
    pad: c_int,
    timer: c_int,
    overrun: c_int,
    value: u64,
    rest: [u64; 12],
}

const _: () = assert!(size_of::<FromTimer>() == size_of::<libc::siginfo_t>());

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
        let info = info.cast::<FromTimer>();
        if (*info).code == libc::SI_TIMER {
            let context = super::arch::interrupted(context);
            BUFFER.fill((*info).value, &context);
        }
    }
}

/// A timer on one thread's CPU clock. System calls, not the C library's wrappers: those allocate.
struct Timer(c_int);

impl Timer {
    /// Due as soon as the thread has used any CPU time at all.
    fn due_at_once(signal: c_int, tid: i32, token: u64) -> Result<Self, Missed> {
        // SAFETY: the kernel reads one `sigevent` and writes one id; then reads one `itimerspec`.
        unsafe {
            let mut event: libc::sigevent = std::mem::zeroed();
            event.sigev_notify = libc::SIGEV_THREAD_ID;
            event.sigev_signo = signal;
            event.sigev_value.sival_ptr = token as *mut c_void;
            event.sigev_notify_thread_id = tid;
            let mut id: c_int = 0;
            let clock = procfs::cpu_clock(tid);
            let made = libc::syscall(libc::SYS_timer_create, clock, &raw const event, &raw mut id);
            if made != 0 {
                // Mostly the thread has ended; if not, there will be no other way either.
                return Err(Missed::Running);
            }
            let timer = Self(id);
            let mut due: libc::itimerspec = std::mem::zeroed();
            due.it_value.tv_nsec = 1;
            let none: *mut libc::itimerspec = std::ptr::null_mut();
            let set = libc::syscall(libc::SYS_timer_settime, id, 0, &raw const due, none);
            if set == 0 {
                Ok(timer)
            } else {
                Err(Missed::Gone)
            }
        }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        // SAFETY: made by `due_at_once`, deleted once.
        unsafe { libc::syscall(libc::SYS_timer_delete, self.0) };
    }
}

/// Has the thread copy its own stack, and reads the copy. Waits for a tick, up to 100 ms if need be.
pub(super) fn ask<T>(handle: &ThreadHandle, read: impl FnOnce(&Copied) -> T) -> Result<T, Missed> {
    let signal = install()
        .filter(|signal| is_ours(*signal))
        .ok_or(Missed::Running)?;
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    // Of a stranger's stack the end is not known, so nothing of it is copied: registers only.
    let stack = handle.known_stack().unwrap_or(0..0);
    let token = BUFFER.ask(&stack, handle.marks()).ok_or(Missed::Silent)?;
    let timer = Timer::due_at_once(signal, handle.tid(), token).inspect_err(|_| {
        BUFFER.give_up(token);
    })?;
    let waited = wait(handle, token);
    drop(timer);
    waited?;
    BUFFER.take(token, read).ok_or(Missed::Silent)
}

/// Returns once the copy is there, or once the request was taken back.
fn wait(handle: &ThreadHandle, token: u64) -> Result<(), Missed> {
    let own = handle.tid() == procfs::current_tid();
    let begun = Instant::now();
    let mut looked = begun;
    let mut pause = Duration::from_micros(20);
    loop {
        let now = Instant::now();
        match BUFFER.progress(token) {
            Progress::Done => return Ok(()),
            Progress::Copying if now - begun > 2 * PATIENCE => return Err(Missed::Silent),
            Progress::Pending if now - begun > PATIENCE => {
                if BUFFER.give_up(token) {
                    return Err(Missed::Silent);
                }
            }
            // A thread that looks at itself would find itself in the call that looks.
            Progress::Pending if !own && now - looked > LOOK => {
                looked = now;
                if is_asleep(handle) && BUFFER.give_up(token) {
                    return Err(Missed::Changed);
                }
            }
            Progress::Pending | Progress::Copying => {}
        }
        // Waiting for oneself only works awake.
        if !own {
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_micros(300));
        }
    }
}

fn is_asleep(handle: &ThreadHandle) -> bool {
    let found = handle.syscall().map(|file| procfs::in_kernel(&file));
    matches!(found, Some(InKernel::Asleep(_) | InKernel::Gone))
}

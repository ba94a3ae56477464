//! The one buffer a signal handler copies a stack into, and who may touch it when.
#![expect(
    unsafe_code,
    reason = "memory that two threads take turns with; the state word says whose turn it is"
)]
//!
//! Protocol. One word holds {token, phase}. Every request has a fresh token, and the signal carries it.
//!
//! ```text
//!           ask (watchdog)          begin (handler)           finish (handler)
//!   IDLE ───────────────▶ ARMED ───────────────▶ WRITING ───────────────▶ DONE
//!    ▲                      │ give_up (watchdog)                           │
//!    └──────────────────────┴──────────────────────────── take (watchdog) ─┘
//! ```
//!
//! * The request's fields belong to the watchdog in IDLE and are read by the handler in WRITING.
//! * The copy belongs to the handler in WRITING and to the watchdog in DONE.
//! * `begin` and `give_up` race for ARMED by compare-exchange on the whole word: exactly one wins. A late signal
//!   finds another token or another phase and touches nothing.
//! * A watchdog that finds WRITING after its patience ended must not take the buffer back: it leaves it, and the
//!   next `ask` succeeds once that handler has finished.
//!
//! Every transition is Release on the way in and Acquire on the way out, so what one side wrote before its
//! transition the other side sees after its own. There is nothing else to order, which is what makes it small
//! enough to model.

use std::cell::UnsafeCell;
use std::ops::Range;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

use super::arch::Context;
use crate::stack::{MarkValues, Marks};

/// The most stack that is copied.
pub(super) const STACK_BYTES: usize = 64 << 10;

const IDLE: u64 = 0;
const ARMED: u64 = 1;
const WRITING: u64 = 2;
const DONE: u64 = 3;
const PHASE: u64 = 3;

pub(super) struct Buffer {
    /// Token in the upper bits, phase in the lowest two.
    state: AtomicU64,
    /// Written in IDLE, read in WRITING. Atomic so that the order of the state word is all they need.
    stack_low: AtomicU64,
    stack_top: AtomicU64,
    seq: AtomicPtr<AtomicU64>,
    task: AtomicPtr<AtomicU64>,
    copy: UnsafeCell<Copied>,
}

// SAFETY: `copy` is only touched by whoever the state word names, see the protocol; the rest is atomic.
unsafe impl Sync for Buffer {}

/// What the handler leaves behind.
pub(super) struct Copied {
    pub(super) context: Context,
    pub(super) marks: MarkValues,
    /// How much of `stack` is filled.
    pub(super) len: usize,
    /// Whether the thread's stack was larger.
    pub(super) cut: bool,
    stack: [u8; STACK_BYTES],
}

impl Copied {
    /// The bytes from the stack pointer up.
    pub(super) fn stack(&self) -> &[u8] {
        self.stack.get(..self.len).unwrap_or(&[])
    }
}

/// What the watchdog finds after waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// The signal was not handled yet.
    Pending,
    /// The handler is copying.
    Copying,
    /// The copy is there.
    Done,
}

impl Buffer {
    #[expect(clippy::large_stack_arrays, reason = "it is the value of a static")]
    pub(super) const fn new() -> Self {
        Self {
            state: AtomicU64::new(IDLE),
            stack_low: AtomicU64::new(0),
            stack_top: AtomicU64::new(0),
            seq: AtomicPtr::new(ptr::null_mut()),
            task: AtomicPtr::new(ptr::null_mut()),
            copy: UnsafeCell::new(Copied {
                context: Context {
                    pc: 0,
                    sp: 0,
                    fp: 0,
                    lr: 0,
                },
                marks: MarkValues { seq: 0, task: 0 },
                len: 0,
                cut: false,
                stack: [0; STACK_BYTES],
            }),
        }
    }

    /// Watchdog: IDLE → ARMED. Returns the token for the signal, or `None` while a late handler still writes or
    /// another request is under way. Only one thread may ask at a time; `signal` has a lock for that.
    pub(super) fn ask(&self, stack: &Range<u64>, marks: Marks) -> Option<u64> {
        let now = self.state.load(Ordering::Acquire);
        // DONE here is a copy nobody waited for: its handler finished after the watchdog had gone.
        if now & PHASE != IDLE && now & PHASE != DONE {
            return None;
        }
        self.stack_low.store(stack.start, Ordering::Relaxed);
        self.stack_top.store(stack.end, Ordering::Relaxed);
        self.seq
            .store(ptr::from_ref(marks.seq).cast_mut(), Ordering::Relaxed);
        self.task
            .store(ptr::from_ref(marks.task).cast_mut(), Ordering::Relaxed);
        let token = (now >> 2) + 1;
        self.state.store(token << 2 | ARMED, Ordering::Release);
        Some(token)
    }

    /// Handler: ARMED → WRITING, copy, → DONE. Does nothing for any token but the armed one.
    ///
    /// Makes no call out of this crate: no allocation, no lock, no errno to save.
    #[expect(clippy::inline_always, reason = "the handler has little stack")]
    #[inline(always)]
    pub(super) fn fill(&self, token: u64, context: &Context) {
        let armed = token << 2 | ARMED;
        let writing = token << 2 | WRITING;
        if self
            .state
            .compare_exchange(armed, writing, Ordering::Acquire, Ordering::Relaxed)
            .is_err()
        {
            return;
        }
        let (low, top) = (
            self.stack_low.load(Ordering::Relaxed),
            self.stack_top.load(Ordering::Relaxed),
        );
        let (seq, task) = (
            self.seq.load(Ordering::Relaxed),
            self.task.load(Ordering::Relaxed),
        );
        // A stack pointer outside of the thread's own stack (a fibre, a handler's stack): nothing is known to be
        // mapped there, so nothing is copied. The program counter alone is still true.
        let there = if (low..top).contains(&context.sp) {
            (top - context.sp) as usize
        } else {
            0
        };
        let len = if there > STACK_BYTES {
            STACK_BYTES
        } else {
            there
        };
        let copy = self.copy.get();
        // SAFETY: WRITING makes the copy this handler's alone. `seq` and `task` come from `&'static` references.
        // `sp..sp + len` lies between this thread's own stack pointer and its stack's top: mapped, and nobody
        // else writes there.
        unsafe {
            (*copy).context = *context;
            (*copy).marks = MarkValues {
                seq: (*seq).load(Ordering::Relaxed),
                task: (*task).load(Ordering::Relaxed),
            };
            (*copy).len = len;
            (*copy).cut = there > len;
            copy_bytes(
                context.sp as *const u8,
                (&raw mut (*copy).stack).cast(),
                len,
            );
        }
        self.state.store(token << 2 | DONE, Ordering::Release);
    }

    /// Watchdog: how far the request is.
    pub(super) fn progress(&self, token: u64) -> Progress {
        match self.state.load(Ordering::Acquire) {
            state if state == token << 2 | DONE => Progress::Done,
            state if state == token << 2 | WRITING => Progress::Copying,
            _ => Progress::Pending,
        }
    }

    /// Watchdog: ARMED → IDLE. False if the handler was faster: then the copy is there, or soon will be.
    pub(super) fn give_up(&self, token: u64) -> bool {
        self.state
            .compare_exchange(
                token << 2 | ARMED,
                token << 2 | IDLE,
                Ordering::AcqRel,
                Ordering::Acquire,
            )
            .is_ok()
    }

    /// Watchdog: reads the copy, then DONE → IDLE. `None` if it is not there.
    pub(super) fn take<T>(&self, token: u64, read: impl FnOnce(&Copied) -> T) -> Option<T> {
        if self.state.load(Ordering::Acquire) != token << 2 | DONE {
            return None;
        }
        // SAFETY: DONE makes the copy the watchdog's, Acquire makes it visible, and no handler begins before
        // the next `ask`.
        let result = read(unsafe { &*self.copy.get() });
        self.state.store(token << 2 | IDLE, Ordering::Release);
        Some(result)
    }
}

/// Copies without calling anything: `memcpy` may be bound lazily, by code that needs more stack than a handler
/// has.
///
/// # Safety
/// `from` must be readable and `to` writable for `len` bytes, and they must not overlap.
#[cfg(target_arch = "x86_64")]
#[expect(clippy::inline_always, reason = "the handler has little stack")]
#[inline(always)]
unsafe fn copy_bytes(from: *const u8, to: *mut u8, len: usize) {
    // SAFETY: by the caller. The direction flag is clear on entry to a signal handler.
    unsafe {
        std::arch::asm!(
            "rep movsb",
            inout("rcx") len => _,
            inout("rsi") from => _,
            inout("rdi") to => _,
            options(nostack, preserves_flags),
        );
    }
}

/// # Safety
/// `from` must be readable and `to` writable for `len` bytes, and they must not overlap.
#[cfg(not(target_arch = "x86_64"))]
#[expect(clippy::inline_always, reason = "the handler has little stack")]
#[inline(always)]
unsafe fn copy_bytes(from: *const u8, to: *mut u8, len: usize) {
    let mut at = 0;
    while at < len {
        // SAFETY: by the caller. Volatile keeps the loop from becoming a call of `memcpy`.
        unsafe { to.add(at).write_volatile(from.add(at).read_volatile()) };
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(stack: &[u8]) -> Context {
        Context {
            pc: 7,
            sp: stack.as_ptr() as u64,
            fp: 8,
            lr: 9,
        }
    }

    fn range(stack: &[u8]) -> Range<u64> {
        let bounds = stack.as_ptr_range();
        bounds.start as u64..bounds.end as u64
    }

    #[test]
    #[cfg(not(miri))]
    fn a_request_is_filled_once_and_read_once() {
        let buffer = Box::new(Buffer::new());
        let stack = [5u8; 100];
        let token = buffer.ask(&range(&stack), Marks::none()).unwrap();
        assert_eq!(buffer.progress(token), Progress::Pending);
        assert_eq!(buffer.ask(&range(&stack), Marks::none()), None);
        buffer.fill(token, &context(&stack));
        assert_eq!(buffer.progress(token), Progress::Done);
        let read = |copied: &Copied| (copied.stack().to_vec(), copied.context.pc, copied.cut);
        assert_eq!(buffer.take(token, read), Some((vec![5; 100], 7, false)));
        assert_eq!(buffer.take(token, read), None);
    }

    #[test]
    #[cfg(not(miri))]
    fn a_late_signal_writes_nothing() {
        let buffer = Box::new(Buffer::new());
        let (old, new) = ([1u8; 64], [2u8; 64]);
        let late = buffer.ask(&range(&old), Marks::none()).unwrap();
        assert!(buffer.give_up(late));
        buffer.fill(late, &context(&old));
        let token = buffer.ask(&range(&new), Marks::none()).unwrap();
        assert_ne!(token, late);
        buffer.fill(late, &context(&old));
        assert_eq!(buffer.progress(token), Progress::Pending);
        buffer.fill(token, &context(&new));
        assert!(!buffer.give_up(token), "the handler was faster");
        buffer.fill(late, &context(&old));
        let read = |copied: &Copied| copied.stack()[0];
        assert_eq!(buffer.take(token, read), Some(2));
    }

    #[test]
    #[cfg(not(miri))]
    fn a_stack_pointer_elsewhere_copies_nothing_but_the_registers() {
        let buffer = Box::new(Buffer::new());
        let (mine, other) = ([1u8; 64], [2u8; 64]);
        let token = buffer.ask(&range(&mine), Marks::none()).unwrap();
        buffer.fill(token, &context(&other));
        let read = |copied: &Copied| (copied.len, copied.context.pc);
        assert_eq!(buffer.take(token, read), Some((0, 7)));
    }

    #[test]
    #[cfg(not(miri))]
    fn a_large_stack_is_cut_and_says_so() {
        let buffer = Box::new(Buffer::new());
        let stack = vec![3u8; STACK_BYTES + 1];
        let token = buffer.ask(&range(&stack), Marks::none()).unwrap();
        buffer.fill(token, &context(&stack));
        let read = |copied: &Copied| (copied.stack().len(), copied.cut);
        assert_eq!(buffer.take(token, read), Some((STACK_BYTES, true)));
    }

    #[test]
    #[cfg(not(miri))]
    fn handler_and_watchdog_that_race_never_share_the_copy() {
        let buffer: &Buffer = Box::leak(Box::new(Buffer::new()));
        let stack: &'static [u8] = Box::leak(Box::new([6u8; 256]));
        let (current, stop) = (&AtomicU64::new(0), &AtomicU64::new(0));
        let (mut read, mut given_up) = (0, 0);
        std::thread::scope(|scope| {
            scope.spawn(move || {
                while stop.load(Ordering::Relaxed) == 0 {
                    let token = current.load(Ordering::Acquire);
                    let mut context = context(stack);
                    context.pc = token;
                    buffer.fill(token, &context);
                    std::thread::yield_now();
                }
            });
            while read < 100 || given_up < 5 {
                let Some(token) = buffer.ask(&range(stack), Marks::none()) else {
                    continue;
                };
                // Each other time the signal is late.
                if token % 2 == 0 {
                    current.store(token, Ordering::Release);
                    std::thread::yield_now();
                }
                if buffer.give_up(token) {
                    current.store(token, Ordering::Release);
                    given_up += 1;
                    continue;
                }
                while buffer.progress(token) != Progress::Done {
                    std::thread::yield_now();
                }
                let pc = buffer.take(token, |copied| copied.context.pc);
                assert_eq!(pc, Some(token));
                read += 1;
            }
            stop.store(1, Ordering::Relaxed);
        });
    }
}

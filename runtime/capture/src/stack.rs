//! Stacks: where a task was created, and where a thread is stuck right now.
//!
//! Two ways in. [`capture`] walks the calling thread's own stack (0.3 µs for 32 frames) and [`intern()`] turns the
//! result into four bytes. [`Live`] looks at *another* thread: at one asleep in the kernel without touching it
//! (the peek), at one on a CPU by a signal that only arrives there and whose handler only copies. [`Verdict`] says what such a thread is
//! doing, from two scheduler samples.
//!
//! A frame, wherever one appears here, is an address **inside the call instruction**, or the program counter
//! itself: it can be given to [`locate`] and to a symbol table as it is, nobody needs to subtract one.
//!
//! Nothing here depends on the rest of the crate: threads are told apart by a [`ThreadHandle`] that each opens
//! for itself, polls by the [`Marks`] it brings.
//!
//! Linux on `x86_64` has everything. Linux on `aarch64` has all but the peek, because the kernel's file gives
//! neither frame pointer nor link register there. Elsewhere every call answers "not available".

mod intern;
mod live;
mod module;
mod syscalls;
mod verdict;

#[cfg(all(
    target_os = "linux",
    target_pointer_width = "64",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
mod linux;

#[cfg(not(all(
    target_os = "linux",
    target_pointer_width = "64",
    any(target_arch = "x86_64", target_arch = "aarch64")
)))]
mod absent;

#[cfg(not(all(
    target_os = "linux",
    target_pointer_width = "64",
    any(target_arch = "x86_64", target_arch = "aarch64")
)))]
use absent as platform;
#[cfg(all(
    target_os = "linux",
    target_pointer_width = "64",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
use linux as platform;

pub use intern::{InternStats, StackId, intern, intern_stats};
pub use live::{
    Capabilities, End, LIVE_FRAMES, LiveStack, MarkValues, Marks, Method, Missed, Options,
    ThreadDump,
};
pub use module::ModuleInfo;
pub use platform::{
    Live, ThreadHandle, capture, census, function_start, init, locate, modules, refresh_modules,
};
pub use syscalls::syscall_name;
pub use verdict::{
    Activity, Sample, State, Verdict, Wait, is_starved, judge, judge_gap, judge_span, kept_ns,
};

/// The most frames a creation backtrace has.
pub const MAX_FRAMES: usize = 32;

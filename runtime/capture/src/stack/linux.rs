//! Linux: everything a stack needs from the kernel and the loader.
//!
//! `elf` asks the loader what is mapped, `modules` keeps that as a snapshot the walks read without a lock, `walk`
//! goes up a stack over a snapshot, `rules` remembers its steps. `unwind` walks the thread's own stack.
//!
//! For other threads: `thread` is what each brings, `files` what stays open for it, `procfs` reads its state, `memory` its
//! stack. `peek` puts those
//! together for one that sleeps, with `frame_pointer` finding the one register the kernel does not give. `signal`
//! asks one that runs, through `buffer`. `live` chooses between them; `selftest` and `dump` use it. `census` only asks for
//! scheduler times, of all of them.

use std::sync::Once;

mod arch;
mod buffer;
mod census;
mod dump;
mod elf;
mod files;
mod frame_pointer;
mod live;
#[cfg_attr(
    not(target_arch = "x86_64"),
    expect(dead_code, reason = "only the peek reads other threads' stacks")
)]
mod memory;
mod modules;
mod peek;
mod procfs;
mod rules;
mod selftest;
mod signal;
mod thread;
mod unwind;
mod walk;

pub use census::census;
pub use live::Live;
pub use modules::{function_start, locate, modules, refresh_modules};
pub use thread::ThreadHandle;
pub use unwind::capture;

/// Loads the module list and opens the few `/proc` files that may be refused later (after `setuid`, `chroot` or
/// `PR_SET_DUMPABLE`). Some 100 µs, once; later calls return at once.
///
/// Takes the loader's lock for a moment, so not from a signal handler. Before it, [`capture`] finds no frames.
pub fn init() {
    static ONCE: Once = Once::new();
    // Later the module list is brought up to date by the agent alone: it takes the loader's lock, and a thread that
    // begins is the program's.
    ONCE.call_once(|| {
        procfs::init();
        memory::init();
        refresh_modules();
    });
}

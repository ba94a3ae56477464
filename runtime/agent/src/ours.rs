//! Threads of our own: named, counted as ours, without the program's signals, and no panic leaves them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

use pollscope_capture::thread::{self, Role};

use crate::sys;

/// Panics of ours that were caught. More than none is a defect of pollscope.
static PANICS: AtomicU64 = AtomicU64::new(0);

/// Runs `body`; a panic in it is counted and goes no further.
pub(crate) fn guarded<R>(body: impl FnOnce() -> R) -> Option<R> {
    let done = catch_unwind(AssertUnwindSafe(body));
    if done.is_err() && PANICS.fetch_add(1, Ordering::Relaxed) == 0 {
        crate::emit::say(
            "a panic on a thread of pollscope's was caught, more will not be told: please report it",
        );
    }
    done.ok()
}

/// Starts a thread of ours that takes none of the program's signals. False where there is no room for one.
pub(crate) fn spawn(name: &'static str, body: impl FnOnce() + Send + 'static) -> bool {
    let _blocked = sys::SignalsBlocked::new();
    start(name, body)
}

/// As `spawn`, but the thread begins with the signals of the caller and must call `sys::block_signals` itself.
pub(crate) fn spawn_open(name: &'static str, body: impl FnOnce() + Send + 'static) -> bool {
    start(name, body)
}

fn start(name: &'static str, body: impl FnOnce() + Send + 'static) -> bool {
    debug_assert!(
        name.len() <= 15,
        "the system cuts names of threads at 15 bytes"
    );
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            enter();
            guarded(body);
        })
        .is_ok()
}

/// Runs `work` on a thread of its own, for what may wait. `None` where there is no room for one, or it panicked.
///
/// Tokio's pool of such threads would panic where the system has no thread to give: in a program that is built to
/// abort at a panic, that would be its end.
pub(crate) async fn apart<R: Send + 'static>(
    work: impl FnOnce() -> R + Send + 'static,
) -> Option<R> {
    let (send, answer) = tokio::sync::oneshot::channel();
    let started = spawn("pollscope-work", move || {
        // Nobody may wait any more by then.
        drop(send.send(work()));
    });
    if started { answer.await.ok() } else { None }
}

/// Marks this thread as ours.
fn enter() {
    if let Some(thread) = thread::current() {
        thread.set_role(Role::Ours, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_of_ours_is_counted_and_goes_no_further() {
        let panics = || PANICS.load(Ordering::Relaxed);
        let before = panics();
        assert_eq!(guarded(|| 7), Some(7));
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| {}));
        assert_eq!(guarded(|| -> u32 { panic!("on purpose") }), None);
        std::panic::set_hook(hook);
        assert!(panics() > before);
    }
}

//! P23: signals and child processes on a thread that is not the main one, where asyncio refuses signals.

use std::thread;

use pollscope::event_loop;
use pollscope::signal::unix::{SignalKind, signal};
use pollscope::task::JoinHandle;
use tokio::process::Command;

/// Runs a loop on a thread that is not the main one, and a task on it that gets SIGUSR1 and waits for a child.
fn off_the_main_thread(then: fn(JoinHandle<Result<(), &'static str>>)) {
    let on_loop = move || {
        let ran = event_loop::run(async move {
            let mut signals = signal(SignalKind::user_defined1()).expect("a handler");
            let serve = async move {
                signals.recv().await.expect("a signal");
                let child = Command::new("true").status().await.expect("a child");
                assert!(child.success());
                Err("the signal came")
            };
            let served = pollscope::spawn(serve); // @spawned
            raise();
            while !served.is_finished() {
                tokio::task::yield_now().await;
            }
            then(served);
            // Its end is settled at the next turn.
            tokio::task::yield_now().await;
        });
        ran.expect("a loop");
    };
    let named = thread::Builder::new().name("not main".to_owned());
    let ended = named.spawn(on_loop).expect("a thread").join();
    ended.expect("no panic");
}

#[expect(unsafe_code, reason = "a signal to ourselves")]
pub(crate) fn raise() {
    // SAFETY: kill has no preconditions; the handler is installed.
    let sent = unsafe { libc::kill(libc::getpid(), libc::SIGUSR1) };
    assert_eq!(sent, 0);
}

/// What came over that thread is told from it.
pub(crate) fn faulty() {
    off_the_main_thread(drop);
}

pub(crate) fn healthy() {
    off_the_main_thread(|served| {
        let ended = futures::FutureExt::now_or_never(served).expect("it ended");
        assert_eq!(ended.expect("no panic"), Err("the signal came"));
    });
}

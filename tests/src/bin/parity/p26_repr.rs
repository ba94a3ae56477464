//! P26: what a handle says of itself, with the line that asked for it.

use std::sync::mpsc;
use std::time::Duration;

use pollscope::event_loop::{self, EventLoop, TimerHandle};
use tokio::sync::oneshot;

/// Gives a callback its own handle.
fn call(with: fn(TimerHandle)) {
    let ran = event_loop::run(async {
        let event_loop = EventLoop::current();
        let (tell, told) = mpsc::channel();
        let (end, ended) = oneshot::channel::<()>();
        let settle = move || {
            let _end = end;
            with(told.recv().expect("it was sent before"));
        };
        let timer = event_loop.call_later(Duration::ZERO, settle); // @asked
        tell.send(timer.expect("its own thread")).expect("it waits");
        // Dropped at the callback's end, however it ends.
        assert!(ended.await.is_err());
        tokio::task::yield_now().await;
    });
    ran.expect("a loop");
}

pub(crate) fn faulty() {
    call(|own| panic!("{own:?}"));
}

pub(crate) fn healthy() {
    call(|own| assert!(!format!("{own:?}").is_empty()));
}

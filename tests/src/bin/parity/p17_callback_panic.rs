//! P17: an exception in a callback: told, and the loop goes on.

use std::panic::catch_unwind;
use std::time::Duration;

use pollscope::event_loop::{self, EventLoop};
use tokio::sync::oneshot;

/// Runs the loop until the callback after `callback` was called.
fn call(callback: fn()) {
    let ran = event_loop::run(async {
        let event_loop = EventLoop::current();
        event_loop.call_soon(callback).expect("its own thread"); // @asked
        let (tell, told) = oneshot::channel();
        let next = move || tell.send(()).expect("somebody waits");
        event_loop
            .call_later(Duration::ZERO, next)
            .expect("its own thread");
        told.await.expect("the loop goes on");
    });
    ran.expect("a loop");
}

fn settle() {
    panic!("order {} has no payer", 2); // @panicked
}

pub(crate) fn faulty() {
    call(settle);
}

pub(crate) fn healthy() {
    call(|| assert!(catch_unwind(settle).is_err()));
}

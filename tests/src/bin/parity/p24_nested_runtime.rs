//! P24: a loop is run, or waited for, or ended from inside a loop.

use std::panic::AssertUnwindSafe;

use pollscope::runtime::{Handle, Runtime};

use super::words::panics_with;

fn runtime() -> Runtime {
    Runtime::new().expect("a runtime")
}

pub(crate) fn faulty() {
    let nested = async {
        let inner = Handle::current();
        panics_with(
            "Cannot start a runtime from within a runtime",
            AssertUnwindSafe(|| inner.block_on(async {})), // @nested
        );
        let (_send, mut receive) = tokio::sync::mpsc::channel::<()>(1);
        panics_with(
            "Cannot block the current thread from within a runtime",
            AssertUnwindSafe(|| _ = receive.blocking_recv()), // @blocked
        );
        let inner = runtime();
        panics_with(
            "Cannot drop a runtime in a context where blocking is not allowed",
            AssertUnwindSafe(|| drop(inner)),
        );
    };
    let runtime = runtime();
    runtime.block_on(async {
        let nested = pollscope::spawn(nested); // @spawned
        nested.await.expect("it catches its panics");
    });
}

pub(crate) fn healthy() {
    let runtime = runtime();
    runtime.block_on(async {
        let inner = tokio::task::spawn_blocking(self::runtime);
        let inner = inner.await.expect("a runtime");
        // Where waiting is allowed: on the blocking pool.
        let work = pollscope::task::spawn_blocking(move || {
            inner.block_on(async {});
            let (send, mut receive) = tokio::sync::mpsc::channel(1);
            send.blocking_send(()).expect("there is room");
            receive.blocking_recv().expect("something");
            drop(inner);
        });
        work.await.expect("it ends");
    });
}

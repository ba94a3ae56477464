//! P15: how long it takes to get the addresses of a host.

use std::sync::mpsc;
use std::time::Duration;

use pollscope::net;
use pollscope::runtime::Builder;

/// Longer than the threshold is.
const HELD: Duration = Duration::from_millis(150);

/// The system is asked on the blocking pool: its only thread is held for a while.
fn look_up() {
    let mut builder = Builder::new_current_thread();
    let runtime = builder.enable_all().max_blocking_threads(1).build();
    runtime.expect("a runtime").block_on(async {
        let (release, released) = mpsc::channel::<()>();
        let held = tokio::task::spawn_blocking(move || released.recv());
        let lookup = net::lookup_host("localhost:80"); // @asked
        let holds = async {
            tokio::time::sleep(HELD).await;
            release.send(()).expect("it waits");
        };
        // Whether the machine knows its own name is another matter.
        let _ = tokio::join!(lookup, holds);
        held.await.expect("no panic").expect("released");
    });
}

pub(crate) fn faulty() {
    look_up();
}

/// The same, and below the threshold.
pub(crate) fn healthy() {
    pollscope::set_slow_poll(Some(Duration::from_secs(600)));
    look_up();
}

//! P11: blocking work belongs into the executor, where it may take as long as it likes.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use pollscope::event_loop::{self, EventLoop};

const BLOCKING: Duration = Duration::from_millis(200);

pub(crate) fn faulty() {
    let ran = event_loop::run(async {
        let (tell, told) = tokio::sync::oneshot::channel();
        let blocks = move || {
            thread::sleep(BLOCKING);
            tell.send(()).expect("somebody waits");
        };
        let event_loop = EventLoop::current();
        event_loop.call_soon(blocks).expect("its own thread"); // @asked
        told.await.expect("called");
    });
    ran.expect("a loop");
}

pub(crate) fn healthy() {
    let (begun, begins) = mpsc::channel();
    // Stays until the program ends, for the inspector to see.
    thread::spawn(move || {
        event_loop::run(async {
            let event_loop = EventLoop::current();
            let work = event_loop.run_in_executor(|| thread::sleep(BLOCKING));
            work.await.expect("no panic");
            let stays = move || {
                thread::sleep(BLOCKING);
                begun.send(()).expect("somebody waits");
                thread::park_timeout(Duration::from_secs(3600));
            };
            let stays = event_loop.run_in_executor(stays); // @stays
            stays.await
        })
    });
    begins.recv().expect("it begins");
}

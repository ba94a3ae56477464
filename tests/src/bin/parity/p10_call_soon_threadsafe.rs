//! P10: callbacks asked for from another thread wake the loop and run on its own.

use std::thread;

use pollscope::event_loop::{self, EventLoop};
use tokio::sync::oneshot;

/// Sleeps on a loop until a thread elsewhere has its callback called: nothing else wakes it.
fn wake(then: impl FnOnce() + Send + 'static) {
    let on_loop = move || {
        let home = thread::current().id();
        let ran = event_loop::run(async move {
            let event_loop = EventLoop::current();
            let (tell, told) = oneshot::channel();
            let asks = move || {
                let callback = move || {
                    tell.send(thread::current().id()).expect("somebody waits");
                    then();
                };
                event_loop.call_soon_threadsafe(callback).expect("open"); // @asked
            };
            let worker = thread::spawn(asks);
            assert_eq!(told.await.expect("called"), home);
            worker.join().expect("no panic");
        });
        ran.expect("a loop");
    };
    let named = thread::Builder::new().name("the loop".to_owned());
    let ended = named.spawn(on_loop).expect("a thread").join();
    ended.expect("no panic");
}

pub(crate) fn faulty() {
    wake(|| panic!("no payer")); // @panicked
}

pub(crate) fn healthy() {
    wake(|| ());
}

//! P7: a loop called from another thread. The call is refused before anything is changed: cpython issue 136399.

use std::thread;

use pollscope::event_loop::{self, EventLoop};

/// Runs `call`, which leaves so many callbacks to run, on a thread called worker, while the loop of a thread called
/// the loop runs.
fn from_a_worker(added: usize, call: impl FnOnce(EventLoop) + Send + 'static) {
    let on_loop = move || {
        let work = async {
            let event_loop = EventLoop::current();
            let waits = event_loop.create_task(std::future::pending::<()>());
            let waits = waits.expect("its own thread");
            let tasks = event_loop.runtime().metrics().num_alive_tasks();

            let remote = event_loop.clone();
            let worker = thread::Builder::new().name("worker".to_owned());
            let worker = worker.spawn(move || call(remote));
            worker.expect("a thread").join().expect("no panic");

            // A refused call has left nothing, and what comes after it is the next to run.
            let left = event_loop.runtime().metrics().num_alive_tasks() - tasks;
            let (tell, told) = tokio::sync::oneshot::channel();
            let soon = event_loop.call_soon(move || tell.send(()).expect("somebody waits"));
            soon.expect("its own thread");
            told.await.expect("called");
            // In asyncio this is what never ends.
            waits.abort();
            assert!(waits.await.is_err_and(|end| end.is_cancelled()));
            left
        };
        let left = event_loop::run(work); // @made
        assert_eq!(left.expect("a loop"), added);
    };
    let named = thread::Builder::new().name("the loop".to_owned());
    let ended = named.spawn(on_loop).expect("a thread").join();
    ended.expect("no panic");
}

pub(crate) fn faulty() {
    from_a_worker(0, |event_loop| {
        let refused = event_loop.call_soon(|| unreachable!("it was refused")); // @called
        let refused = refused.expect_err("not its thread");
        assert!(refused.wrong_thread().is_some());
    });
}

pub(crate) fn healthy() {
    from_a_worker(1, |event_loop| {
        let taken = event_loop.call_soon_threadsafe(|| ());
        assert!(!taken.expect("open").cancelled());
        assert!(!event_loop.is_here());
    });
}

//! P10: a task that a thread of the program's own woke: one that has no other part in Tokio or pollscope.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Mutex, mpsc};
use std::thread;

use pollscope::runtime::{Builder, Runtime};
use tokio::sync::Notify;

/// Held until the process ends.
static HELD: Mutex<Vec<Runtime>> = Mutex::new(Vec::new());
static WAKES: Notify = Notify::const_new();
static WAKES_BY_TASK: Notify = Notify::const_new();

/// A task that waits to be woken, again and again; what tells each time that it waits.
fn waiter(runtime: &Runtime, notify: &'static Notify) -> mpsc::Receiver<()> {
    let (tell, waits) = mpsc::channel();
    let work = async move {
        loop {
            let mut woken = pin!(notify.notified());
            poll_fn(|cx| {
                let polled = woken.as_mut().poll(cx);
                if polled.is_pending() {
                    tell.send(()).expect("somebody listens");
                }
                polled
            })
            .await;
        }
    };
    let named = pollscope::task::Builder::new().name("woken");
    drop(named.spawn_on(work, runtime.handle()).expect("it spawns")); // @waits
    waits.recv().expect("it waits");
    waits
}

fn runtime() -> Runtime {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(1).build().expect("a runtime")
}

pub(crate) fn faulty() {
    let runtime = runtime();
    let waits = waiter(&runtime, &WAKES);
    let (woke, wakes) = mpsc::channel();
    let wake = move || {
        let tid = std::fs::read_link("/proc/thread-self").expect("Linux");
        WAKES.notify_one();
        woke.send(tid).expect("somebody listens");
        // Its name can be had while it runs.
        loop {
            thread::park();
        }
    };
    let named = thread::Builder::new().name("the waker".to_owned());
    named.spawn(wake).expect("a thread");
    let tid = wakes.recv().expect("it woke");
    waits.recv().expect("it was woken, and waits again");
    println!("woken by {}", tid.file_name().expect("a number").display());
    HELD.lock().expect("no panic").push(runtime);
}

/// Woken by another task.
pub(crate) fn healthy() {
    let runtime = runtime();
    let waits = waiter(&runtime, &WAKES_BY_TASK);
    let wakes = runtime.spawn(async { WAKES_BY_TASK.notify_one() });
    runtime.block_on(wakes).expect("it ends");
    waits.recv().expect("it was woken, and waits again");
    HELD.lock().expect("no panic").push(runtime);
}

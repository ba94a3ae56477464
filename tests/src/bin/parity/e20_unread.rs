//! Edge cases 20 to 22: a task that failed, and whose handle is alive and was not asked.

use std::sync::Mutex;

use pollscope::runtime::{Builder, Runtime};
use pollscope::task::JoinHandle;

type Failed = JoinHandle<Result<(), &'static str>>;

/// Held until the process ends.
static HELD: Mutex<Option<(Runtime, Failed)>> = Mutex::new(None);

fn failed() -> (Runtime, Failed) {
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .expect("a runtime");
    let failed = runtime.spawn(async { Err("no disk") }); // @error
    while !failed.is_finished() {
        std::thread::yield_now();
    }
    (runtime, failed)
}

pub(crate) fn faulty() {
    *HELD.lock().expect("no panic") = Some(failed());
}

pub(crate) fn healthy() {
    let (runtime, failed) = failed();
    let read = runtime.block_on(failed).expect("no panic");
    read.expect_err("it failed");
    std::mem::forget(runtime);
}

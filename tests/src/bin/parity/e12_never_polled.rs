//! Edge case 12: nothing is dropped, and nothing polled.

use pollscope::runtime::Builder;

#[pollscope::tracked]
async fn settle() {}

pub(crate) fn faulty() {
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    let task = runtime.spawn(settle()); // @created
    // Nobody drives the runtime, and it is never dropped.
    std::mem::forget((runtime, task));
}

pub(crate) fn healthy() {
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    let task = runtime.spawn(settle());
    runtime.block_on(task).expect("no panic");
    std::mem::forget(runtime);
}

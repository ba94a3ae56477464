//! P8: a task is made where no loop runs.

use pollscope::runtime::Runtime;

use super::words::panics_with;

async fn settle() -> u8 {
    std::future::ready(7).await
}

pub(crate) fn faulty() {
    panics_with("there is no reactor running", || {
        drop(pollscope::spawn(settle())); // @called
    });
}

pub(crate) fn healthy() {
    let runtime = Runtime::new().expect("a runtime");
    let _entered = runtime.enter();
    let task = pollscope::spawn(settle());
    runtime.block_on(task).expect("it ends");
}

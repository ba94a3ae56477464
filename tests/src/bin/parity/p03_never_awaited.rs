//! P3: a coroutine that was never awaited.

use pollscope::runtime::Runtime;

#[pollscope::tracked]
async fn settle() {}

pub(crate) fn faulty() {
    Runtime::new().expect("a runtime").block_on(async {
        let forgotten = settle(); // @created
        drop(forgotten);
    });
}

pub(crate) fn healthy() {
    Runtime::new().expect("a runtime").block_on(async {
        let awaited = settle();
        awaited.await;
    });
}

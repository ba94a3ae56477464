//! P2: the log's level: a warning and an error, and no subscriber.

use pollscope::runtime::Runtime;

#[pollscope::tracked]
async fn settle() {}

pub(crate) fn faulty() {
    Runtime::new().expect("a runtime").block_on(async {
        drop(settle()); // @warned
        let lost = pollscope::spawn!(async { Err::<(), _>("no disk") }); // @lost
        while !lost.is_finished() {
            tokio::task::yield_now().await;
        }
    });
}

pub(crate) fn healthy() {
    Runtime::new().expect("a runtime").block_on(async {
        settle().await;
        let read = pollscope::spawn!(async { Err::<(), _>("no disk") });
        let _ = read.await;
    });
}

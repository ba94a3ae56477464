//! P30: a task that was cancelled, and by whom.

use std::sync::mpsc;
use std::thread;

use pollscope::runtime::Builder;
use pollscope::task::yield_now;

/// Fails if it is let.
async fn settle() -> Result<(), &'static str> {
    std::future::pending::<()>().await;
    Err("no payer")
}

/// Runs a runtime until the program ends, and gives the end of `work` time to be told.
fn stay<F: Future<Output = ()> + 'static>(work: impl FnOnce() -> F + Send + 'static) {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            work().await;
            tell.send(()).expect("somebody waits");
            std::future::pending::<()>().await;
        });
    });
    told.recv().expect("it was done");
}

/// Aborted by another task: its handle is held, so that it is listed.
pub(crate) fn faulty() {
    stay(|| async {
        let task = pollscope::spawn(settle()); // @spawned
        yield_now().await;
        let (give, given) = tokio::sync::oneshot::channel();
        let aborts = async move {
            task.abort(); // @aborted
            give.send(task).expect("somebody waits");
        };
        pollscope::spawn(aborts).await.expect("no panic");
        let task = given.await.expect("given back");
        while !task.is_finished() {
            yield_now().await;
        }
        std::mem::forget(task);
    });
}

/// Aborted, and nobody asks how it ended: that is nobody's loss.
pub(crate) fn healthy() {
    stay(|| async {
        let task = pollscope::spawn(settle());
        yield_now().await;
        task.abort();
        drop(task);
        pollscope::spawn(settle()).abort();
        yield_now().await;
    });
}

//! P19: a task was destroyed but it is pending.

use std::time::Duration;

use pollscope::runtime::{Builder, Runtime};

fn runtime() -> Runtime {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

/// Waits for what does not come.
async fn settle() {
    std::future::pending::<()>().await;
}

pub(crate) fn faulty() {
    let runtime = runtime();
    runtime.block_on(async {
        drop(pollscope::spawn(settle())); // @waits
        tokio::task::yield_now().await;
        // Given work at the last moment: nobody is left to begin it.
        drop(pollscope::spawn(settle())); // @never-ran
    });
    drop(runtime);
    stuck();
}

/// A poll that outlives its runtime's time to shut down.
fn stuck() {
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .expect("a runtime");
    let (begun, begins) = std::sync::mpsc::channel();
    let busy = async move {
        begun.send(()).expect("somebody waits for it");
        std::thread::sleep(Duration::from_secs(3600));
    };
    drop(runtime.spawn(busy)); // @stuck
    begins.recv().expect("it begins");
    runtime.shutdown_timeout(Duration::from_millis(50)); // @shut-down
}

pub(crate) fn healthy() {
    let runtime = runtime();
    runtime.block_on(async {
        let waits = pollscope::spawn(settle());
        tokio::task::yield_now().await;
        let late = pollscope::spawn(settle());
        // asyncio.run does this for its leftovers.
        for task in [waits, late] {
            task.abort();
            assert!(task.await.is_err_and(|end| end.is_cancelled()));
        }
        // Aborted, and its end left to the runtime's.
        pollscope::spawn(settle()).abort();
    });
    drop(runtime);
}

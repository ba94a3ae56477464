//! Edge case 43: what takes long is not a poll but the drop of a task, or of what a task returned.

use std::thread;
use std::time::Duration;

use pollscope::runtime::Builder;
use pollscope::task;
use tokio::sync::oneshot;

/// Well above the threshold, 100 ms: a busy machine must not be to blame for most of it.
const LONG: Duration = Duration::from_millis(300);

/// Takes so long to drop.
struct Pool(Duration);

impl Drop for Pool {
    fn drop(&mut self) {
        thread::sleep(self.0);
    }
}

pub(crate) fn faulty() {
    drops(LONG);
}

pub(crate) fn healthy() {
    drops(Duration::from_millis(1));
}

fn drops(long: Duration) {
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let pool = Pool(long);
        let waits = async move {
            let _pool = pool;
            std::future::pending::<()>().await;
        };
        let aborted = task::Builder::new().name("aborted").spawn(waits); // @aborted
        let aborted = aborted.expect("never fails");
        has_begun().await;
        aborted.abort();
        let ended = aborted.await.expect_err("it was aborted");
        assert!(ended.is_cancelled());

        // Nobody takes the output, so Tokio drops it, outside of any poll.
        let (go_on, told) = oneshot::channel();
        let returns = async move {
            told.await.expect("it is told");
            Pool(long)
        };
        let returned = task::Builder::new().name("returned").spawn(returns); // @returned
        drop(returned);
        go_on.send(()).expect("it waits");
        has_begun().await;

        // Within a poll it is a part of that.
        let within = async move { drop(Pool(long)) };
        let inside = task::Builder::new().name("inside").spawn(within); // @inside
        inside.expect("never fails").await.expect("it ends");
    });
    // The runtime's end drops what still waits, on this thread.
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    let pool = Pool(long);
    let waits = async move {
        let _pool = pool;
        std::future::pending::<()>().await;
    };
    runtime.block_on(async {
        let left = task::Builder::new().name("left").spawn(waits); // @left
        has_begun().await;
        drop(left.expect("never fails"));
    });
    drop(runtime);
}

/// With one worker, a task that is spawned later runs later.
async fn has_begun() {
    task::spawn(async {}).await.expect("it ends");
}

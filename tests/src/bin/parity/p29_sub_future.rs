//! P29: an eager task of asyncio's runs inside its parent. Tokio's counterpart is a future that a task polls itself.

use std::future::ready;
use std::thread;
use std::time::Duration;

use pollscope::runtime::{Builder, Runtime};
use pollscope::task;

/// Well above the threshold, 100 ms: a busy machine must not be to blame for most of it.
const LONG: Duration = Duration::from_millis(300);

async fn slow() {
    fast().await;
    thread::sleep(LONG);
}

async fn fast() {
    ready(()).await;
}

#[pollscope::tracked]
async fn settle() {
    let outer = 7;
    pack().await; // @inner
    assert_eq!(outer, 7);
}

#[pollscope::tracked]
async fn pack() {
    thread::sleep(LONG);
}

fn runtime() -> Runtime {
    Builder::new_current_thread().build().expect("a runtime")
}

pub(crate) fn faulty() {
    runtime().block_on(async {
        let parent = async {
            pollscope::join!(fast(), slow(), fast()); // @join
        };
        let joins = task::Builder::new().name("joins").spawn(parent); // @joins
        joins.expect("never fails").await.expect("it ends");
        let parent = async {
            pollscope::select! {
                biased;
                () = settle() => {}
                () = fast() => {}
            }
        };
        let nests = task::Builder::new().name("nests").spawn(parent); // @nests
        nests.expect("never fails").await.expect("it ends");
        // It is the task's own code that takes the time: none of the futures is to blame.
        let parent = async {
            thread::sleep(LONG);
            pollscope::join!(fast(), fast());
        };
        let own = task::Builder::new().name("own").spawn(parent);
        own.expect("never fails").await.expect("it ends");
    });
}

/// The slow part where it belongs, off the loop.
pub(crate) fn healthy() {
    runtime().block_on(async {
        let parent = async {
            let slow = async { task::spawn_blocking(|| thread::sleep(LONG)).await };
            let (slow, ()) = pollscope::join!(slow, fast());
            slow.expect("it ends");
        };
        let joins = task::Builder::new().name("joins").spawn(parent);
        joins.expect("never fails").await.expect("it ends");
    });
}

//! Edge case 42: many short polls keep others waiting. asyncio times each of them and says nothing of their sum.

use std::io;
use std::thread;
use std::time::Duration;

use pollscope::runtime::{Builder, Runtime};
use pollscope::task::{self, yield_now};

/// Each poll, well below the threshold: 100 ms.
const SHORT: Duration = Duration::from_millis(20);
/// So many tasks take turns: each waits for four times the threshold.
const MANY: usize = 20;
/// And of so many each waits for less than half of it.
const FEW: usize = 3;

/// Goes on until a line comes in.
pub(crate) fn faulty() {
    let (told, tells) = tokio::sync::oneshot::channel();
    thread::spawn(move || {
        io::stdin().read_line(&mut String::new()).expect("a line");
        told.send(()).expect("it goes on");
    });
    runtime().block_on(async {
        for _ in 0..MANY {
            task::spawn(takes_turns()); // @waits
        }
        println!("busy");
        tells.await.expect("a line");
    });
}

/// As busy, with fewer tasks; and a task that nobody polls, because its runtime rests.
pub(crate) fn healthy() {
    let rests = runtime();
    let waits = rests.spawn(async {});
    runtime().block_on(async {
        for _ in 0..FEW {
            task::spawn(takes_turns());
        }
        tokio::time::sleep(SHORT * 50).await;
    });
    rests.block_on(waits).expect("it ends");
}

async fn takes_turns() {
    loop {
        thread::sleep(SHORT);
        yield_now().await;
    }
}

fn runtime() -> Runtime {
    let mut builder = Builder::new_current_thread();
    builder.enable_all().build().expect("a runtime")
}

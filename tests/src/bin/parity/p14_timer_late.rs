//! P14: asyncio 3.7 logged how long its selector waited, idleness included. What counts is how late a timer fires.

use std::thread;
use std::time::Duration;

use pollscope::runtime::{Builder, Runtime};
use pollscope::time;
use tokio::sync::oneshot;

const HELD: Duration = Duration::from_millis(1200);
const SOON: Duration = Duration::from_millis(50);

/// The only worker is held while a timer is due.
pub(crate) fn faulty() {
    runtime().block_on(async {
        let (begun, begins) = oneshot::channel();
        let waits = pollscope::spawn(async {
            let sleep = time::sleep(SOON); // @sleeps
            begun.send(()).expect("somebody waits");
            sleep.await;
        });
        let holds = pollscope::spawn(async {
            begins.await.expect("it begins");
            thread::sleep(HELD);
        });
        holds.await.expect("it ends");
        waits.await.expect("it ends");
    });
}

/// Timers on a runtime that rests, that nobody awaits in time, or whose clock a test moves.
pub(crate) fn healthy() {
    runtime().block_on(async {
        pollscope::spawn(ticks()).await.expect("it ends");
        pollscope::spawn(late_by_choice()).await.expect("it ends");
        // Idle, for as long as the fault lasts.
        time::sleep(HELD).await;
        let never = time::timeout(SOON, std::future::pending::<()>());
        never.await.expect_err("it elapses");
    });
    let rests = runtime();
    let sleeps = rests.spawn(time_to_wake());
    rests.block_on(async { tokio::task::yield_now().await });
    // Nobody runs its tasks meanwhile.
    thread::sleep(HELD);
    rests.block_on(sleeps).expect("it ends");
}

async fn time_to_wake() {
    time::sleep(SOON).await;
}

async fn ticks() {
    let mut interval = time::interval(SOON);
    for _ in 0..10 {
        interval.tick().await;
    }
}

/// The task's own work keeps it from its timers.
async fn late_by_choice() {
    let mut interval = time::interval(SOON);
    let mut sleep = std::pin::pin!(time::sleep(SOON));
    interval.tick().await;
    tokio::select! {
        biased;
        () = &mut sleep => unreachable!("50 ms"),
        _ = interval.tick() => unreachable!("50 ms"),
        () = tokio::task::yield_now() => {}
    }
    tokio::time::sleep(HELD).await;
    sleep.await;
    for _ in 0..3 {
        interval.tick().await;
    }
}

fn runtime() -> Runtime {
    let mut builder = Builder::new_current_thread();
    builder.enable_all().build().expect("a runtime")
}

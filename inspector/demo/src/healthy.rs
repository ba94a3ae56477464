//! The healthy part: what a service of this kind does all day, a few hundred tasks of it. Nothing here may be
//! reported.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{interval, sleep, timeout};

use crate::service::Shop;

/// Sessions that wait for something most of the time.
const SESSIONS: u64 = 200;
/// Stages that orders are passed through.
const STAGES: usize = 4;

/// Starts the healthy tasks.
pub(crate) fn start(shop: &Arc<Shop>) {
    let (settings, seen) = watch::channel(0_u64);
    for number in 0..SESSIONS {
        drop(pollscope::spawn(session(number, seen.clone())));
    }
    drop(
        pollscope::task::Builder::new()
            .name("settings")
            .spawn(change_settings(settings)),
    );
    drop(
        pollscope::task::Builder::new()
            .name("report")
            .spawn(report(Arc::clone(shop))),
    );
    drop(
        pollscope::task::Builder::new()
            .name("batches")
            .spawn(batches()),
    );
    pipeline();
}

/// A session: wakes up now and then, and whenever the settings change.
async fn session(number: u64, mut settings: watch::Receiver<u64>) {
    let pace = Duration::from_millis(500 + number * 7 % 1_000);
    loop {
        // Most timeouts run out, and their future is dropped after its first poll: that is no forgotten await.
        if let Ok(Err(_)) = timeout(pace, settings.changed()).await {
            return;
        }
    }
}

async fn change_settings(settings: watch::Sender<u64>) {
    let mut tick = interval(Duration::from_secs(2));
    loop {
        tick.tick().await;
        settings.send_modify(|version| *version += 1);
    }
}

/// Adds up the orders every second.
async fn report(shop: Arc<Shop>) {
    let mut tick = interval(Duration::from_secs(1));
    loop {
        tick.tick().await;
        let worth = shop.worth().await;
        // Real work, and short: it yields long before anybody could mind.
        std::hint::black_box(worth);
    }
}

/// Short-lived tasks, joined as they end; some fail, and their error is looked at.
async fn batches() {
    loop {
        let mut batch = pollscope::task::JoinSet::new();
        for item in 0..20_u32 {
            batch.spawn(check(item));
        }
        let mut failed = 0;
        while let Some(result) = batch.join_next().await {
            failed += u32::from(!matches!(result, Ok(Ok(()))));
        }
        std::hint::black_box(failed);
        sleep(Duration::from_millis(100)).await;
    }
}

async fn check(item: u32) -> Result<(), String> {
    sleep(Duration::from_millis(u64::from(item % 5))).await;
    if item % 10 == 9 {
        Err(format!("item {item} is out of stock"))
    } else {
        Ok(())
    }
}

/// Orders pass from stage to stage over channels, each answered at the end.
fn pipeline() {
    let (first, mut orders) = mpsc::channel::<(u64, oneshot::Sender<u64>)>(16);
    for stage in 0..STAGES {
        let (next, passed) = mpsc::channel(16);
        let mut from = std::mem::replace(&mut orders, passed);
        let name = format!("stage {stage}");
        drop(
            pollscope::task::Builder::new()
                .name(&name)
                .spawn(async move {
                    while let Some((value, answer)) = from.recv().await {
                        if next.send((value + 1, answer)).await.is_err() {
                            return;
                        }
                    }
                }),
        );
    }
    drop(
        pollscope::task::Builder::new()
            .name("last stage")
            .spawn(async move {
                while let Some((value, answer)) = orders.recv().await {
                    // The asker may have given up waiting.
                    let _ = answer.send(value);
                }
            }),
    );
    drop(
        pollscope::task::Builder::new()
            .name("feeder")
            .spawn(async move {
                for order in 0.. {
                    let (answer, answered) = oneshot::channel();
                    if first.send((order, answer)).await.is_err() || answered.await.is_err() {
                        return;
                    }
                    sleep(Duration::from_millis(10)).await;
                }
            }),
    );
}

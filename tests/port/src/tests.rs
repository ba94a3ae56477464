//! The program's own tests: they pass under the port as they did before.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinError, JoinHandle, JoinSet, LocalSet};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_stream::StreamExt;
use tokio_stream::wrappers::{IntervalStream, TcpListenerStream};
use tokio_util::task::{AbortOnDropHandle, JoinMap, TaskTracker};

const LIMIT: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_task_is_joined() {
    let handle: JoinHandle<u32> = tokio::spawn(async { 7 });
    let joined: Result<u32, JoinError> = handle.await;
    assert_eq!(joined.unwrap(), 7);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_of_all_collections_end() -> Result<(), JoinError> {
    let tracker = TaskTracker::new();
    for n in 0..3 {
        tracker.spawn(async move { n });
        tracker.spawn_blocking(move || n);
    }
    tracker.close();
    timeout(LIMIT, tracker.wait()).await.expect("they end");

    let mut set: JoinSet<u32> = (0..3).map(std::future::ready).collect();
    let mut sum = 0;
    while let Some(joined) = set.join_next().await {
        sum += joined?;
    }
    assert_eq!(sum, 3);

    let mut map = JoinMap::new();
    map.spawn("replaced", std::future::pending());
    map.spawn("replaced", async { 1 });
    map.spawn_blocking("other", || 2);
    assert_eq!((map.len(), map.keys().len()), (2, 2));
    assert!(map.contains_key("other") && !map.contains_key("none"));
    let mut ended = Vec::new();
    while let Some((key, joined)) = map.join_next().await {
        ended.push((key, joined?));
    }
    ended.sort_unstable();
    assert_eq!(ended, [("other", 2), ("replaced", 1)]);
    Ok(())
}

#[tokio::test]
async fn a_guarded_task_ends_with_its_guard() {
    let (alive, gone) = oneshot::channel::<()>();
    let guard = AbortOnDropHandle::new(tokio::spawn(async move {
        let _alive = alive;
        std::future::pending::<()>().await;
    }));
    drop(guard);
    let gone = timeout(LIMIT, gone).await.expect("it is aborted");
    assert!(gone.is_err(), "dropped, not sent");
    let kept = AbortOnDropHandle::new(tokio::spawn(async { 3 })).detach();
    assert_eq!(kept.await.unwrap(), 3);
}

#[tokio::test(start_paused = true)]
async fn other_crates_take_the_types_that_they_know() {
    let mut ticks = interval(Duration::from_secs(1));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    assert_eq!(
        IntervalStream::new(ticks)
            .take(3)
            .collect::<Vec<_>>()
            .await
            .len(),
        3
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    drop(TcpListenerStream::new(listener));
}

#[tokio::test]
async fn local_tasks_need_not_be_send() {
    let (send, mut receive) = mpsc::unbounded_channel();
    let local = LocalSet::new();
    let value = std::rc::Rc::new(5);
    local.spawn_local(async move { send.send(*value) });
    assert_eq!(local.run_until(receive.recv()).await, Some(5));
}

#[test]
fn a_runtime_of_its_own() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let handle: tokio::runtime::Handle = runtime.handle().clone();
    let (both, failed) = runtime.block_on(async {
        let both = tokio::join!(async { 1 }, handle.spawn(async { 2 }));
        let failed: Result<((), ()), u8> =
            tokio::try_join!(async { Err(4) }, std::future::pending::<Result<(), u8>>());
        (both, failed)
    });
    assert_eq!((both.0, both.1.unwrap(), failed), (1, 2, Err(4)));
}

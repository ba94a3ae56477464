//! Tasks of tokio-util's `TaskTracker`.

use std::any::Any;

use tokio_util::task::TaskTracker;

pub async fn start() -> Box<dyn Any> {
    let tracker = TaskTracker::new();
    tracker.spawn(std::future::pending::<()>());
    Box::new(tracker)
}

#[tokio::test]
async fn it_waits_for_all() {
    let tracker = TaskTracker::new();
    let task = tracker.spawn(async { 3 });
    tracker.close();
    tracker.wait().await;
    assert_eq!(task.await.unwrap(), 3);
}

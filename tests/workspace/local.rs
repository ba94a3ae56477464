//! Tasks of a `LocalSet`, whose futures are not `Send`.

use std::rc::Rc;

use tokio::task::LocalSet;

pub fn start(local: &LocalSet) {
    let number = Rc::new(1);
    local.spawn_local(async move {
        std::future::pending::<()>().await;
        drop(number);
    });
}

#[tokio::test]
async fn a_task_shares_what_is_not_sync() {
    let number = Rc::new(5);
    let local = LocalSet::new();
    let task = local.spawn_local({
        let number = Rc::clone(&number);
        async move { *number + 1 }
    });
    assert_eq!(local.run_until(task).await.unwrap(), 6);
}

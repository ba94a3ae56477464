//! A task that ends with its handle.

use std::any::Any;

use tokio::sync::oneshot;
use tokio_util::task::AbortOnDropHandle;

pub async fn start() -> Box<dyn Any> {
    Box::new(AbortOnDropHandle::new(tokio::spawn(
        std::future::pending::<()>(),
    )))
}

#[tokio::test]
async fn it_ends_with_its_handle() {
    let (alive, gone) = oneshot::channel::<()>();
    let guard = AbortOnDropHandle::new(tokio::spawn(async move {
        let _alive = alive;
        std::future::pending::<()>().await;
    }));
    drop(guard);
    assert!(gone.await.is_err());
}

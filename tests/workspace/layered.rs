//! tower: a service behind a buffer and a limit, asked from a task.

use std::any::Any;
use std::convert::Infallible;

use tower::{BoxError, Service, ServiceBuilder, ServiceExt, service_fn};

fn service() -> impl Service<u32, Response = u32, Error = BoxError, Future: Send> + Clone + Send {
    ServiceBuilder::new()
        .buffer(4)
        .concurrency_limit(2)
        .service(service_fn(|number: u32| async move {
            Ok::<_, Infallible>(
                tokio::spawn(async move { number + 1 })
                    .await
                    .unwrap_or_default(),
            )
        }))
}

pub async fn start() -> Box<dyn Any> {
    let service = service();
    Box::new(tokio::spawn(async move {
        let answer = service.oneshot(1).await;
        std::future::pending::<()>().await;
        answer.is_ok()
    }))
}

#[tokio::test]
async fn it_answers_through_its_layers() {
    let service = service();
    assert_eq!(service.clone().oneshot(1).await.unwrap(), 2);
    assert_eq!(service.oneshot(5).await.unwrap(), 6);
}

//! tracing: a task in a span.

use std::any::Any;

use tracing::{Instrument, info, info_span};

pub async fn start() -> Box<dyn Any> {
    let work = async {
        info!("waits");
        std::future::pending::<()>().await;
    };
    Box::new(tokio::spawn(work.instrument(info_span!("order", id = 42))))
}

#[tokio::test]
async fn the_span_goes_with_the_task() {
    let subscriber = tracing_subscriber::fmt().with_test_writer().finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let inside = async { tracing::Span::current().metadata().map(|span| span.name()) };
    let task = tokio::spawn(inside.instrument(info_span!("order")));
    assert_eq!(task.await.unwrap(), Some("order"));
}

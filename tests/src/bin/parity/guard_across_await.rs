//! A guard that is held across an await: beyond asyncio, where spans are context variables.

use pollscope::runtime::Builder;
use tracing::Instrument;
use tracing_subscriber::prelude::*;

fn run(task: impl Future<Output = ()> + Send + 'static) {
    let _ = tracing_subscriber::registry().try_init();
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async move {
        pollscope::spawn(task).await.expect("it ends"); // @spawned
    });
}

pub(crate) fn faulty() {
    run(async {
        let span = tracing::info_span!("settle"); // @span
        let _entered = span.enter();
        tokio::task::yield_now().await;
    });
}

pub(crate) fn healthy() {
    run(async {
        let span = tracing::info_span!("settle");
        span.in_scope(|| {});
        tokio::task::yield_now().await;
        let work = async {
            for _ in 0..200 {
                tokio::task::yield_now().await;
            }
        };
        work.instrument(span).await;
    });
    // Around a whole block_on it is no mistake: the thread does nothing else meanwhile.
    let _entered = tracing::info_span!("main").entered();
    run(tokio::task::yield_now());
}

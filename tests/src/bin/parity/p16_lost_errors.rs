//! P16: a task ends in an error or a panic, and nobody looks.

use pollscope::runtime::Runtime;
use pollscope::spawn;

async fn until_it_ended<T>(handle: &pollscope::task::JoinHandle<T>) {
    while !handle.is_finished() {
        tokio::task::yield_now().await;
    }
}

pub(crate) fn faulty() {
    Runtime::new().expect("a runtime").block_on(async {
        let bug = spawn!(async { Err::<(), _>(std::io::Error::other("no disk")) }); // @error
        until_it_ended(&bug).await;
        bug.abort();
        drop(bug);
        let boom = spawn(async { panic!("on purpose") }); // @panic
        until_it_ended::<()>(&boom).await;
        drop(boom);
    });
}

pub(crate) fn healthy() {
    Runtime::new().expect("a runtime").block_on(async {
        let bug = spawn!(async { Err::<(), _>(std::io::Error::other("no disk")) });
        until_it_ended(&bug).await;
        let _ = bug.await;
        let boom = spawn(async { panic!("on purpose") });
        let _: Result<(), _> = boom.await;
        let inner = spawn(async { Ok::<_, ()>(Err::<(), _>("a value")) });
        until_it_ended(&inner).await;
        drop(inner);
        let cancelled = spawn(std::future::pending::<Result<(), ()>>());
        cancelled.abort();
        until_it_ended(&cancelled).await;
    });
}

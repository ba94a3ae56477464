//! Closures on threads of their own, and a second runtime.

use std::any::Any;
use std::sync::mpsc;

use tokio::runtime::{Builder, Runtime};
use tokio::task::spawn_blocking;

fn runtime() -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("second")
        .enable_all()
        .build()
        .expect("threads")
}

pub async fn start() -> Box<dyn Any> {
    let (stop, stopped) = mpsc::channel::<()>();
    let closure = spawn_blocking(move || stopped.recv().is_ok());
    let second = runtime();
    let task = second.spawn(std::future::pending::<()>());
    // A runtime is not dropped on a worker of another.
    Box::new((stop, closure, task, std::mem::ManuallyDrop::new(second)))
}

#[tokio::test]
async fn a_closure_gives_its_result() {
    assert_eq!(spawn_blocking(|| 6 * 7).await.unwrap(), 42);
}

#[test]
fn a_runtime_of_its_own() {
    let runtime = runtime();
    let handle: tokio::runtime::Handle = runtime.handle().clone();
    assert_eq!(runtime.block_on(handle.spawn(async { 2 })).unwrap(), 2);
    runtime.shutdown_background();
}

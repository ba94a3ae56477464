//! Tasks spawned by a handle of the runtime.

use std::any::Any;

use tokio::runtime::Handle;

pub async fn start() -> Box<dyn Any> {
    Box::new(Handle::current().spawn(std::future::pending::<()>()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_another_thread() {
    let handle = Handle::current();
    let thread = std::thread::spawn(move || handle.spawn(async { 7 }));
    assert_eq!(thread.join().unwrap().await.unwrap(), 7);
}

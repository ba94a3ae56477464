//! The service: all of the others, started and kept.

use std::any::Any;

use tokio::task::LocalSet;
use tracing_subscriber::fmt;

macro_rules! start {
    ($($name:ident)*) => {
        vec![$($name::start().await),*]
    };
}

async fn start() -> Vec<Box<dyn Any>> {
    start!(
        handles join_set tracker guarded racing fan_out background jobs by_value web client rpc
        layered pool traced actor ticker blocking
    )
}

#[tokio::main(worker_threads = 2)]
async fn main() {
    // Installed before anything else, as services do.
    fmt().with_writer(std::io::stderr).init();
    let local = LocalSet::new();
    local::start(&local);
    let _held = start().await;
    let lives = tokio::spawn(std::future::pending::<()>());
    println!("ready");
    local.run_until(lives).await.expect("it never ends");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_of_them_start() {
    assert_eq!(start().await.len(), 18);
}

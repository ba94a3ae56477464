//! `spawn` passed to a function: its caller is the standard library.

use std::any::Any;

use tokio::task::JoinHandle;

pub async fn start() -> Box<dyn Any> {
    let tasks: Vec<_> = [wait(1), wait(2)].into_iter().map(tokio::spawn).collect();
    Box::new(tasks)
}

async fn wait(number: u32) -> u32 {
    std::future::pending::<()>().await;
    number
}

fn apply<F, H>(future: F, spawn: fn(F) -> H) -> H {
    spawn(future)
}

#[tokio::test]
async fn it_is_a_function_pointer() {
    let task: JoinHandle<u8> = apply(std::future::ready(1), tokio::spawn);
    assert_eq!(task.await.unwrap(), 1);
    let local = tokio::task::LocalSet::new();
    let task = local.run_until(async { tokio::task::spawn_local(async { 2 }).await });
    assert_eq!(task.await.unwrap(), 2);
}

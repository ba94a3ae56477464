//! P18: the program's own exception handler, and one that panics.

use pollscope::runtime::Runtime;
use pollscope::{Context, set_exception_handler, spawn};

async fn lose() {
    let lost = spawn!(async { Err::<(), _>("no disk") }); // @error
    while !lost.is_finished() {
        tokio::task::yield_now().await;
    }
}

pub(crate) fn faulty() {
    set_exception_handler(Some(|_: &Context| panic!("the handler's own")));
    Runtime::new().expect("a runtime").block_on(lose());
}

pub(crate) fn healthy() {
    set_exception_handler(Some(|context: &Context| {
        println!("handled {} {:?}", context.kind, context.exception);
    }));
    Runtime::new().expect("a runtime").block_on(lose());
}

//! P13: a callback that holds the loop right now. asyncio's debug mode tells of it when it is over, if ever.

use std::io;

use pollscope::runtime::Builder;
use pollscope::task;

/// Is stuck until a line comes in.
pub(crate) fn faulty() {
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let reader = async { wait_for_a_line() };
        let stuck = task::Builder::new().name("stuck").spawn(reader); // @created
        stuck.expect("never fails").await.expect("it ends");
    });
}

/// Waits for the same line where waiting is allowed.
pub(crate) fn healthy() {
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let waits = task::Builder::new()
            .name("waits")
            .spawn_blocking(wait_for_a_line);
        waits.expect("never fails").await.expect("it ends");
    });
}

fn wait_for_a_line() {
    println!("stuck");
    io::stdin().read_line(&mut String::new()).expect("a line");
}

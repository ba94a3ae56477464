//! A service that a blocking call holds up. Each way to build it shows as much of the stack as it leaves names for.

#![expect(
    clippy::print_stdout,
    clippy::unused_async,
    reason = "a program for a test"
)]

use std::time::Duration;

fn main() {
    let runtime = pollscope::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .expect("a runtime");
    runtime.block_on(serve());
}

async fn serve() {
    accept(3);
    println!("ready");
    std::future::pending::<()>().await;
}

/// Where the task is made: a function of its own in the backtrace.
#[inline(never)]
fn accept(orders: u32) {
    drop(pollscope::spawn(retried(orders, move || async move {
        settle(orders).await
    })));
    // Else the call is the function's last act, and its frame is gone.
    std::hint::black_box(orders);
}

/// A generic future around an `async` block of its caller.
async fn retried<F: Future<Output = bool>>(times: u32, attempt: impl Fn() -> F) {
    for _ in 0..times {
        if attempt().await {
            break;
        }
    }
}

async fn settle(order: u32) -> bool {
    charge(order);
    order > 1
}

/// Not inlined: a frame with a symbol.
#[inline(never)]
fn charge(order: u32) {
    wait_for_bank();
    std::hint::black_box(order);
}

/// Inlined: the debug information alone knows of it.
#[inline(always)]
#[expect(clippy::inline_always, reason = "the point of it")]
fn wait_for_bank() {
    std::thread::sleep(Duration::from_secs(600));
}

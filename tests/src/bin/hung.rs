//! Hangs: every worker sleeps in a poll of its own task. For the test that attaches afterwards.

#![expect(clippy::print_stdout, reason = "the test reads what it prints")]

use std::time::Duration;

const WORKERS: usize = 2;

fn main() {
    let runtime = pollscope::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        for _ in 0..WORKERS {
            drop(pollscope::spawn(stuck()));
        }
        println!("ready");
        std::future::pending::<()>().await;
    });
}

async fn stuck() {
    // The first poll goes well: what hangs is a task that had worked.
    tokio::task::yield_now().await;
    hang();
}

#[inline(never)]
fn hang() {
    std::thread::sleep(Duration::from_secs(3600));
    // Without it the call is the function's last act, and its frame is gone.
    std::hint::black_box(());
}

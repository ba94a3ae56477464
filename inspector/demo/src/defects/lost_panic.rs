//! A task panics and nobody asks how it ended. Found as `leaked_panic`.

use super::every;

pub(super) async fn run() {
    every(5, async || {
        drop(pollscope::spawn(import("12,x")));
    })
    .await;
}

/// Reads a row, and trusts it too much.
async fn import(row: &'static str) {
    tokio::task::yield_now().await;
    let sum: u32 = row
        .split(',')
        .map(|cell| cell.parse::<u32>().expect("a number in every cell"))
        .sum();
    std::hint::black_box(sum);
}

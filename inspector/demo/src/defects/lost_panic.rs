//! A task panics and nobody asks how it ended. Found as `leaked_panic`.

use super::beat;

pub(super) async fn run() {
    let mut beat = beat(5);
    loop {
        beat.tick().await;
        drop(pollscope::spawn(import("12,x")));
    }
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

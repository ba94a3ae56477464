//! A task of ours sleeps with the thread's sleep, and holds its worker. Found as `slow_poll`.

use std::time::Duration;

use super::beat;

pub(super) async fn run() {
    let mut beat = beat(3);
    loop {
        beat.tick().await;
        settle();
    }
}

/// Waits for the bank, in the wrong way.
#[inline(never)]
fn settle() {
    std::thread::sleep(Duration::from_millis(250));
}

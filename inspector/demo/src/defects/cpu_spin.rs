//! A task computes for a quarter of a second without a point to yield. Found as `slow_poll`, on the CPU.

use std::time::{Duration, Instant};

use super::beat;

pub(super) async fn run() {
    let mut beat = beat(4);
    loop {
        beat.tick().await;
        checksum();
    }
}

/// Adds things up, for too long.
#[inline(never)]
fn checksum() {
    let start = Instant::now();
    let mut sum = 0_u64;
    while start.elapsed() < Duration::from_millis(250) {
        for byte in 0..10_000_u64 {
            sum = std::hint::black_box(sum.rotate_left(5) ^ byte);
        }
    }
}

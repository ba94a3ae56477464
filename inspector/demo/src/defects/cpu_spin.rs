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

/// What it computes between two looks at the clock takes less.
const STEP: Duration = Duration::from_millis(1);

/// Adds things up, for too long: by time on a CPU, so that a busy machine is not to blame for it.
#[inline(never)]
fn checksum() {
    let mut sum = 0_u64;
    let mut computed = Duration::ZERO;
    let mut last = Instant::now();
    while computed < Duration::from_millis(250) {
        for byte in 0..10_000_u64 {
            sum = std::hint::black_box(sum.rotate_left(5) ^ byte);
        }
        // Longer than a step is the time of others.
        computed += last.elapsed().min(STEP);
        last = Instant::now();
    }
}

//! A task is spawned for every event and waits for one that never comes: the site's live count only grows.

use std::future;

use super::beat;

/// How many are let go: the demo may run for days.
const MOST: usize = 5_000;

pub(super) async fn run() {
    let mut spawned = 0;
    let mut beat = beat(1);
    loop {
        beat.tick().await;
        for _ in 0..5 {
            if spawned < MOST {
                drop(pollscope::spawn(watch()));
                spawned += 1;
            }
        }
    }
}

/// Waits for a confirmation that nobody will send.
async fn watch() {
    future::pending::<()>().await;
}

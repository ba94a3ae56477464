//! A task is spawned for every order and waits until it is confirmed. Of those that are refused nobody ever says so:
//! they stay, and the site's live count only grows.

use tokio::sync::oneshot;

use super::beat;

/// How many are let go: the demo may run for days.
const MOST: usize = 5_000;

pub(super) async fn run() {
    let mut refused = Vec::new();
    let mut beat = beat(1);
    loop {
        beat.tick().await;
        for order in 0..10 {
            let (confirm, confirmed) = oneshot::channel();
            drop(pollscope::spawn(watch(confirmed)));
            if order % 2 == 0 || refused.len() == MOST {
                // A watcher that is gone has nothing to be told.
                let _ = confirm.send(());
            } else {
                // The mistake: the sender is kept, and nothing is sent.
                refused.push(confirm);
            }
        }
    }
}

/// Waits for a confirmation.
async fn watch(confirmed: oneshot::Receiver<()>) {
    let _ = confirmed.await;
}

//! A std mutex is held while something slow happens, and another task blocks its worker to get it.
//! Found as `slow_poll` of both, the second one waiting for a lock.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::{beat, spawn};

type Ledger = Arc<Mutex<u64>>;

pub(super) fn start() {
    let ledger = Ledger::default();
    spawn("ledger writer", writer(Arc::clone(&ledger)));
    spawn("ledger reader", reader(ledger));
}

async fn writer(ledger: Ledger) {
    let mut beat = beat(3);
    loop {
        beat.tick().await;
        write(&ledger);
    }
}

/// Holds the lock over a slow write.
#[inline(never)]
fn write(ledger: &Ledger) {
    let mut balance = ledger.lock().unwrap_or_else(PoisonError::into_inner);
    std::thread::sleep(Duration::from_millis(300));
    *balance += 1;
}

async fn reader(ledger: Ledger) {
    let mut beat = beat(3);
    loop {
        beat.tick().await;
        // Let the writer come first.
        tokio::time::sleep(Duration::from_millis(50)).await;
        read(&ledger);
    }
}

/// Waits for the lock on a worker.
#[inline(never)]
fn read(ledger: &Ledger) {
    let balance = ledger.lock().unwrap_or_else(PoisonError::into_inner);
    std::hint::black_box(*balance);
}

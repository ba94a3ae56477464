//! A task fails and nobody looks at its handle. Found as `leaked_error`.

use std::io;

use super::beat;

pub(super) async fn run() {
    let mut beat = beat(2);
    loop {
        beat.tick().await;
        let handle = pollscope::spawn!(append());
        drop(handle);
    }
}

/// Appends to the audit log, and fails.
async fn append() -> io::Result<()> {
    tokio::task::yield_now().await;
    Err(io::Error::new(
        io::ErrorKind::StorageFull,
        "audit log is full",
    ))
}

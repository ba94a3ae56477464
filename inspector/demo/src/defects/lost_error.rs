//! A task fails and nobody looks at its handle. Found as `leaked_error`.

use std::io;

use super::every;

pub(super) async fn run() {
    every(2, async || {
        let handle = pollscope::spawn!(append());
        drop(handle);
    })
    .await;
}

/// Appends to the audit log, and fails.
async fn append() -> io::Result<()> {
    tokio::task::yield_now().await;
    Err(io::Error::new(
        io::ErrorKind::StorageFull,
        "audit log is full",
    ))
}

//! The same in a plain axum handler, inside a task that the library spawned. Found as `worker_blocked`.

use std::net::SocketAddr;
use std::time::Duration;

use super::beat;
use crate::client::Connection;

/// The handler of `GET /invoice`.
pub(crate) async fn invoice() -> &'static str {
    render();
    "invoice"
}

/// Renders a document, in the wrong way.
#[inline(never)]
fn render() {
    std::thread::sleep(Duration::from_millis(300));
}

/// Asks for an invoice now and then.
pub(super) async fn run(addr: SocketAddr) {
    let mut beat = beat(3);
    loop {
        beat.tick().await;
        if let Ok(mut connection) = Connection::open(addr).await {
            // Only the asking matters here.
            let _ = connection.request("GET", "/invoice", "").await;
        }
    }
}

//! P25: `ValueError: the socket must be non-blocking`.

use crate::row::Row;

/// What a release build of Tokio does not check is not reported: see `pollscope explain blocking_socket`.
#[cfg(debug_assertions)]
#[test]
fn p25_blocking_socket() {
    let row = Row::faulty("p25");
    let warning = row.warning("blocking_socket");
    row.is_at(&warning["site"], "given");
    row.is_at(&warning["observed"]["site"], "given");
    assert_eq!(warning["severity"], "error", "{warning:#}");
    assert_eq!(warning["count"], 1, "{warning:#}");
    let message = warning["message"].as_str().unwrap_or_default();
    assert!(
        message.starts_with("A blocking socket was given to a runtime, at "),
        "{message}"
    );
}

#[test]
fn p25_socket_that_does_not_block() {
    Row::healthy("p25").is_silent("blocking_socket");
}

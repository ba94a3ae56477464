//! P20: `unhandled exception during asyncio.run() shutdown`.

use crate::row::Row;

#[test]
fn p20_shutdown_panic() {
    let row = Row::faulty("p20");
    let warning = row.warning("shutdown_panic");
    row.is_at(&warning["site"], "spawned");
    row.is_at(&warning["observed"]["site"], "panics");
    assert_eq!(warning["severity"], "error", "{warning:#}");
    assert_eq!(warning["count"], 1, "{warning:#}");
    let message = warning["message"].as_str().unwrap_or_default();
    assert!(
        message.contains("panicked while its runtime shut down: the connection was left open"),
        "{message}"
    );
    assert!(
        row.warnings("leaked_panic").is_empty(),
        "one record of one panic"
    );
    Row::healthy("p20").is_silent("shutdown_panic");
}

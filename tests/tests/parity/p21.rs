//! P21: `ResourceWarning: subprocess 123 is still running`.

use crate::row::Row;

#[test]
fn p21_resources() {
    let row = Row::faulty("p21");
    let warning = row.warning("resource_leak");
    row.is_at(&warning["site"], "spawned");
    assert_eq!(warning["severity"], "warn", "{warning:#}");
    assert_eq!(warning["count"], 1, "{warning:#}");
    let message = warning["message"].as_str().unwrap_or_default();
    assert!(
        message.contains("(sleep) was dropped while it runs, and nobody waited for it"),
        "{message}"
    );
    let stack = warning["observed"]["backtrace"].to_string();
    assert!(stack.contains("p21_resources"), "the drop: {stack}");
    Row::healthy("p21").is_silent("resource_leak");
}

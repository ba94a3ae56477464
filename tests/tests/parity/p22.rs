//! P22: an async generator that is dropped midway, where that matters.

use crate::row::Row;

#[test]
fn p22_streams() {
    let row = Row::faulty("p22");
    let warning = row.warning("resource_leak");
    row.is_at(&warning["site"], "made");
    assert_eq!(warning["count"], 1, "{warning:#}");
    let message = warning["message"].as_str().unwrap_or_default();
    assert!(
        message.contains("was dropped before its end, after 1 of its items"),
        "{message}"
    );
    Row::healthy("p22").is_silent("resource_leak");
}

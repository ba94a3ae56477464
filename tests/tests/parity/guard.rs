//! A span's guard held across an await.

use crate::row::Row;

#[test]
fn guard_across_await() {
    let row = Row::faulty("guard");
    let warning = row.warning("lock_across_await");
    row.is_at(&warning["site"], "spawned");
    row.is_at(&warning["observed"]["site"], "span");
    assert_eq!(warning["severity"], "warn", "{warning:#}");
    assert!(warning["task"]["id"].as_u64() > Some(0), "{warning:#}");
    let message = warning["message"].as_str().unwrap_or_default();
    assert!(
        message.contains("holds the guard of span \"settle\" across an await, made at "),
        "{message}"
    );
    Row::healthy("guard").is_silent("lock_across_await");
}

//! P15: `Getting address info localhost:80 took 150.000 ms`.

use crate::row::Row;

#[test]
fn p15_slow_lookup() {
    let row = Row::faulty("p15");
    let warning = row.warning("slow_lookup");
    row.is_at(&warning["site"], "asked");
    assert_eq!(warning["severity"], "info", "{warning:#}");
    assert_eq!(warning["count"], 1, "{warning:#}");
    let took = warning["wall_ns"].as_u64();
    assert!(took.is_some_and(|ns| ns >= 140_000_000), "{warning:#}");
    let message = warning["message"].as_str().unwrap_or_default();
    assert!(
        message.starts_with("Getting address info localhost:80 took ") && message.contains(" ms"),
        "{message}"
    );
    Row::healthy("p15").is_silent("slow_lookup");
}

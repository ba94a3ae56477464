//! P9: `asyncio.run_coroutine_threadsafe`, whose unread failure asyncio does not tell of.

use crate::row::Row;

#[test]
fn p09_coroutine_threadsafe() {
    let row = Row::faulty("p09");
    let warning = row.warning("leaked_error");
    row.is_at(&warning["site"], "failed");
    assert_eq!(warning["error"]["display"], "no payer", "{warning:#}");
    assert_eq!(warning["count"], 1, "{warning:#}");
    assert!(warning["task"]["id"].as_u64() > Some(0), "{warning:#}");
    Row::healthy("p09").is_silent("leaked_error");
}

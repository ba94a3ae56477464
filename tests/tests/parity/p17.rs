//! P17: `Exception in callback settle()`.

use crate::row::Row;

#[test]
fn p17_callback_panic() {
    let row = Row::faulty("p17");
    let warning = row.warning("callback_panic");
    row.is_at(&warning["site"], "asked");
    row.is_at(&warning["observed"]["site"], "panicked");
    assert_eq!(warning["severity"], "error", "{warning:#}");
    assert_eq!(warning["certainty"], "definite", "{warning:#}");
    assert_eq!(warning["count"], 1, "{warning:#}");
    assert!(warning["task"]["id"].as_u64() > Some(0), "{warning:#}");
    let message = warning["message"].as_str().unwrap_or_default();
    let golden = "panicked: order 2 has no payer, at ";
    assert!(message.starts_with("Callback fn()"), "{message}");
    assert!(message.contains(golden), "{message}");
    Row::healthy("p17").is_silent("callback_panic");
}

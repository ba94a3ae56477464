//! P8: `RuntimeError: no running event loop`.

use crate::row::Row;

#[test]
fn p08_no_runtime() {
    let row = Row::faulty("p08");
    let warning = row.warning("no_runtime");
    row.is_at(&warning["site"], "called");
    row.is_at(&warning["observed"]["site"], "called");
    assert_eq!(warning["severity"], "error", "{warning:#}");
    assert_eq!(warning["count"], 1, "{warning:#}");
    let message = warning["message"].as_str().unwrap_or_default();
    assert!(
        message.contains("needs a runtime") && message.contains("there is no reactor running"),
        "{message}"
    );
    Row::healthy("p08").is_silent("no_runtime");
}

//! P24: `RuntimeError: This event loop is already running`, and its like.

use serde_json::Value;

use crate::row::Row;

#[test]
fn p24_nested_runtime() {
    let row = Row::faulty("p24");
    let at = |mark: &str, words: &str| -> Value {
        let warning = row.warning_that("nested_runtime", |warning| {
            warning["site"]["line"] == row.line(mark)
        });
        row.is_at(&warning["site"], mark);
        assert_eq!(warning["severity"], "error", "{warning:#}");
        assert_eq!(warning["count"], 1, "{warning:#}");
        assert!(warning["task"]["id"].as_u64() > Some(0), "{warning:#}");
        let message = warning["message"].as_str().unwrap_or_default();
        assert!(message.contains(words), "{message}");
        warning
    };
    at("nested", "Cannot start a runtime from within a runtime");
    at("blocked", "Cannot block the current thread");
    // A drop has no caller: the task it happened in stands in, and the stack has the line.
    let dropped = at("spawned", "Cannot drop a runtime");
    let stack = dropped["observed"]["backtrace"].to_string();
    assert!(stack.contains("p24_nested_runtime"), "{stack}");
    assert_eq!(row.warnings("nested_runtime").len(), 3);
    Row::healthy("p24").is_silent("nested_runtime");
}

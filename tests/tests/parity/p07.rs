//! P7: `RuntimeError: Non-thread-safe operation invoked on an event loop other than the current one`.

use crate::row::Row;

#[test]
fn p07_wrong_thread_call() {
    let row = Row::faulty("p07");
    let warning = row.warning("wrong_thread");
    row.is_at(&warning["site"], "made");
    row.is_at(&warning["observed"]["site"], "called");
    assert_eq!(warning["severity"], "error", "{warning:#}");
    assert_eq!(warning["certainty"], "definite", "{warning:#}");
    assert_eq!(warning["count"], 1, "{warning:#}");
    let (expected, observed) = (
        &warning["created"]["thread"],
        &warning["observed"]["thread"],
    );
    assert_eq!(expected["name"], "the loop", "{warning:#}");
    assert_eq!(observed["name"], "worker", "{warning:#}");
    let golden = format!(
        "EventLoop::call_soon belongs to thread \"the loop\" ({}) and was called on thread \"worker\" ({}) at ",
        expected["tid"], observed["tid"]
    );
    let message = warning["message"].as_str().unwrap_or_default();
    assert!(message.starts_with(&golden), "{message}");
    Row::healthy("p07").is_silent("wrong_thread");
}

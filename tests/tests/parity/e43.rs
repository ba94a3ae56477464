//! Edge case 43: a destructor that takes long outside of any poll is put to the task's account.

use crate::row::Row;

#[test]
fn e43_slow_drop() {
    let row = Row::faulty("e43");
    for name in ["aborted", "returned", "left"] {
        let slow = row.warning_that("slow_drop", |warning| {
            warning["site"]["line"] == row.line(name) && warning["live"] == false
        });
        row.is_at(&slow["site"], name);
        assert_eq!(slow["count"], 1, "{slow:#}");
        assert_eq!(slow["certainty"], "definite", "{slow:#}");
        assert_ne!(slow["severity"], "info", "{slow:#}");
        assert!(slow["wall_ns"].as_u64() >= Some(300_000_000), "{slow:#}");
        assert_eq!(slow["threshold_ns"], 100_000_000, "{slow:#}");
        assert!(slow["poll"].is_null(), "{slow:#}");
        let message = slow["message"].as_str().unwrap_or_default();
        assert!(message.starts_with("Dropping task "), "{message}");
    }
    assert_eq!(row.warnings("slow_drop").len(), 3);
    // In a poll it is a slow poll, never both; and a worker in a drop of ours is not held by somebody else.
    let slow = row.warning_that("slow_poll", |warning| warning["severity"] != "info");
    row.is_at(&slow["site"], "inside");
    assert!(row.warnings("worker_blocked").is_empty());
    Row::healthy("e43").is_silent("slow_drop");
}

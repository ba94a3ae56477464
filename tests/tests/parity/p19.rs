//! P19: `Task was destroyed but it is pending!`

use serde_json::Value;

use crate::row::Row;

/// Edge cases 10 and 45: who waits, who never ran, and who was still in a poll when the time was over.
#[test]
fn p19_destroyed_pending() {
    let row = Row::faulty("p19");
    let at = |mark: &str| -> Value {
        row.warning_that("pending_destroyed", |warning| {
            warning["site"]["line"] == row.line(mark)
        })
    };
    let never_ran = at("never-ran");
    assert_eq!(never_ran["severity"], "warn", "{never_ran:#}");
    assert_eq!(never_ran["certainty"], "definite", "{never_ran:#}");
    assert_eq!(never_ran["count"], 1, "{never_ran:#}");
    says(
        &never_ran,
        ": it never ran, as its runtime was dropped; spawned at ",
    );
    row.is_at(&never_ran["created"]["site"], "never-ran");

    // What waits for work when its runtime goes is how programs end: a note.
    let waits = at("waits");
    assert_eq!(waits["severity"], "info", "{waits:#}");
    says(
        &waits,
        ": polled once, as its runtime was dropped; spawned at ",
    );

    let stuck = at("stuck");
    assert_eq!(stuck["severity"], "warn", "{stuck:#}");
    says(
        &stuck,
        "still in a poll when the time to shut down was over",
    );
    row.is_at(&stuck["observed"]["site"], "shut-down");
    assert!(stuck["task"]["id"].as_u64() > Some(0), "{stuck:#}");

    Row::healthy("p19").is_silent("pending_destroyed");
}

#[track_caller]
fn says(warning: &Value, text: &str) {
    let message = warning["message"].as_str().unwrap_or_default();
    assert!(message.contains(text), "{message}");
}

//! `task_leak`: tasks of one place hang and become more. Both programs run side by side: it takes most of a minute.

use std::time::Duration;

use pollscope_tests::wait_until;

use crate::row::Row;

/// Five windows of ten seconds, the first of them in part, and a machine full of tests.
const LIMIT: Duration = Duration::from_secs(90);

#[test]
fn leak() {
    let quiet = [("POLLSCOPE", "quiet")];
    let leaks = Row::until("leak", "faulty", &quiet, "growing");
    let grows = Row::until("leak", "healthy", &quiet, "growing");
    let warning = wait_until("task_leak", LIMIT, || leaks.warnings("task_leak").pop());
    leaks.is_at(&warning["site"], "asked");
    assert_eq!(warning["severity"], "warn", "{warning:#}");
    assert_eq!(warning["certainty"], "likely", "{warning:#}");
    assert_eq!(warning["count"], 1, "{warning:#}");
    assert_eq!(warning["live"], true, "{warning:#}");
    let message = warning["message"].as_str().unwrap_or_default();
    assert!(
        message.contains(" have outlived ten times what is usual there"),
        "{message}"
    );
    grows.is_silent("task_leak");
}

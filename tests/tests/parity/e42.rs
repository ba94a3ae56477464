//! Edge case 42: many short polls are no slow poll, and whom they keep waiting is told.

use std::time::Duration;

use crate::row::Row;

const LIMIT: Duration = Duration::from_secs(20);
const THRESHOLD_NS: u64 = 100_000_000;

#[test]
fn e42_sched_delay() {
    let mut row = Row::until("e42", "faulty", &[("POLLSCOPE", "debug")], "busy");
    let delay = row.warning("sched_delay");
    row.is_at(&delay["site"], "waits");
    row.is_at(&delay["created"]["site"], "waits");
    assert_eq!(delay["severity"], "warn", "{delay:#}");
    assert_eq!(delay["certainty"], "definite", "{delay:#}");
    assert_eq!(delay["threshold_ns"], THRESHOLD_NS, "{delay:#}");
    assert!(delay["wall_ns"].as_u64() >= Some(THRESHOLD_NS), "{delay:#}");
    assert!(delay["task"]["id"].as_u64() > Some(0), "{delay:#}");
    assert!(delay["delayed"]["tasks"].as_u64() > Some(0), "{delay:#}");
    let message = delay["message"].as_str().unwrap_or_default();
    assert!(message.contains("for its turn"), "{message}");

    row.program().tell("go on");
    row.program().line("done", LIMIT);
    row.warning_that("sched_delay", |warning| warning["live"] == false);
    // Not one of them is slow.
    let polls = row.warnings("slow_poll");
    assert!(
        polls.iter().all(|poll| poll["severity"] == "info"),
        "{polls:#?}"
    );

    Row::healthy("e42").is_silent("sched_delay");
}

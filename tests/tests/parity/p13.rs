//! P13: what asyncio cannot do: a callback that is stuck is told of while it is.

use std::time::Duration;

use crate::row::Row;

const DEBUG: &[(&str, &str)] = &[("POLLSCOPE", "debug")];
const LIMIT: Duration = Duration::from_secs(20);

/// Edge case 45: a poll that does not return is told while it runs, and only once.
#[test]
fn p13_stuck_now() {
    let mut row = Row::until("p13", "faulty", DEBUG, "stuck");
    let live = row.warning_that("slow_poll", |warning| {
        warning["severity"] == "error" && warning["live"] == true
    });
    row.is_at(&live["site"], "created");
    assert_eq!(live["task"]["name"], "stuck", "{live:#}");
    assert_eq!(live["poll"], 1, "{live:#}");
    assert_eq!(live["count"], 1, "{live:#}");
    assert_eq!(live["verdict"]["state"], "syscall", "{live:#}");
    assert_eq!(live["verdict"]["syscall"], "read", "{live:#}");
    let stack = live["observed"]["backtrace"].to_string();
    assert!(stack.contains("wait_for_a_line"), "{live:#}");
    let so_far = live["wall_ns"].as_u64();
    assert!(so_far >= Some(1_000_000_000), "{live:#}");
    let message = live["message"].as_str().unwrap_or_default();
    assert!(message.contains("has been blocking"), "{message}");

    row.program().tell("go on");
    row.program().line("done", LIMIT);
    row.warning_that("slow_poll", |warning| warning["live"] == false);
    let over = row.warning("slow_poll");
    assert_eq!(over["count"], 1, "told twice, and one: {over:#}");
    assert_eq!(over["severity"], "error", "{over:#}");
    assert_eq!(over["poll"], 1, "{over:#}");
    assert!(over["wall_ns"].as_u64() >= so_far, "{over:#}");
    let message = over["message"].as_str().unwrap_or_default();
    assert!(message.starts_with("Polling task "), "{message}");
}

#[test]
fn p13_waiting_where_it_is_allowed() {
    let mut row = Row::until("p13", "healthy", DEBUG, "stuck");
    row.program().tell("go on");
    row.program().line("done", LIMIT);
    row.is_silent("");
}

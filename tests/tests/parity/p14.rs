//! P14: asyncio 3.7's `poll 50 ms took 1203 ms`, of timers that fire late and not of idleness.

use crate::row::Row;

/// So that a machine that is busy makes no timer of the twin late.
const ENV: &[(&str, &str)] = &[("POLLSCOPE", "debug"), ("POLLSCOPE_SLOW_POLL", "1s")];

#[test]
fn p14_timer_late() {
    let row = Row::start("p14", "faulty", ENV);
    let late = row.warning("timer_late");
    row.is_at(&late["site"], "sleeps");
    assert_eq!(late["severity"], "warn", "{late:#}");
    assert_eq!(late["count"], 1, "{late:#}");
    assert!(late["wall_ns"].as_u64() >= Some(1_100_000_000), "{late:#}");
    assert_eq!(late["threshold_ns"], 1_000_000_000, "{late:#}");
    assert!(late["task"]["id"].as_u64() > Some(0), "{late:#}");
    let message = late["message"].as_str().unwrap_or_default();
    assert!(message.starts_with("A sleep fired "), "{message}");

    Row::start("p14", "healthy", ENV).is_silent("timer_late");
}

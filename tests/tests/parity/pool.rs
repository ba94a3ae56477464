//! `blocking_pool_full`: a closure waits because every thread of the blocking pool is taken.

use std::time::Duration;

use crate::row::Row;

const LIMIT: Duration = Duration::from_secs(20);
const THRESHOLD_NS: u64 = 100_000_000;

#[test]
fn pool_full() {
    is_told("debug");
    Row::healthy("pool").is_silent("blocking_pool_full");
}

#[test]
fn pool_full_in_quiet() {
    is_told("quiet");
    Row::start("pool", "healthy", &[("POLLSCOPE", "quiet")]).is_silent("blocking_pool_full");
}

fn is_told(level: &str) {
    let mut row = Row::until("pool", "faulty", &[("POLLSCOPE", level)], "full");
    let full = row.warning("blocking_pool_full");
    row.is_at(&full["site"], "waits");
    assert_eq!(full["severity"], "warn", "{full:#}");
    assert_eq!(full["certainty"], "definite", "{full:#}");
    assert_eq!(full["count"], 1, "{full:#}");
    assert_eq!(full["live"], true, "{full:#}");
    assert_eq!(full["threshold_ns"], THRESHOLD_NS, "{full:#}");
    let so_far = full["wall_ns"].as_u64();
    assert!(so_far >= Some(THRESHOLD_NS), "{full:#}");
    let message = full["message"].as_str().unwrap_or_default();
    let begins = "The blocking pool is full: 1 closure waits, for ";
    assert!(message.starts_with(begins), "{message}");

    row.program().tell("go on");
    row.program().line("done", LIMIT);
    let over = row.warning_that("blocking_pool_full", |warning| warning["live"] == false);
    assert_eq!(over["count"], 1, "told twice, and one: {over:#}");
    assert!(over["wall_ns"].as_u64() >= so_far, "{over:#}");
    let message = over["message"].as_str().unwrap_or_default();
    let begins = "The blocking pool was full: 1 closure waited, for ";
    assert!(message.starts_with(begins), "{message}");
}

//! P12: `Executing <Task ...> took 0.120 seconds`.

use serde_json::Value;

use crate::row::Row;

const LONG_NS: u64 = 300_000_000;
const THRESHOLD_NS: u64 = 100_000_000;

#[test]
fn p12_slow_poll() {
    let row = Row::faulty("p12");
    row.warning_that("slow_poll", |warning| warning["task"]["name"] == "spins");
    let slow: Vec<Value> = row
        .warnings("slow_poll")
        .into_iter()
        .filter(|warning| warning["severity"] != "info")
        .collect();
    assert_eq!(slow.len(), 2, "one for each task: {slow:#?}");

    let (sleeps, spins) = (&slow[0], &slow[1]);
    row.is_at(&sleeps["site"], "sleeps");
    row.is_at(&sleeps["created"]["site"], "sleeps");
    assert_eq!(sleeps["task"]["name"], "sleeps", "{sleeps:#}");
    assert_eq!(sleeps["poll"], 1, "{sleeps:#}");
    assert!(sleeps["wall_ns"].as_u64() >= Some(LONG_NS), "{sleeps:#}");
    // A sleep uses no CPU, and is a slow poll all the same.
    assert!(sleeps["cpu_ns"].as_u64() < Some(LONG_NS / 2), "{sleeps:#}");
    // A watchdog that got no CPU meanwhile saw nothing of it.
    let verdict = &sleeps["verdict"]["state"];
    assert!(verdict == "syscall" || verdict.is_null(), "{sleeps:#}");

    row.is_at(&spins["site"], "spins");
    assert_eq!(spins["task"]["name"], "spins", "{spins:#}");
    assert_eq!(spins["poll"], 2, "{spins:#}");
    assert!(spins["wall_ns"].as_u64() >= Some(2 * LONG_NS), "{spins:#}");
    assert!(spins["cpu_ns"].as_u64() >= Some(LONG_NS), "{spins:#}");
    assert_eq!(spins["verdict"]["state"], "on_cpu", "{spins:#}");

    for warning in &slow {
        let very = warning["wall_ns"].as_u64() >= Some(1_000_000_000);
        let severity = if very { "error" } else { "warn" };
        assert_eq!(warning["severity"], severity, "{warning:#}");
        assert_eq!(warning["count"], 1, "{warning:#}");
        assert_eq!(warning["live"], false, "{warning:#}");
        assert_eq!(warning["threshold_ns"], THRESHOLD_NS, "{warning:#}");
        let message = warning["message"].as_str().unwrap_or_default();
        assert!(message.starts_with("Polling task "), "{message}");
        assert!(message.contains("(threshold 0.100 s)"), "{message}");
    }
    // Twenty polls of 20 ms are worth a note, and no warning.
    Row::healthy("p12").is_silent("");
}

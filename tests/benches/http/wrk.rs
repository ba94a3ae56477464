//! Load by `wrk`: as many requests as the service answers, over connections that are kept.

use std::process::{Command, Stdio};

use crate::served::Served;

pub(crate) const CONNECTIONS: u32 = 16;
pub(crate) const WARM_UP_S: u32 = 1;
pub(crate) const MEASURED_S: u32 = 2;

pub(crate) fn is_there() -> bool {
    // It has no option that does nothing: `-v` prints its version and fails.
    Command::new("wrk")
        .arg("-v")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok()
}

/// Loads the service for so many seconds: how many requests it answered.
pub(crate) fn load(served: &Served, route: &str, seconds: u32) -> u64 {
    let output = Command::new("wrk")
        .args(["--threads", "1"])
        .args(["--connections", &CONNECTIONS.to_string()])
        .args(["--duration", &format!("{seconds}s")])
        .arg(served.url(route))
        .output()
        .expect("wrk can be run");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && !text.contains("Non-2xx") && !text.contains("Socket errors"),
        "wrk {route}: {text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    text.lines()
        .find_map(|line| line.trim().split_once(" requests in "))
        .and_then(|(requests, _)| requests.parse().ok())
        .expect("wrk says how many requests there were")
}

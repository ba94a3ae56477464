//! P2: the level of logger `asyncio`; without handlers its warnings reach standard error.

use std::time::Duration;

use crate::row::Row;

/// What the program wrote to stderr until it ended.
fn logged(what: &str, env: &[(&str, &str)]) -> Vec<String> {
    let room = pollscope_tests::Room::new();
    let mut command = room.command(env!("CARGO_BIN_EXE_parity"));
    command.args(["p02", what]).envs(env.iter().copied());
    let output = pollscope_tests::Output::of(command, Duration::from_secs(30));
    assert_eq!(output.code(), 0, "{output:?}");
    let lines = output.stderr.lines().filter_map(|line| {
        let line = line.strip_prefix("pollscope: ")?;
        (!line.starts_with("note: ")).then(|| line.to_owned())
    });
    lines.collect()
}

#[test]
fn p02_log_level() {
    let lines = logged("faulty", &[]);
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].starts_with("warn: future "), "{lines:?}");
    assert!(lines[1].starts_with("error: Task "), "{lines:?}");
    let lines = logged("faulty", &[("POLLSCOPE_LOG", "error")]);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].starts_with("error: Task "), "{lines:?}");
    assert_eq!(logged("faulty", &[("POLLSCOPE_LOG", "off")]), [""; 0]);
    assert_eq!(logged("healthy", &[("POLLSCOPE_LOG", "info")]), [""; 0]);
}

#[test]
fn p02_what_is_not_logged_is_shown() {
    let row = Row::start("p02", "faulty", &[("POLLSCOPE_LOG", "error")]);
    let warning = row.warning("never_awaited");
    row.is_at(&warning["site"], "warned");
    assert_eq!(warning["severity"], "warn", "{warning:#}");
    let warning = row.warning("leaked_error");
    row.is_at(&warning["site"], "lost");
    Row::healthy("p02").is_silent("leaked_error");
}

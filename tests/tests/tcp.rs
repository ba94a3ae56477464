//! Over TCP: a port that `ps` tells, a report and a screen through it, and no right but to look.

use std::process::Stdio;
use std::time::Duration;

use pollscope_tests::{Program, Room, Screen, inspector, wait_until};
use serde_json::Value;

#[path = "support/schema.rs"]
mod schema;

/// Its row in the list; others may be there.
fn row(room: &Room, demo: &Program) -> Option<Value> {
    let listed = room.json(&["ps", "--json"]);
    let mut rows = listed.as_array()?.iter();
    rows.find(|row| row["pid"] == demo.pid()).cloned()
}

/// The demo with a port of its own, and where that is.
fn demo(room: &Room) -> (Program, String) {
    let mut command = room.command(inspector());
    command
        .args(["demo", "--serve"])
        .env("POLLSCOPE_BIND", "127.0.0.1:0")
        .stdin(Stdio::null());
    let demo = room.start(command, "ready");
    let port = wait_until("its port in the list", Duration::from_secs(20), || {
        row(room, &demo)?["tcp"].as_str().map(str::to_owned)
    });
    assert!(
        port.starts_with("127.0.0.1:") && !port.ends_with(":0"),
        "{port}"
    );
    (demo, port)
}

#[test]
fn a_port_answers_like_the_socket_and_only_lets_one_look() {
    let room = Room::new();
    let (demo, port) = demo(&room);

    let report = room.json(&["report", &port, "--json", "--for", "5s"]);
    schema::assert_valid(&report);
    assert_eq!(report["target"]["pid"], demo.pid());
    assert_eq!(report["target"]["rights"], "read");
    let tasks = report["tasks"].as_array().map_or(0, Vec::len);
    assert!(tasks > 0 && report["tasks_total"].as_u64() > Some(200));
    let slow = report["warnings"].as_array().is_some_and(|warnings| {
        let mut kinds = warnings.iter().map(|warning| &warning["kind"]);
        kinds.any(|kind| kind == "slow_poll")
    });
    assert!(slow, "{:#}", report["warnings"]);

    let mut screen = Screen::open(&room, &["attach", &port], 120, 35);
    screen.wait_for("LIVE");
    screen.wait_for("settle");
    screen.press("q");
    assert_eq!(screen.exit_code(), 0);

    for refused in [&["set", &port, "level=quiet"][..], &["abort", &port, "1"]] {
        let output = room.pollscope(refused);
        assert_eq!(output.code(), 4, "{refused:?}: {output:?}");
        assert_eq!(output.stderr.lines().count(), 1, "{output:?}");
        assert!(output.stderr.contains("right"), "{output:?}");
    }
    let row = row(&room, &demo).expect("its row");
    assert_eq!(row["level"], "debug", "nothing was changed");
}

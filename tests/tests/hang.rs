//! Hang first, attach later: nobody was attached, nothing was timed, and yet the hang is named.

use std::time::Duration;

use pollscope_tests::{Room, wait_until};

/// Edge case 45, at level quiet, and edge case 59: attached late.
#[test]
fn a_program_that_hung_before_anybody_attached_is_explained() {
    let room = Room::new();
    let mut command = room.command(env!("CARGO_BIN_EXE_hung"));
    command.env("POLLSCOPE", "quiet");
    let hung = room.start(command, "ready");

    let blocked = |report: &serde_json::Value| {
        let warnings = report["warnings"].as_array().cloned().unwrap_or_default();
        warnings.into_iter().find(|warning| {
            warning["kind"] == "slow_poll"
                && warning["live"] == true
                && warning["observed"]["backtrace"]
                    .to_string()
                    .contains("hung::hang")
        })
    };
    let (report, warning) = wait_until("the hang is named", Duration::from_secs(60), || {
        let report = room.json(&["report", &hung.target(), "--json"]);
        blocked(&report).map(|warning| (report, warning))
    });

    assert_eq!(report["target"]["level"], "quiet");
    assert!(
        warning["site"]["file"]
            .as_str()
            .is_some_and(|file| file.ends_with("hung.rs")),
        "{warning:#}"
    );
    assert!(warning["task"]["id"].as_u64() > Some(0), "{warning:#}");
    assert!(
        warning["observed"]["thread"]["tid"].as_u64() > Some(0),
        "{warning:#}"
    );
    assert!(
        warning["wall_ns"].as_u64() >= Some(1_000_000_000),
        "at least so long: {warning:#}"
    );

    // Both workers are held, and will be for an hour; the answer still comes.
    let answer = room.pollscope(&["report", &hung.target()]);
    assert!(answer.status.success(), "{answer:?}");
    assert!(answer.stdout.contains("hung::hang"), "{}", answer.stdout);

    let dump = room.pollscope(&["dump", &hung.target()]);
    assert!(dump.status.success(), "{dump:?}");
    assert_eq!(
        dump.stdout.matches("hung::hang").count(),
        2,
        "both workers: {}",
        dump.stdout
    );
    assert!(
        dump.stdout.contains("hung::main"),
        "the main thread, too: {}",
        dump.stdout
    );
}

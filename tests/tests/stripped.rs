//! A program without its symbols: places are exact all the same, because the compiler put them there, and what stacks
//! lack is said once.

use std::process::{Command, Stdio};
use std::time::Duration;

use pollscope_tests::{Room, wait_until};

/// Edge case 65.
#[test]
#[cfg(target_os = "linux")]
fn a_stripped_program_still_names_its_lines_and_says_what_its_stacks_lack() {
    let room = Room::new();
    let stripped = room.path().join("stripped");
    let strip = Command::new("strip")
        .args(["--strip-all", "-o"])
        .arg(&stripped)
        .arg(env!("CARGO_BIN_EXE_parity"))
        .status();
    assert!(strip.expect("binutils, as for linking").success());

    let mut command = room.command(&stripped);
    command
        .args(["p03", "faulty"])
        .env("POLLSCOPE", "debug")
        .stdin(Stdio::piped());
    let program = room.start(command, "done");
    let (report, warning) = wait_until("never_awaited", Duration::from_secs(20), || {
        let report = room.json(&["report", &program.target(), "--json"]);
        let found = report["warnings"].as_array()?.iter();
        let mut found = found.filter(|warning| warning["kind"] == "never_awaited");
        let warning = found.next()?.clone();
        Some((report, warning))
    });
    assert_eq!(report["target"]["symbols"], "none", "{report:#}");

    let source = include_str!("../src/bin/parity/p03_never_awaited.rs");
    let created = source
        .lines()
        .position(|line| line.ends_with("// @created"));
    let created = created.expect("the row's mark") as u64 + 1;
    assert_eq!(warning["site"]["line"], created, "{warning:#}");
    let file = warning["site"]["file"].as_str().unwrap_or_default();
    assert!(file.ends_with("p03_never_awaited.rs"), "{warning:#}");
    assert_eq!(warning["certainty"], "definite", "{warning:#}");

    let frames = warning["created"]["backtrace"].as_array().expect("frames");
    assert!(!frames.is_empty(), "{warning:#}");
    // The program's own: where the system has debug files of its libraries, those are read.
    let with_line = frames
        .iter()
        .filter(|frame| frame["module"] == "stripped" && frame["line"].as_u64() > Some(0));
    assert_eq!(with_line.count(), 0, "nothing is made up: {warning:#}");

    let text = room.pollscope(&["report", &program.target()]);
    assert!(text.status.success(), "{text:?}");
    assert!(
        text.stdout
            .contains("symbols none (stripped: --symbols FILE")
            && !text.stdout.contains("??"),
        "it says what is missing and what mends it: {}",
        text.stdout
    );
}

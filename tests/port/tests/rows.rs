//! The ported program, run and looked at by the real inspector: each of its tasks is there, by its own line.

use std::fs;
use std::path::Path;
use std::time::Duration;

use pollscope_tests::{Room, wait_until};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(20);

/// The marks in a source file of the program, and their lines.
fn marks(file: &str) -> Vec<(String, u64)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(file);
    let source = fs::read_to_string(path).expect("a source file");
    let marks: Vec<_> = (1..)
        .zip(source.lines())
        .filter_map(|(line, text)| Some((text.split_once("// @")?.1.to_owned(), line)))
        .collect();
    assert!(!marks.is_empty(), "marks in {file}");
    marks
}

fn tasks(report: &Value) -> &[Value] {
    report["tasks"].as_array().map_or(&[], Vec::as_slice)
}

/// How many tasks were spawned at a line of the program.
fn at(report: &Value, file: &str, line: u64) -> usize {
    let here = |task: &&Value| {
        let site = &task["site"];
        let path = site["file"].as_str().unwrap_or_default().replace('\\', "/");
        path.ends_with(&format!("tests/port/src/{file}")) && site["line"] == line
    };
    tasks(report).iter().filter(here).count()
}

#[test]
fn every_task_of_a_ported_program_is_a_row_with_its_own_line() {
    let room = Room::new();
    let program = room.start(room.command(env!("CARGO_BIN_EXE_ported")), "ready");
    // The agent starts by itself, and at its own pace.
    let target = program.target();
    let report = wait_until("a report of all tasks", LIMIT, || {
        let asked = room.pollscope(&["report", &target, "--json", "--limit", "1000"]);
        let report: Value = serde_json::from_str(&asked.stdout).ok()?;
        (asked.status.success() && tasks(&report).len() >= 15).then_some(report)
    });
    for file in ["patterns.rs", "indirect.rs"] {
        for (mark, line) in marks(file) {
            let expected = if mark == "const_generic" { 2 } else { 1 };
            assert_eq!(at(&report, file, line), expected, "{mark}: {report:#}");
        }
    }
    // Passed as a value: its caller is the standard library, so that the future's name must tell.
    let by_name = |task: &&Value| {
        task["type"]
            .to_string()
            .contains("indirect::waits_as_a_value")
    };
    assert_eq!(
        tasks(&report).iter().filter(by_name).count(),
        1,
        "{report:#}"
    );

    let of_kind = |kind: &str| {
        tasks(&report)
            .iter()
            .filter(|task| task["kind"] == kind)
            .count()
    };
    assert_eq!(
        (of_kind("local"), of_kind("blocking")),
        (1, 1),
        "{report:#}"
    );
    assert_eq!(
        report["uninstrumented_tasks"], 0,
        "none by Tokio's own spawn"
    );
    let told = report["warnings"].as_array().map_or(0, Vec::len);
    assert_eq!(told, 0, "a healthy program: {:#}", report["warnings"]);
}

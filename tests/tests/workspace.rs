//! A workspace of twenty crates as somebody wrote it for Tokio, with every way to spawn and what services are made of:
//! ported by its manifest. It compiles, its tests end as they did before, and tasks of all its crates are seen.
//!
//! The sources are in `tests/workspace`, a file for each crate, and know nothing of pollscope; the manifests around
//! them are made here.

#[path = "workspace/generated.rs"]
mod generated;

use std::collections::BTreeSet;
use std::time::Duration;

use generated::{CRATES, Tokio, Workspace};
use pollscope_tests::{Room, Screen, inspector, wait_until};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(20);

#[test]
fn twenty_crates_are_ported_by_a_line() {
    assert_eq!(CRATES.len(), 20);
    let workspace = Workspace::new();

    let plain = workspace.manifest(Tokio::Plain);
    let before = tests(&workspace);
    let ported = workspace.manifest(Tokio::Ported);
    let after = tests(&workspace);

    // Tokio's line, and that of tokio-util for the two crates that use its handles.
    let changed: Vec<_> = plain
        .lines()
        .zip(ported.lines())
        .filter(|(before, after)| before != after)
        .map(|(before, _)| before.split(' ').next().expect("a name"))
        .collect();
    assert_eq!(changed, ["tokio", "tokio-util"]);
    assert_eq!(plain.lines().count(), ported.lines().count());

    assert_eq!(before, after);
    let tested: BTreeSet<_> = after.iter().map(|(name, ..)| name.as_str()).collect();
    assert_eq!(tested, names());
    let failed: Vec<_> = after.iter().filter(|(.., end)| end != "ok").collect();
    assert!(failed.is_empty(), "{failed:?}");

    seen(&workspace);
}

fn names() -> BTreeSet<&'static str> {
    CRATES.iter().map(|(name, _)| *name).collect()
}

/// All tests of the workspace: the crate, the test's name, how it ended.
fn tests(workspace: &Workspace) -> BTreeSet<(String, String, String)> {
    let room = Room::new();
    let mut ends = BTreeSet::new();
    for (name, executable) in workspace.build(&["test", "--workspace", "--no-run"]) {
        let output = room.command(executable).output().expect("the tests start");
        let said = String::from_utf8_lossy(&output.stdout);
        let tests = said.lines().filter_map(|line| {
            let (test, end) = line.strip_prefix("test ")?.split_once(" ... ")?;
            Some((name.clone(), test.to_owned(), end.to_owned()))
        });
        ends.extend(tests);
        assert!(output.status.success(), "{name}: {output:?}");
    }
    ends
}

/// The service runs, and each crate has tasks in the report, by the file that spawned them or the type of the future.
fn seen(workspace: &Workspace) {
    let built = workspace.build(&["build", "--package", "app"]);
    let (_, app) = built.last().expect("the service");
    // Built before the clock starts.
    inspector();
    let room = Room::new();
    let program = room.start(room.command(app), "ready");
    let target = program.target();
    wait_until("tasks of every crate", LIMIT, || {
        let asked = room.pollscope(&["report", &target, "--json", "--limit", "1000"]);
        let report: Value = serde_json::from_str(&asked.stdout).ok()?;
        let tasks = report["tasks"].as_array()?;
        let placed: BTreeSet<_> = tasks.iter().filter_map(crate_of).collect();
        let told: BTreeSet<_> = tasks
            .iter()
            .filter_map(|task| task["crate"].as_str())
            .collect();
        let missing: Vec<_> = names()
            .into_iter()
            // What `rpc` spawns is a future of tonic's.
            .filter(|name| {
                let defines = if *name == "rpc" { "tonic" } else { name };
                !placed.contains(*name) || !told.contains(defines)
            })
            .collect();
        if !missing.is_empty() {
            eprintln!("not seen yet: {missing:?}");
        }
        missing.is_empty().then_some(())
    });
    on_screen(&room, &target);
}

/// The places of one crate by their path and by its name; what the standard library spawned, by the type.
fn on_screen(room: &Room, target: &str) {
    let mut screen = Screen::open(room, &["attach", target], 120, 40);
    screen.wait_for("crates/actor/");
    screen.press("v");
    screen.wait_for("SPAWN SITE");
    for (filter, shown) in [
        ("site:crates/pool/", "crates/pool/src/lib.rs:"),
        ("crate:pool", "crates/pool/src/lib.rs:"),
        ("crate:join-set", "crates/join_set/src/lib.rs:"),
        // In the title of the list.
        ("by_value::wait", "─ 1 of "),
    ] {
        screen.press(&format!("/{filter}\r"));
        wait_until("one crate's places", LIMIT, || {
            let text = screen.text();
            let others = text.contains("crates/web/") || text.contains("crates/actor/");
            (text.contains(shown) && !others).then_some(())
        });
        // Without the filter there are others.
        screen.press("\u{1b}");
        screen.wait_for("crates/actor/");
    }
    screen.press("q");
}

/// By where it was spawned; where the standard library did, by what it is.
fn crate_of(task: &Value) -> Option<String> {
    let file = task["site"]["file"].as_str().unwrap_or_default();
    let by_file = file
        .split_once("crates/")
        .and_then(|(_, path)| path.split('/').next());
    let by_type = || task["type"].as_str().and_then(|ty| ty.split("::").next());
    by_file.or_else(by_type).map(str::to_owned)
}

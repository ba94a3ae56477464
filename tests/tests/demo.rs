//! The demo, read through the inspector: every planted defect is found at its place, and nothing else.

use std::fs;
use std::path::Path;
use std::time::Duration;

use pollscope_tests::{Program, Room, inspector, wait_until};
use serde_json::Value;

#[path = "support/schema.rs"]
mod schema;

/// A defect and how it must be reported.
struct Planted {
    kind: &'static str,
    /// File under `inspector/demo/src`, and a text on the line where the thing is made.
    made: (&'static str, &'static str),
    /// File and text of the line where it goes wrong, to be found in the second stack; "" where the first says all.
    wrong: (&'static str, &'static str),
    verdict: Option<&'static str>,
}

const PLANTED: [Planted; 9] = [
    Planted {
        kind: "never_awaited",
        made: ("defects/forgotten_await.rs", "let _ = email_customer(id);"),
        wrong: ("defects/forgotten_await.rs", "let _ = email_customer(id);"),
        verdict: None,
    },
    Planted {
        kind: "slow_poll",
        made: ("defects.rs", "spawn(\"settle\""),
        wrong: ("defects/sleep_in_task.rs", "std::thread::sleep"),
        verdict: Some("syscall"),
    },
    Planted {
        kind: "worker_blocked",
        made: ("", ""),
        wrong: ("defects/sleep_in_handler.rs", "std::thread::sleep"),
        verdict: Some("syscall"),
    },
    Planted {
        kind: "slow_poll",
        made: ("defects.rs", "spawn(\"checksum\""),
        wrong: ("defects/cpu_spin.rs", ""),
        verdict: Some("on_cpu"),
    },
    Planted {
        kind: "slow_poll",
        made: ("defects/contended_mutex.rs", "spawn(\"ledger writer\""),
        wrong: ("defects/contended_mutex.rs", "std::thread::sleep"),
        verdict: Some("syscall"),
    },
    Planted {
        kind: "slow_poll",
        made: ("defects/contended_mutex.rs", "spawn(\"ledger reader\""),
        wrong: ("defects/contended_mutex.rs", ""),
        verdict: Some("lock"),
    },
    Planted {
        kind: "leaked_error",
        made: ("defects/lost_error.rs", "pollscope::spawn!(append())"),
        wrong: ("", ""),
        verdict: None,
    },
    Planted {
        kind: "leaked_panic",
        made: ("defects/lost_panic.rs", "pollscope::spawn(import("),
        wrong: ("defects/lost_panic.rs", "expect("),
        verdict: None,
    },
    Planted {
        kind: "wrong_thread",
        made: ("defects/owned_elsewhere.rs", "Owned::new("),
        wrong: ("defects/owned_elsewhere.rs", ""),
        verdict: None,
    },
];

fn source(file: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace");
    fs::read_to_string(root.join("inspector/demo/src").join(file)).expect("a source of the demo")
}

/// The line of the first place with this text.
fn line_of(file: &str, text: &str) -> u64 {
    let at = source(file).lines().position(|line| line.contains(text));
    at.unwrap_or_else(|| panic!("{file} has no {text:?}")) as u64 + 1
}

fn is_at(place: &Value, file: &str, text: &str) -> bool {
    place["file"]
        .as_str()
        .is_some_and(|path| path.ends_with(&format!("demo/src/{file}")))
        && (text.is_empty() || place["line"].as_u64() == Some(line_of(file, text)))
}

fn frames(place: &Value) -> &[Value] {
    place["backtrace"].as_array().map_or(&[], Vec::as_slice)
}

impl Planted {
    fn is(&self, warning: &Value) -> bool {
        let (made, said) = self.made;
        let (wrong, text) = self.wrong;
        warning["kind"] == self.kind
            && (made.is_empty() || is_at(&warning["site"], made, said))
            && (wrong.is_empty()
                || frames(&warning["observed"])
                    .iter()
                    .any(|frame| is_at(frame, wrong, text)))
    }

    /// Blamed for it, and not only noted: a poll that got no CPU, as on a crowded machine, is excused and waited out.
    fn is_blamed(&self, warning: &Value) -> bool {
        self.is(warning) && warning["severity"] != "info"
    }
}

fn demo(room: &Room, args: &[&str]) -> Program {
    let mut command = room.command(inspector());
    command
        .args(["demo", "--serve"])
        .args(args)
        .env("POLLSCOPE_BIND", "127.0.0.1:0");
    room.start(command, "ready")
}

fn report(room: &Room, target: &str, time: &str) -> Value {
    room.json(&["report", target, "--json", "--for", time])
}

fn warnings(report: &Value) -> &[Value] {
    report["warnings"].as_array().map_or(&[], Vec::as_slice)
}

/// Where the second stack or the site shows that a warning is about one of the defects.
fn points_at_a_defect(warning: &Value) -> bool {
    let inside = |place: &Value| {
        place["file"]
            .as_str()
            .is_some_and(|path| path.contains("demo/src/defects"))
    };
    inside(&warning["site"]) || frames(&warning["observed"]).iter().any(inside)
}

#[test]
fn every_planted_defect_is_found_at_its_place_and_nothing_else() {
    let room = Room::new();
    let demo = demo(&room, &[]);
    // Asked once: a program that says it is ready can be attached to.
    let listed = room.json(&["ps", "--json"]);
    let row = listed
        .as_array()
        .and_then(|rows| rows.iter().find(|row| row["pid"] == demo.pid()));
    assert!(
        row.is_some_and(|row| row["level"] == "debug"),
        "not listed with its level: {listed:#}"
    );

    let found = wait_until("every defect", Duration::from_secs(180), || {
        let found = report(&room, &demo.target(), "5s");
        let missing: Vec<&Planted> = PLANTED
            .iter()
            .filter(|planted| !warnings(&found).iter().any(|w| planted.is_blamed(w)))
            .collect();
        for planted in &missing {
            eprintln!(
                "not yet: {} at {:?} {:?}",
                planted.kind, planted.made, planted.wrong
            );
        }
        missing.is_empty().then_some(found)
    });

    schema::assert_valid(&found);

    for planted in &PLANTED {
        let same: Vec<&Value> = warnings(&found)
            .iter()
            .filter(|warning| planted.is(warning))
            .collect();
        assert_eq!(
            same.len(),
            1,
            "{} at {:?}: once per site",
            planted.kind,
            planted.made
        );
        if let Some(verdict) = planted.verdict {
            assert_eq!(same[0]["verdict"]["state"], verdict, "{:#}", same[0]);
        }
    }
    for warning in warnings(&found)
        .iter()
        .filter(|warning| warning["severity"] != "info")
    {
        assert!(
            points_at_a_defect(warning),
            "a healthy site is blamed: {warning:#}"
        );
    }

    // Counts grow; records do not multiply.
    let count = |report: &Value, planted: &Planted| {
        let mut same = warnings(report)
            .iter()
            .filter(|warning| planted.is(warning));
        let count = same.next().and_then(|warning| warning["count"].as_u64());
        assert!(
            same.next().is_none(),
            "{} at {:?}: once per site",
            planted.kind,
            planted.made
        );
        count
    };
    let later = wait_until("every count grows", Duration::from_secs(180), || {
        let later = report(&room, &demo.target(), "6s");
        let mut all = true;
        for planted in &PLANTED {
            let (before, now) = (count(&found, planted), count(&later, planted));
            if now <= before {
                all = false;
                eprintln!(
                    "not more yet: {} at {:?} {:?}: {before:?}, {now:?}",
                    planted.kind, planted.made, planted.wrong
                );
            }
        }
        all.then_some(later)
    });

    let growing = |report: &Value| {
        report["sites"].as_array().and_then(|sites| {
            let leak = sites.iter().find(|row| {
                is_at(
                    &row["site"],
                    "defects/leak.rs",
                    "pollscope::spawn(watch(confirmed))",
                )
            })?;
            leak["live"].as_u64()
        })
    };
    assert!(growing(&later) > growing(&found), "the leaking site grows");
}

#[test]
fn a_healthy_program_is_left_alone() {
    // A minute is what a release is checked with: POLLSCOPE_HEALTHY_SECS=60.
    let secs = std::env::var("POLLSCOPE_HEALTHY_SECS").unwrap_or_else(|_| "15".to_owned());
    let room = Room::new();
    let demo = demo(&room, &["--healthy"]);
    let found = report(&room, &demo.target(), &format!("{secs}s"));
    let told: Vec<&Value> = warnings(&found)
        .iter()
        .filter(|warning| warning["severity"] != "info")
        .collect();
    assert!(told.is_empty(), "{told:#?}");
    assert!(
        found["tasks_total"].as_u64() > Some(200),
        "the program was at work: {}",
        found["tasks_total"]
    );
}

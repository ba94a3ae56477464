//! The commands as a user runs them: what they print and how they exit.

use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use pollscope_proto::v1;

use crate::fake::{Fake, Says, hello, update, warning};

/// The binary, with no directories of this user to look into.
fn pollscope() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pollscope"));
    command.env_remove("NO_COLOR").stdin(Stdio::null());
    command
}

pub(crate) fn run(args: &[&str]) -> Output {
    pollscope().args(args).output().unwrap()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[track_caller]
pub(crate) fn ends(output: &Output, code: i32) {
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    let said = text(&output.stderr);
    assert!(!said.contains("panicked"), "{said}");
    assert!(
        !output.stdout.contains(&0x1b) && !output.stderr.contains(&0x1b),
        "{said}"
    );
}

fn with_warning(severity: v1::Severity) -> Fake {
    Fake::start(Says {
        updates: Arc::new(move |view| {
            vec![Ok(v1::Update {
                warnings: vec![v1::Warning {
                    severity: severity.into(),
                    ..warning(1, &[0x10])
                }],
                ..update(view, 1)
            })]
        }),
        names: [(0x10, "orders::settle".to_owned())].into(),
        ..Says::default()
    })
}

#[test]
fn a_report_is_text_or_json() {
    let fake = with_warning(v1::Severity::Warn);
    let output = run(&["report", &fake.target()]);
    ends(&output, 0);
    let printed = text(&output.stdout);
    assert!(printed.starts_with("orders  pid 4194304"), "{printed}");
    assert!(
        printed.contains("orders::settle  src/orders.rs:91"),
        "{printed}"
    );

    let output = run(&["report", &fake.target(), "--json", "--for", "200ms"]);
    ends(&output, 0);
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["schema"], 1);
    assert_eq!(value["tasks"][0]["site"]["line"], 88);
    let schema = include_str!("../../schema/report-1.json");
    let schema = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
    assert!(schema.is_valid(&value), "{value:#}");
}

#[test]
fn attach_without_a_terminal_prints_a_report() {
    let fake = with_warning(v1::Severity::Warn);
    for args in [&["attach", &fake.target()][..], &[&fake.target()]] {
        let output = run(args);
        ends(&output, 0);
        assert!(text(&output.stdout).contains("WARNINGS  0 errors, 1 warning, 0 notes"));
    }
}

#[test]
fn fail_on_exits_with_one_for_warnings_and_not_for_notes() {
    let fake = with_warning(v1::Severity::Warn);
    ends(&run(&["report", &fake.target(), "--fail-on", "any"]), 1);
    ends(
        &run(&[
            "report",
            &fake.target(),
            "--fail-on",
            "leaked_error,slow_poll",
        ]),
        1,
    );
    ends(
        &run(&["report", &fake.target(), "--fail-on", "leaked_error"]),
        0,
    );
    let output = run(&["report", &fake.target(), "--fail-on", "slowpoll"]);
    ends(&output, 2);
    assert!(text(&output.stderr).contains("never_awaited"));
    let fake = with_warning(v1::Severity::Info);
    ends(&run(&["report", &fake.target(), "--fail-on", "any"]), 0);
}

#[test]
fn a_target_that_dies_under_way_is_reported_and_lost() {
    let fake = Fake::start(Says {
        updates: Arc::new(|view| {
            vec![Ok(update(view, 1)), Err(tonic::Status::unavailable("gone"))]
        }),
        ..Says::default()
    });
    let output = run(&["report", &fake.target(), "--for", "1m"]);
    ends(&output, 5);
    assert!(
        text(&output.stdout).starts_with("orders"),
        "what was seen is printed"
    );
    let said = text(&output.stderr);
    assert_eq!(said.lines().count(), 1, "{said}");
    ends(&run(&["watch", &fake.target()]), 5);
}

#[test]
fn watch_prints_a_line_for_each_count() {
    let fake = Fake::start(Says {
        updates: Arc::new(|view| {
            let counted = |seq, count| {
                Ok(v1::Update {
                    warnings: vec![v1::Warning {
                        count,
                        ..warning(1, &[])
                    }],
                    ..update(view, seq)
                })
            };
            let end = Err(tonic::Status::unavailable("gone"));
            vec![counted(1, 1), counted(2, 1), counted(3, 4), end]
        }),
        ..Says::default()
    });
    let output = run(&["watch", &fake.target()]);
    let printed = text(&output.stdout);
    let lines: Vec<_> = printed.lines().collect();
    assert_eq!(lines.len(), 2, "{printed}");
    assert!(
        lines[1].ends_with("!  slow_poll x4: a poll took 120 ms"),
        "{printed}"
    );

    let output = run(&["watch", &fake.target(), "--json"]);
    let printed = text(&output.stdout);
    for line in printed.lines() {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(value["kind"], "slow_poll");
    }
}

#[test]
fn dump_prints_every_thread() {
    let fake = Fake::start(Says {
        threads: vec![
            v1::ThreadStack {
                tid: 5,
                name: "worker-1".to_owned(),
                role: "worker".to_owned(),
                stack: Some(v1::Stack {
                    frames: vec![v1::Frame {
                        module: 0,
                        offset: 0x10,
                    }],
                    ..v1::Stack::default()
                }),
                ..v1::ThreadStack::default()
            },
            v1::ThreadStack {
                tid: 6,
                missing: "it has ended".to_owned(),
                ..v1::ThreadStack::default()
            },
        ],
        names: [(0x10, "orders::settle".to_owned())].into(),
        ..Says::default()
    });
    let output = run(&["dump", &fake.target()]);
    ends(&output, 0);
    let printed = text(&output.stdout);
    assert!(
        printed.contains("thread 5 worker-1 (worker)\n   0  orders::settle"),
        "{printed}"
    );
    assert!(printed.contains("it has ended"), "{printed}");
    let output = run(&["dump", &fake.target(), "--json"]);
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["threads"][0]["place"]["backtrace"][0]["line"], 91);
}

#[test]
fn set_and_abort_say_what_they_did() {
    let fake = Fake::start(Says::default());
    let output = run(&["set", &fake.target(), "level=debug", "slow_poll=50ms"]);
    ends(&output, 0);
    assert_eq!(
        text(&output.stdout),
        "level=debug slow_poll=50ms log=warn depth=10 dedupe=on\n"
    );
    ends(&run(&["abort", &fake.target(), "17"]), 0);
    ends(&run(&["set", &fake.target(), "level=loud"]), 2);
}

#[test]
fn an_old_target_is_refused_in_one_line() {
    let fake = Fake::start(Says {
        hello: Ok(v1::HelloReply {
            protocol: 0,
            protocol_min: 3,
            protocol_max: 4,
            ..hello()
        }),
        ..Says::default()
    });
    let output = run(&["report", &fake.target()]);
    ends(&output, 4);
    let said = text(&output.stderr);
    assert!(
        said.contains("speaks protocol 3-4, this pollscope 1"),
        "{said}"
    );
    assert_eq!(said.lines().count(), 1);
}

#[test]
fn run_passes_the_status_on() {
    ends(&run(&["run", "--", "sh", "-c", "exit 7"]), 7);
    ends(&run(&["run", "--", "sh", "-c", "kill -9 $$"]), 137);
    ends(&run(&["run", "--", "true"]), 0);
    let output = run(&[
        "run",
        "--debug",
        "--",
        "sh",
        "-c",
        "echo $POLLSCOPE $POLLSCOPE_RIGHTS",
    ]);
    assert_eq!(text(&output.stdout), "debug abort\n");
    let output = run(&["run", "--", "/nowhere/at/all"]);
    ends(&output, 127);
    assert!(text(&output.stderr).contains("/nowhere/at/all"));
}

#[test]
fn run_passes_signals_on() {
    use std::io::{BufRead, BufReader};
    let mut child = pollscope()
        .args([
            "run",
            "--",
            "sh",
            "-c",
            "trap 'exit 9' TERM; echo ready; while :; do sleep 0.05; done",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap())
        .read_line(&mut line)
        .unwrap();
    let pid = rustix::process::Pid::from_raw(child.id() as i32).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(9));
}

#[test]
fn a_closed_pipe_ends_quietly() {
    for args in [
        &["explain", "slow_poll"][..],
        &["man"],
        &["completions", "bash"],
    ] {
        let mut child = pollscope()
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        ends(&output, 0);
        assert_eq!(text(&output.stderr), "", "{args:?}");
    }
}

#[test]
fn colours_come_only_when_asked_for() {
    let fake = with_warning(v1::Severity::Warn);
    let output = run(&["report", &fake.target(), "--color", "always"]);
    assert!(output.stdout.contains(&0x1b));
    let output = run(&["report", &fake.target(), "--color", "never"]);
    assert!(!output.stdout.contains(&0x1b));
}

#[test]
fn explain_knows_the_kinds_of_the_contract_and_lists_them() {
    for kind in pollscope_proto::kinds::ALL {
        let output = run(&["explain", kind]);
        ends(&output, 0);
        let said = text(&output.stdout);
        assert!(said.starts_with(&format!("{kind}: ")), "{said}");
        assert!(said.contains("\nTo silence it\n  "), "{said}");
        assert!(said.contains("\nWhen it is wrong\n  "), "{said}");
    }
    let output = run(&["explain", "gremlins"]);
    ends(&output, 2);
    let said = text(&output.stderr);
    assert!(
        said.contains("wrong_thread") && !said.contains("lost_waker"),
        "{said}"
    );
    let said = text(&run(&["explain", "lost_waker"]).stdout);
    assert!(
        said.starts_with("lost_waker: (not detected yet) "),
        "{said}"
    );
}

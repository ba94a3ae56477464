//! What is printed of one snapshot with something of everything in it.

use super::*;
use crate::model::{
    Clock, Delayed, Distribution, ErrorText, Found, FoundState, Frame, Outcome, Outcomes, Place,
    Runtime, Severity, Site, SiteRow, Task, TaskKind, TaskRef, TaskState, Thread, ThreadRef,
    Totals, Verdict, Warning, WarningKind,
};

fn site(file: &str, line: u32) -> Site {
    Site {
        file: file.to_owned(),
        line,
        column: 5,
        ..Site::default()
    }
}

fn frame(function: &str, file: &str, line: u32) -> Frame {
    Frame {
        function: function.to_owned(),
        file: file.to_owned(),
        line,
        module: "orders".to_owned(),
        offset: 0x1234,
        inlined: false,
    }
}

fn place(name: &str, tid: u32, frames: Vec<Frame>) -> Place {
    Place {
        site: Some(site("src/orders.rs", 88)),
        thread: Some(ThreadRef {
            tid,
            name: name.to_owned(),
        }),
        backtrace: frames,
        exemplar: false,
    }
}

fn stack() -> Vec<Frame> {
    let registry = "/h/.cargo/registry/src/index-1/tokio-1.54.1/src/runtime/task/core.rs";
    vec![
        frame("clock_nanosleep", "", 0),
        frame(
            "std::thread::sleep",
            "/rustc/abc/library/std/src/thread/mod.rs",
            40,
        ),
        frame("orders::settle", "src/orders.rs", 91),
        frame("orders::handle::{{closure}}", "src/orders.rs", 70),
        frame(
            "<pollscope_capture::Instrumented<F> as core::future::future::Future>::poll",
            "",
            0,
        ),
        frame("tokio::runtime::task::core::Core<T,S>::poll", registry, 331),
        Frame {
            module: "libc.so.6".to_owned(),
            offset: 0x94ac3,
            ..Frame::default()
        },
    ]
}

fn slow_poll() -> Warning {
    Warning {
        id: 1,
        kind: WarningKind("slow_poll".to_owned()),
        severity: Severity::Error,
        certainty: "definite".to_owned(),
        live: true,
        count: 12,
        first_ns: 1_000_000_000,
        last_ns: 9_000_000_000,
        message: "a poll has run for 3.2 s".to_owned(),
        site: Some(site("src/orders.rs", 88)),
        task: Some(TaskRef {
            id: 17,
            name: "settle".to_owned(),
        }),
        created: place(
            "main",
            1,
            vec![
                frame(
                    "core::bool::then",
                    "/rustc/abc/library/core/src/bool.rs",
                    66,
                ),
                frame("pollscope_capture::backtrace::of_creation", "", 0),
                frame("orders::main", "src/main.rs", 12),
            ],
        ),
        observed: place("worker-1", 2, stack()),
        verdict: Some(Verdict {
            state: "syscall".to_owned(),
            syscall: Some("clock_nanosleep".to_owned()),
        }),
        wall_ns: Some(3_200_000_000),
        cpu_ns: Some(20_000),
        threshold_ns: Some(100_000_000),
        poll: Some(3),
        sub_future: None,
        delayed: Some(Delayed {
            tasks: 41,
            max_ns: 3_100_000_000,
        }),
        error: None,
        worst_ns: Some(4_000_000_000),
        tasks: 3,
    }
}

fn leaked_error() -> Warning {
    Warning {
        id: 2,
        kind: WarningKind("leaked_error".to_owned()),
        severity: Severity::Warn,
        certainty: "likely".to_owned(),
        count: 1,
        site: Some(site("src/mail.rs", 7)),
        error: Some(ErrorText {
            type_name: "std::io::Error".to_owned(),
            display: Some("connection refused".to_owned()),
            debug: None,
        }),
        ..Warning::default()
    }
}

fn sites(poll: &Distribution) -> Vec<SiteRow> {
    vec![
        SiteRow {
            live: 40,
            live_per_min: 2.5,
            spawned: 88_100,
            polls: 1_200_000,
            busy_ns: Some(4_500_000_000),
            future_bytes: 512,
            poll_ns: Some(poll.clone()),
            ..SiteRow::of(site("src/orders.rs", 88))
        },
        SiteRow {
            live: 3,
            ended: 1_210,
            outcomes: Some(Outcomes {
                ok: 1_200,
                error: 8,
                panic: 1,
                aborted: 1,
            }),
            slow_polls: Some(2),
            busy_ns: Some(1_500_000_000),
            poll_ns: Some(poll.clone()),
            ..SiteRow::of(Site {
                name: "GET /orders/{id}".to_owned(),
                kind: TaskKind::Request,
                ..site("src/api.rs", 41)
            })
        },
    ]
}

pub(crate) fn snapshot() -> Snapshot {
    let poll = Distribution {
        p50: 1_000,
        p90: 12_000,
        p99: 120_000_000,
        max: 3_200_000_000,
        ..Distribution::default()
    };
    let task = Task {
        id: 17,
        tokio_id: "9".to_owned(),
        runtime: 1,
        name: "settle".to_owned(),
        type_name: "orders::settle::{async_fn_env#0}".to_owned(),
        state: TaskState::Running,
        site: site("src/orders.rs", 88),
        age_ns: 8_000_000_000,
        future_bytes: 512,
        polls: 88_123,
        wakes: Some(88_000),
        busy_ns: Some(4_500_000_000),
        max_poll_ns: Some(3_200_000_000),
        ..Task::default()
    };
    Snapshot {
        target: Target {
            pid: 4821,
            name: "orders".to_owned(),
            uptime_s: 8040.0,
            pollscope: "0.1.0".to_owned(),
            tokio: "1.54.1".to_owned(),
            level: Level::Debug,
            level_source: "env".to_owned(),
            symbols: "full".to_owned(),
            capabilities: vec!["peek".to_owned()],
            clock: Clock {
                mono_ns: 9_000_000_000,
                unix_ns: 1_763_816_531_000_000_000,
            },
            ..Target::default()
        },
        runtimes: vec![Runtime {
            id: 1,
            name: "main".to_owned(),
            flavor: "multi_thread".to_owned(),
            workers: 2,
        }],
        tasks_total: 1284,
        tasks: vec![task],
        matched: 1284,
        sites: sites(&poll),
        threads: vec![
            Thread {
                tid: 2,
                name: "worker-1".to_owned(),
                runtime: Some(1),
                role: "worker".to_owned(),
                busy_ratio: Some(0.93),
                current_task: Some(17),
                current_poll_ns: 3_200_000_000,
                ..Thread::default()
            },
            Thread {
                tid: 3,
                name: "worker-2".to_owned(),
                role: "worker".to_owned(),
                now: "parked".to_owned(),
                ..Thread::default()
            },
        ],
        warnings: vec![leaked_error(), slow_poll()],
        totals: Totals {
            running: 1,
            idle: 1283,
            spawned: 88_100,
            polls: 1_200_000,
            ..Totals::default()
        },
        ..Snapshot::default()
    }
}

fn printed(print: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> String {
    let mut out = Vec::new();
    print(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_report_is_readable() {
    insta::assert_snapshot!(printed(|out| text(out, &snapshot(), Paint::new(false))));
}

#[test]
fn a_failure_that_nobody_read_is_told_with_its_age() {
    let mut failed = snapshot();
    let task = &mut failed.tasks[0];
    (task.state, task.outcome) = (TaskState::Done, Some(Outcome::Error));
    task.unread_ns = Some(12_000_000_000);
    let printed_of = |snapshot: &Snapshot| printed(|out| text(out, snapshot, Paint::new(false)));
    let told = "task 17 ended with an error; unread for 12 s; spawned at src/orders.rs:88\n";
    assert!(
        printed_of(&failed).contains(told),
        "{}",
        printed_of(&failed)
    );
    failed.tasks[0].outcome = Some(Outcome::Panic);
    assert!(printed_of(&failed).contains("task 17 ended by a panic; unread for 12 s;"));
    failed.tasks[0].unread_ns = None;
    assert!(!printed_of(&failed).contains("unread"));
}

#[test]
fn an_empty_report_is_no_error() {
    insta::assert_snapshot!(printed(|out| text(
        out,
        &Snapshot::default(),
        Paint::default()
    )));
}

#[test]
fn colours_are_on_only_where_wanted() {
    let plain = printed(|out| text(out, &snapshot(), Paint::new(false)));
    let painted = printed(|out| text(out, &snapshot(), Paint::new(true)));
    assert!(!plain.contains('\x1b'));
    assert!(painted.contains("\x1b[31;1m!!\x1b[0m"));
    let codes = [
        "\x1b[1m",
        "\x1b[2m",
        "\x1b[36m",
        "\x1b[33m",
        "\x1b[31;1m",
        "\x1b[0m",
    ];
    let stripped = codes
        .iter()
        .fold(painted, |text, code| text.replace(code, ""));
    assert_eq!(stripped, plain);
}

#[test]
fn json_holds_to_its_schema() {
    let schema: serde_json::Value =
        serde_json::from_str(include_str!("../../schema/report-1.json")).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    for snapshot in [snapshot(), Snapshot::default()] {
        let mut out = Vec::new();
        json::<anyhow::Error>(&mut out, &snapshot).unwrap();
        let value: serde_json::Value = serde_json::from_slice(&out).unwrap();
        let errors: Vec<_> = schema.iter_errors(&value).map(|e| e.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new());

        // The schema says something: each field of the contract is missed where it is not there.
        for field in value.as_object().unwrap().keys() {
            let mut less = value.clone();
            less.as_object_mut().unwrap().remove(field);
            assert!(!schema.is_valid(&less), "{field} may be missing");
        }
    }
}

#[test]
fn a_warning_is_one_line() {
    let clock = snapshot().target.clock;
    let line = printed(|out| warning_line(out, &slow_poll(), clock, Paint::default()));
    assert_eq!(
        line,
        "13:02:11Z !! slow_poll x12 src/orders.rs:88 task 17 (settle) now: a poll has run for 3.2 s\n"
    );
}

#[test]
fn a_dump_shows_every_frame_of_every_thread() {
    let blocked = ThreadStack {
        thread: ThreadRef {
            tid: 2,
            name: "worker-1".to_owned(),
        },
        role: "worker".to_owned(),
        task: Some(TaskRef {
            id: 17,
            name: "settle".to_owned(),
        }),
        poll_ns: Some(3_200_000_000),
        place: place("worker-1", 2, stack()),
        verdict: None,
        missing: String::new(),
    };
    let without = ThreadStack {
        thread: ThreadRef {
            tid: 1,
            name: "main".to_owned(),
        },
        role: "other".to_owned(),
        missing: "it ran on and could not be caught".to_owned(),
        ..ThreadStack::default()
    };
    let target = snapshot().target;
    let threads = [without, blocked];
    insta::assert_snapshot!(printed(|out| dump(
        out,
        &target,
        &threads,
        Paint::default()
    )));
}

#[test]
fn a_stack_without_a_frame_of_the_users_is_cut_short() {
    let mut warning = slow_poll();
    warning.observed.backtrace = vec![
        frame("pollscope_capture::backtrace::of_finding", "", 0),
        frame("core::ptr::drop_in_place<x>", "", 0),
    ];
    let others = (0..20).map(|n| frame(&format!("tokio::runtime::f{n}"), "", 0));
    warning.observed.backtrace.extend(others);
    let text = printed(|out| {
        super::warnings::warning(out, &warning, super::frames::SHOWN, Paint::default())
    });
    assert!(!text.contains("of_finding"), "{text}");
    assert!(
        text.contains("drop_in_place") && text.contains("f4"),
        "{text}"
    );
    assert!(!text.contains("f5") && text.contains("… 15 more"), "{text}");
}

#[test]
fn processes_are_listed_with_what_is_wrong_with_them() {
    let found = [
        Found {
            address: "unix:/run/user/1000/pollscope/4821-9.sock".to_owned(),
            state: FoundState::Ready,
            pid: Some(4821),
            name: "orders".to_owned(),
            user: "ana".to_owned(),
            uptime_s: Some(8040.0),
            tasks: Some(1284),
            warnings: Some(2),
            tokio: "1.54.1".to_owned(),
            level: Some(Level::Debug),
            tcp: "127.0.0.1:6670".to_owned(),
            ..Found::default()
        },
        Found {
            address: "unix:/tmp/pollscope-1000/77-1.sock".to_owned(),
            state: FoundState::Stale,
            pid: Some(77),
            user: "ana".to_owned(),
            ..Found::default()
        },
    ];
    insta::assert_snapshot!(printed(|out| processes(out, &found, Paint::default())));
}

#[test]
fn settings_are_printed_as_set_takes_them() {
    let now = Change {
        level: Some(Level::Debug),
        slow_poll_ns: Some(50_000_000),
        log: Some("warn".to_owned()),
        depth: Some(10),
        dedupe: Some(true),
    };
    let line = printed(|out| settings(out, &now));
    assert_eq!(
        line,
        "level=debug slow_poll=50ms log=warn depth=10 dedupe=on\n"
    );
}

#[test]
fn explanations_are_readable() {
    let of = crate::explain::find("never_awaited").unwrap();
    let text = printed(|out| explanation(out, of, Paint::default()));
    insta::assert_snapshot!(text);
}

#[test]
fn annotations_stand_at_their_lines_and_are_escaped() {
    let mut found = snapshot();
    found.warnings[0].message = "lost 10 %,\nand more".to_owned();
    found.warnings.push(Warning {
        severity: Severity::Info,
        ..slow_poll()
    });
    insta::assert_snapshot!(printed(|out| github(out, &found)));
    assert_eq!(printed(|out| github(out, &Snapshot::default())), "");
}

#[test]
fn junit_has_a_failed_case_for_each_warning_that_counts() {
    let mut found = snapshot();
    found.warnings[0].message = "lost <\"a & b\">".to_owned();
    let only_polls = |warning: &Warning| warning.kind.as_str() == "slow_poll";
    insta::assert_snapshot!(printed(|out| junit(out, &found, only_polls)));
    let empty = printed(|out| junit(out, &Snapshot::default(), |_| true));
    assert!(empty.contains(r#"tests="1" failures="0""#), "{empty}");
    assert!(empty.contains(r#"name="no warnings""#), "{empty}");
}

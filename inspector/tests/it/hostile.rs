//! What a target sends may be made to harm a terminal, a script, or our memory.

use std::sync::Arc;
use std::time::Duration;

use pollscope_cli::model::View;
use pollscope_cli::net::Session;
use pollscope_proto::v1;

use crate::fake::{Fake, Says, hello, update, warning, within};

const NASTY: &str = "a\x1b[2J\x1b]0;owned\x07\n\u{202e}b\u{0}\u{9b}1m";

fn nasty() -> String {
    NASTY.to_owned() + &"x".repeat(10_000)
}

fn nasty_update(view: &v1::View) -> v1::Update {
    let site = v1::Site {
        id: 7,
        file: nasty(),
        type_name: nasty(),
        name: nasty(),
        ..v1::Site::default()
    };
    let thread = v1::ThreadRef {
        tid: 1,
        name: nasty(),
    };
    let place = v1::Place {
        site: Some(site.clone()),
        thread: Some(thread),
        stack: Some(v1::Stack {
            frames: vec![
                v1::Frame {
                    module: 0,
                    offset: 1
                };
                10_000
            ],
            ..v1::Stack::default()
        }),
    };
    v1::Update {
        site_names: vec![site.clone()],
        tasks: vec![v1::TaskRow {
            id: u64::MAX,
            site: 7,
            name: nasty(),
            span: nasty(),
            tokio_id: nasty(),
            // Older than the clock, in states that nobody knows.
            created_ns: u64::MAX,
            state: 99,
            outcome: -1,
            kind: 77,
            busy_ns: Some(u64::MAX),
            labels: (0..30).map(|n| (format!("{NASTY}{n}"), nasty())).collect(),
            ..v1::TaskRow::default()
        }],
        sites: vec![v1::SiteRow {
            site: 7,
            live_per_min: f64::NAN,
            outcomes: Some(v1::Outcomes {
                ok: u64::MAX,
                error: u64::MAX,
                panic: u64::MAX,
                aborted: u64::MAX,
            }),
            slow_polls: Some(u64::MAX),
            history_live: vec![1; 100_000],
            poll_ns: Some(v1::Quantiles {
                buckets: vec![1; 100_000],
                ..v1::Quantiles::default()
            }),
            ..v1::SiteRow::default()
        }],
        threads: vec![v1::ThreadRow {
            name: nasty(),
            role: nasty(),
            now: nasty(),
            busy_ratio: Some(f64::INFINITY),
            ..v1::ThreadRow::default()
        }],
        warnings: vec![v1::Warning {
            kind: nasty(),
            message: nasty(),
            certainty: nasty(),
            task_id: 1,
            task_name: nasty(),
            site: Some(site),
            created: Some(place.clone()),
            observed: Some(place),
            verdict: Some(v1::Verdict {
                state: nasty(),
                syscall: nasty(),
            }),
            error: Some(v1::ErrorText {
                type_name: nasty(),
                display: nasty(),
                debug: nasty(),
            }),
            ..warning(1, &[])
        }],
        ..update(view, 1)
    }
}

/// Every string of a JSON value.
fn strings(value: &serde_json::Value, into: &mut Vec<String>) {
    match value {
        serde_json::Value::String(text) => into.push(text.clone()),
        serde_json::Value::Array(items) => items.iter().for_each(|item| strings(item, into)),
        serde_json::Value::Object(fields) => {
            for (key, item) in fields {
                into.push(key.clone());
                strings(item, into);
            }
        }
        _ => {}
    }
}

/// Edge case 56: in JSON, and in whatever a screen is drawn from.
#[test]
fn nothing_that_a_target_sends_reaches_a_terminal_raw() {
    let fake = Fake::start(Says {
        hello: Ok(v1::HelloReply {
            target: Some(v1::Target {
                name: nasty(),
                tokio_version: nasty(),
                level_source: nasty(),
                ..hello().target.unwrap()
            }),
            capabilities: vec![nasty(); 70],
            modules: vec![v1::Module {
                path: format!("/{NASTY}"),
                ..v1::Module::default()
            }],
            ..hello()
        }),
        updates: Arc::new(|view| vec![Ok(nasty_update(view))]),
        names: [(1, nasty()), (0, nasty())].into(),
        ..Says::default()
    });
    let snapshot = within(Duration::from_secs(30), async {
        let session = Session::open(&fake.address()).await.unwrap();
        let mut watch = session.watch(View::default()).patient();
        watch.next().await.unwrap().unwrap()
    });
    let mut found = Vec::new();
    strings(&serde_json::to_value(&snapshot).unwrap(), &mut found);
    assert!(found.len() > 30);
    for text in found {
        assert!(text.len() <= 4096, "{} bytes", text.len());
        assert!(
            !text.chars().any(|c| c.is_control() || c == '\u{202e}'),
            "{text:?}"
        );
        assert!(
            !text.contains("[2J") && !text.contains("owned"),
            "whole sequences go: {text:?}"
        );
    }
    assert!(snapshot.target.capabilities.len() <= 64);
    assert!(snapshot.tasks[0].labels.len() <= 16);
    assert_eq!(snapshot.tasks[0].age_ns, 0);
    assert!(snapshot.warnings[0].observed.backtrace.len() <= 64);
    assert!(snapshot.sites[0].history_live.len() <= 600);
    assert!(snapshot.sites[0].live_per_min.abs() < f64::EPSILON);
}

#[test]
fn a_message_beyond_the_limit_ends_the_stream_and_nothing_else() {
    let fake = Fake::start(Says {
        updates: Arc::new(|view| {
            let tasks = (0..200).map(|id| v1::TaskRow {
                id,
                name: "x".repeat(10_000),
                ..v1::TaskRow::default()
            });
            vec![Ok(v1::Update {
                tasks: tasks.collect(),
                ..update(view, 1)
            })]
        }),
        ..Says::default()
    });
    within(Duration::from_secs(20), async {
        let session = Session::open(&fake.address()).await.unwrap();
        let mut watch = session.watch(View::default());
        let error = watch.next().await.unwrap().unwrap_err();
        assert!(
            error.to_string().contains("more than the protocol allows"),
            "{error}"
        );
        assert_eq!(session.task(1).await.unwrap(), None, "the session goes on");
    });
}

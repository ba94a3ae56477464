//! Opening sessions and asking single questions.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::time::Duration;

use pollscope_cli::model::{Change, Level, Rights, TaskState};
use pollscope_cli::net::{Address, NetError, Session};
use pollscope_proto::v1;
use tonic::Status;

use crate::fake::{Fake, Says, hello, within};

const LIMIT: Duration = Duration::from_secs(20);

fn refused(address: &Address) -> NetError {
    within(LIMIT, Session::open(address)).expect_err("no session")
}

#[test]
fn a_friendly_target_says_who_it_is() {
    let fake = Fake::start(Says::default());
    within(LIMIT, async {
        let session = Session::open(&fake.address()).await.unwrap();
        let hello = session.hello();
        assert_eq!(hello.target.name, "orders");
        assert_eq!(hello.target.level, Level::Debug);
        assert_eq!(hello.target.rights, Rights::Abort);
        assert!((hello.target.uptime_s - 2.0).abs() < 1e-9);
        // The kernel told whose socket it is, whatever the target says of itself.
        assert_eq!(hello.local_pid, Some(std::process::id()));
    });
}

/// Edge case 60: another version.
#[test]
fn another_version_is_refused_with_both_ranges() {
    for (min, max, advice) in [
        (2, 3, "update the pollscope command"),
        (0, 0, "update the pollscope crate of the program"),
    ] {
        let fake = Fake::start(Says {
            hello: Ok(v1::HelloReply {
                protocol: 0,
                refusal: "no version in common".to_owned(),
                protocol_min: min,
                protocol_max: max,
                ..hello()
            }),
            ..Says::default()
        });
        let error = refused(&fake.address());
        assert_eq!(error.exit_code(), 4);
        let text = error.to_string();
        assert!(
            text.contains(advice) && text.contains("this pollscope 1"),
            "{text}"
        );
    }
}

#[test]
fn a_version_that_was_not_offered_is_not_taken() {
    let fake = Fake::start(Says {
        hello: Ok(v1::HelloReply {
            protocol: 9,
            protocol_min: 9,
            protocol_max: 9,
            ..hello()
        }),
        ..Says::default()
    });
    assert!(matches!(refused(&fake.address()), NetError::Version { .. }));
}

#[test]
fn a_target_that_does_not_let_us_in_is_denied() {
    let fake = Fake::start(Says {
        hello: Err(Status::permission_denied("this process is ana's")),
        ..Says::default()
    });
    let error = refused(&fake.address());
    assert_eq!(error.exit_code(), 4);
    assert!(
        error.to_string().contains("this process is ana's"),
        "{error}"
    );
}

#[test]
fn sockets_without_a_listener_are_no_targets() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("1-1.sock");
    assert_eq!(refused(&Address::Unix(path.clone())).exit_code(), 3);
    drop(UnixListener::bind(&path).unwrap());
    let error = refused(&Address::Unix(path));
    assert_eq!(error.exit_code(), 3);
    assert!(error.to_string().contains("its process is gone"), "{error}");
}

#[test]
fn a_port_that_says_nothing_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = Address::Tcp(listener.local_addr().unwrap().to_string());
    let error = refused(&address);
    assert!(matches!(error, NetError::Silent { .. }), "{error}");
}

#[test]
fn a_port_that_speaks_something_else_is_named_so() {
    for greeting in [
        &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..],
        b"SSH-2.0-x\r\n",
        b"",
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = Address::Tcp(listener.local_addr().unwrap().to_string());
        std::thread::spawn(move || {
            while let Ok((mut stream, _)) = listener.accept() {
                let _ = stream.read(&mut [0; 16]);
                let _ = stream.write_all(greeting);
            }
        });
        let error = refused(&address);
        assert!(matches!(error, NetError::NotPollscope { .. }), "{error}");
        assert_eq!(error.exit_code(), 4);
        assert!(!error.to_string().contains('\n'), "{error}");
    }
}

#[test]
fn settings_are_changed_and_told() {
    let says = Says::default();
    let changes = Arc::clone(&says.changes);
    let fake = Fake::start(says);
    within(LIMIT, async {
        let session = Session::open(&fake.address()).await.unwrap();
        let change = Change {
            slow_poll_ns: Some(50_000_000),
            ..Change::default()
        };
        let now = session.configure(&change).await.unwrap();
        assert_eq!(now.level, Some(Level::Debug));
        assert_eq!(now.slow_poll_ns, Some(50_000_000));
    });
    let asked = changes.lock().unwrap();
    assert_eq!(asked[0].slow_poll_ns, Some(50_000_000));
    assert_eq!(asked[0].level, 0, "what was not asked for stays");
}

#[test]
fn a_missing_right_is_told_in_the_targets_words() {
    let fake = Fake::start(Says {
        configure: Err(Status::permission_denied("this connection may only read")),
        abort: v1::AbortReply {
            requested: false,
            refusal: "no such task".to_owned(),
        },
        ..Says::default()
    });
    within(LIMIT, async {
        let session = Session::open(&fake.address()).await.unwrap();
        let error = session.configure(&Change::default()).await.unwrap_err();
        assert_eq!(
            (error.exit_code(), error.to_string().as_str()),
            (4, "this connection may only read")
        );
        let error = session.abort(7).await.unwrap_err();
        assert_eq!(
            (error.exit_code(), error.to_string().as_str()),
            (4, "task 7 was not aborted: no such task")
        );
    });
}

#[test]
fn a_task_is_told_with_its_place_and_its_frames() {
    let says = Says {
        task: v1::TaskReply {
            task: Some(v1::TaskRow {
                id: 17,
                site: 7,
                created_ns: 2_500_000_000,
                state: v1::TaskState::Idle.into(),
                ..v1::TaskRow::default()
            }),
            site: Some(v1::Site {
                id: 7,
                file: "src/orders.rs".to_owned(),
                line: 88,
                ..v1::Site::default()
            }),
            created: Some(v1::Stack {
                frames: [0x100, 0x200]
                    .map(|offset| v1::Frame { module: 0, offset })
                    .into(),
                ..v1::Stack::default()
            }),
            handle: "dropped".to_owned(),
            ..v1::TaskReply::default()
        },
        names: [
            (0x100, "orders::inner".to_owned()),
            (0x200, "orders::outer".to_owned()),
        ]
        .into(),
        ..Says::default()
    };
    let fake = Fake::start(says);
    within(LIMIT, async {
        let session = Session::open(&fake.address()).await.unwrap();
        let detail = session.task(17).await.unwrap().unwrap();
        assert_eq!(detail.task.state, TaskState::Idle);
        assert_eq!(detail.task.site.short(), "src/orders.rs:88");
        assert!(detail.task.age_ns >= 500_000_000, "by the target's clock");
        let functions: Vec<_> = detail
            .created
            .backtrace
            .iter()
            .map(|f| f.function.as_str())
            .collect();
        assert_eq!(functions, ["orders::inner", "orders::outer"]);
        assert_eq!(detail.created.backtrace[1].module, "orders");
        assert_eq!(detail.created.backtrace[1].offset, 0x200);
    });
}

#[test]
fn a_task_that_is_gone_is_none() {
    let fake = Fake::start(Says::default());
    within(LIMIT, async {
        let session = Session::open(&fake.address()).await.unwrap();
        assert_eq!(session.task(1).await.unwrap(), None);
    });
}

/// For a list, which names no frame: the files of the program are not looked at, which may take long.
#[test]
fn a_greeting_takes_the_targets_word_for_its_symbols() {
    let exe = std::env::current_exe().unwrap();
    let path = exe.to_str().unwrap().to_owned();
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let mut hello = hello();
    hello.target = hello.target.map(|target| v1::Target {
        exe: path.clone(),
        start_time_ticks: pollscope_proto::sockets::start_time(&stat).unwrap(),
        symbols: "its word".to_owned(),
        ..target
    });
    hello.modules[0].build_id = pollscope_proto::symbols::build_id(&exe).unwrap_or_default();
    hello.modules[0].path = path;
    let fake = Fake::start(Says {
        hello: Ok(hello),
        ..Says::default()
    });
    within(LIMIT, async {
        let greeted = Session::greet(&fake.address()).await.unwrap();
        assert_eq!(greeted.hello().target.symbols, "its word");
        let opened = Session::open(&fake.address()).await.unwrap();
        assert_ne!(opened.hello().target.symbols, "its word");
    });
}

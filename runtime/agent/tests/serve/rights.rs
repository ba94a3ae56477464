//! What a connection may do, by how it came in and what the environment says; and TCP, which is loopback only.

use std::time::{Duration, Instant};

use pollscope_proto::v1;
use tempfile::TempDir;
use tokio_stream::StreamExt;
use tonic::Code;

use crate::target::{Client, Target, over_tcp};

const LIMIT: Duration = Duration::from_secs(20);

async fn hello(client: &mut Client) -> v1::HelloReply {
    let request = v1::HelloRequest {
        client: "test".into(),
        protocol_min: 1,
        protocol_max: 1,
    };
    client.hello(request).await.expect("answered").into_inner()
}

/// The row of this name, once its task is there: the socket is there before.
async fn row(client: &mut Client, name: &str) -> v1::TaskRow {
    let begun = Instant::now();
    loop {
        let view = v1::View {
            filter: format!("name:{name}"),
            limit: 10,
            once: true,
            ..v1::View::default()
        };
        let views = tokio_stream::once(view);
        let mut stream = client.watch(views).await.expect("open").into_inner();
        let update = stream.next().await.expect("an update").expect("fine");
        assert!(stream.next().await.is_none(), "once is once");
        if let Some(row) = update.tasks.into_iter().find(|row| row.polls > 0) {
            return row;
        }
        assert!(begun.elapsed() < LIMIT, "no task {name}");
    }
}

fn set_debug() -> v1::ConfigureRequest {
    v1::ConfigureRequest {
        level: v1::Level::Debug.into(),
        ..v1::ConfigureRequest::default()
    }
}

#[tokio::test]
async fn the_socket_gives_debug_and_tcp_only_reads() {
    let home = TempDir::new().expect("a directory");
    let target = Target::start(
        home.path(),
        &[
            ("POLLSCOPE_BIND", "127.0.0.1:0"),
            ("POLLSCOPE_RIGHTS", "abort"),
        ],
    );
    let mut socket = target.attach().await;
    let told = hello(&mut socket).await;
    assert_eq!(told.rights(), v1::Rights::Abort);
    let at = told.target.expect("a target").tcp;
    assert!(at.starts_with("127.0.0.1:") && !at.ends_with(":0"), "{at}");
    let mut tcp = over_tcp(at).await;
    assert_eq!(hello(&mut tcp).await.rights(), v1::Rights::Read);
    let waits = row(&mut tcp, "waits").await;
    for refused in [
        tcp.configure(set_debug()).await.err(),
        tcp.dump(v1::DumpRequest::default()).await.err(),
        tcp.abort(v1::AbortRequest { id: waits.id }).await.err(),
    ] {
        assert_eq!(refused.expect("refused").code(), Code::PermissionDenied);
    }
    let reply = socket
        .abort(v1::AbortRequest { id: waits.id })
        .await
        .expect("allowed")
        .into_inner();
    assert!(reply.requested, "{}", reply.refusal);
    let hangs = row(&mut socket, "hangs").await;
    let reply = socket
        .abort(v1::AbortRequest { id: hangs.id })
        .await
        .expect("allowed")
        .into_inner();
    assert!(
        !reply.requested && reply.refusal.contains("cannot be aborted"),
        "{}",
        reply.refusal
    );
    let reply = socket
        .abort(v1::AbortRequest { id: u64::MAX })
        .await
        .expect("allowed")
        .into_inner();
    assert!(
        reply.refusal.contains("there is no task"),
        "{}",
        reply.refusal
    );
    target.end();
}

#[tokio::test]
async fn without_a_setting_nobody_aborts() {
    let home = TempDir::new().expect("a directory");
    let target = Target::start(home.path(), &[]);
    let mut client = target.attach().await;
    let refused = client
        .abort(v1::AbortRequest { id: 1 })
        .await
        .expect_err("refused");
    assert_eq!(refused.code(), Code::PermissionDenied);
    assert!(
        refused.message().contains("POLLSCOPE_RIGHTS=abort"),
        "{}",
        refused.message()
    );
    target.end();
}

#[tokio::test]
async fn rights_can_be_taken_from_the_socket() {
    let home = TempDir::new().expect("a directory");
    let target = Target::start(home.path(), &[("POLLSCOPE_RIGHTS", "read")]);
    let mut client = target.attach().await;
    assert_eq!(hello(&mut client).await.rights(), v1::Rights::Read);
    assert_eq!(
        client
            .configure(set_debug())
            .await
            .expect_err("refused")
            .code(),
        Code::PermissionDenied
    );
    target.end();
}

#[tokio::test]
async fn beyond_loopback_is_refused_in_one_line_and_the_program_runs_on() {
    let home = TempDir::new().expect("a directory");
    let target = Target::start(home.path(), &[("POLLSCOPE_BIND", "0.0.0.0:0")]);
    let mut client = target.attach().await;
    assert_eq!(hello(&mut client).await.target.expect("a target").tcp, "");
    let output = target.end();
    assert!(output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<_> = said
        .lines()
        .filter(|line| line.contains("beyond loopback needs TLS and a token"))
        .collect();
    assert_eq!(lines.len(), 1, "{said}");
}

#[tokio::test]
async fn in_quiet_times_are_absent_until_debug_is_switched_on() {
    let home = TempDir::new().expect("a directory");
    let target = Target::start(home.path(), &[("POLLSCOPE", "quiet")]);
    let mut client = target.attach().await;
    let waits = row(&mut client, "waits").await;
    assert_eq!((waits.state(), waits.polls), (v1::TaskState::Idle, 1));
    let times = |row: &v1::TaskRow| {
        [
            row.busy_ns,
            row.scheduled_ns,
            row.idle_ns,
            row.max_poll_ns,
            row.wakes,
            row.self_wakes,
        ]
    };
    assert_eq!(times(&waits), [None; 6]);
    let reply = client
        .configure(set_debug())
        .await
        .expect("allowed")
        .into_inner();
    assert_eq!(reply.level(), v1::Level::Debug);
    assert_eq!(
        hello(&mut client)
            .await
            .target
            .expect("a target")
            .level_source,
        "inspector"
    );
    let waits = row(&mut client, "waits").await;
    assert_eq!(
        times(&waits),
        [None; 6],
        "it is timed from its next poll on"
    );
    target.end();
}

#[tokio::test]
async fn in_debug_times_are_there() {
    let home = TempDir::new().expect("a directory");
    let target = Target::start(home.path(), &[("POLLSCOPE", "debug")]);
    let mut client = target.attach().await;
    let waits = row(&mut client, "waits").await;
    assert!(
        waits.busy_ns.is_some_and(|busy| busy > 0) && waits.idle_ns.is_some_and(|idle| idle > 0),
        "{waits:?}"
    );
    assert_eq!(
        (waits.wakes, waits.scheduled_ns, waits.current_poll_ns),
        (Some(0), Some(0), None)
    );
    let hangs = row(&mut client, "hangs").await;
    assert_eq!(hangs.state(), v1::TaskState::Running);
    assert!(
        hangs
            .current_poll_ns
            .is_some_and(|ns| ns > 0 && hangs.busy_ns >= Some(ns)),
        "{hangs:?}"
    );
    target.end();
}

/// Quiet, and nobody was attached when it hung.
#[tokio::test]
async fn a_hang_that_came_first_is_told_with_its_stack_and_for_how_long_at_least() {
    let home = TempDir::new().expect("a directory");
    let target = Target::start(home.path(), &[("POLLSCOPE", "quiet")]);
    let mut client = target.attach().await;
    let begun = Instant::now();
    let hangs = loop {
        let hangs = row(&mut client, "hangs").await;
        if hangs.current_poll_ns >= Some(1_000_000_000) {
            break hangs;
        }
        assert!(begun.elapsed() < LIMIT, "not told: {hangs:?}");
    };
    assert_eq!(hangs.busy_ns, None, "quiet times nothing");
    let reply = client
        .get_task(v1::TaskRequest { id: hangs.id })
        .await
        .expect("told")
        .into_inner();
    if cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        assert!(reply.now.is_some_and(|now| now.frames.len() > 3));
        let verdict = reply.verdict.expect("judged");
        assert_eq!((&*verdict.state, &*verdict.syscall), ("syscall", "read"));
    }
    let whole = v1::View {
        sites: true,
        threads: true,
        warnings: true,
        once: true,
        ..v1::View::default()
    };
    let views = tokio_stream::once(whole);
    let mut stream = client.watch(views).await.expect("open").into_inner();
    let update = stream.next().await.expect("an update").expect("fine");
    let site = update.sites.iter().find(|row| row.site == hangs.site);
    assert_eq!(site.map(|row| (row.live, row.busy_ns)), Some((1, None)));
    let thread = update.threads.iter().find(|row| row.tid == hangs.tid);
    let thread = thread.expect("its thread");
    assert_eq!(thread.current_task, hangs.id);
    assert!(thread.current_poll_ns >= 1_000_000_000, "{thread:?}");
    let about = |warning: &&v1::Warning| warning.task_id == hangs.id;
    let warning = update.warnings.iter().find(about).expect("a warning");
    assert_eq!((&*warning.kind, warning.live), ("slow_poll", true));
    let request = v1::DumpRequest { task: hangs.id };
    let mut dump = client.dump(request).await.expect("a dump").into_inner();
    let stack = dump.next().await.expect("a thread").expect("fine");
    assert!(stack.poll_ns >= Some(1_000_000_000), "{stack:?}");
    target.end();
}

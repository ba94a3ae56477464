//! Hello, rights, and the calls that answer once.

use tonic::Code;

use super::tasks::Task;
use super::*;

fn hello(min: u32, max: u32) -> v1::HelloRequest {
    v1::HelloRequest {
        client: "test".into(),
        protocol_min: min,
        protocol_max: max,
    }
}

#[tokio::test]
async fn a_hello_tells_who_this_is_and_what_one_may() {
    let mut client = open(&server(), Rights::Debug).await;
    let reply = client
        .hello(hello(1, 3))
        .await
        .expect("answered")
        .into_inner();
    assert_eq!((reply.protocol, &*reply.refusal), (1, ""));
    assert_eq!(reply.rights(), v1::Rights::Debug);
    let target = reply.target.expect("a target");
    assert_eq!(target.pid, std::process::id());
    let exe = std::env::current_exe().expect("an executable");
    assert_eq!(target.exe, exe.to_string_lossy());
    assert_eq!(
        Some(&*target.name),
        exe.file_name().and_then(|name| name.to_str())
    );
    assert_ne!(target.start_time_ticks, 0);
    assert_eq!(target.tokio_version, "unknown");
    assert_eq!(target.pollscope_version, env!("CARGO_PKG_VERSION"));
    let clock = reply.clock.expect("a clock");
    assert!(clock.mono_ns > 0 && clock.unix_ns > clock.mono_ns);
}

#[tokio::test]
async fn versions_that_do_not_meet_are_refused_in_words() {
    let mut client = open(&server(), Rights::Debug).await;
    let reply = client
        .hello(hello(7, 9))
        .await
        .expect("answered")
        .into_inner();
    assert_eq!(reply.protocol, 0);
    assert!(reply.refusal.contains("7 to 9"), "{}", reply.refusal);
    assert_eq!((reply.protocol_min, reply.protocol_max), (1, 1));
}

#[tokio::test]
async fn a_stranger_reads_why_on_every_call() {
    let refusal = crate::serve::rights::admit(1001, 1000, || true).expect_err("a stranger");
    let mut client = client(Door::Refused(refusal)).await;
    let hello = client.hello(hello(1, 1)).await.expect_err("refused");
    assert_eq!(hello.code(), Code::PermissionDenied);
    assert!(
        hello.message().contains("belongs to uid 1000"),
        "{}",
        hello.message()
    );
    let watch = watch(&mut client, v1::View::default())
        .await
        .expect_err("refused");
    assert_eq!(watch.code(), Code::PermissionDenied);
}

#[tokio::test]
async fn each_call_asks_for_its_right() {
    let server = server();
    for (rights, configure, dump, abort) in [
        (Rights::Read, false, false, false),
        (Rights::Debug, true, true, false),
        (Rights::Abort, true, true, true),
    ] {
        let mut client = open(&server, rights).await;
        let codes = [
            client
                .configure(v1::ConfigureRequest::default())
                .await
                .err(),
            client.dump(v1::DumpRequest { task: u64::MAX }).await.err(),
            client.abort(v1::AbortRequest { id: u64::MAX }).await.err(),
        ]
        .map(|error| error.is_none_or(|error| error.code() != Code::PermissionDenied));
        assert_eq!(codes, [configure, dump, abort], "{rights:?}");
        assert!(
            client.get_task(v1::TaskRequest { id: 1 }).await.is_ok(),
            "{rights:?} may read"
        );
    }
}

#[tokio::test]
async fn what_cannot_be_set_is_said_and_nothing_changes() {
    let mut client = open(&server(), Rights::Debug).await;
    let mut refused = async |request: v1::ConfigureRequest| {
        let error = client.configure(request).await.expect_err("refused");
        assert_eq!(error.code(), Code::InvalidArgument);
        error.message().to_owned()
    };
    let threshold = pollscope_capture::level::slow_poll_ns();
    let level = |level| v1::ConfigureRequest {
        level,
        slow_poll_ns: Some(1),
        ..v1::ConfigureRequest::default()
    };
    assert!(
        refused(level(v1::Level::Off.into()))
            .await
            .contains("use quiet")
    );
    assert!(refused(level(99)).await.contains("use quiet or debug"));
    let log = v1::ConfigureRequest {
        log_level: "loud".into(),
        slow_poll_ns: Some(1),
        ..v1::ConfigureRequest::default()
    };
    assert!(
        refused(log)
            .await
            .contains("off, error, warn, info or debug")
    );
    assert_eq!(pollscope_capture::level::slow_poll_ns(), threshold);
}

#[tokio::test]
async fn a_task_is_told_with_its_site_parent_and_handle() {
    let server = server();
    let mut task = Task::pending("calls-detail");
    assert!(task.poll().is_pending());
    let mut client = open(&server, Rights::Debug).await;
    let row = once(&mut client, named("calls-detail"))
        .await
        .expect("rows")
        .remove(0)
        .tasks
        .remove(0);
    let reply = client
        .get_task(v1::TaskRequest { id: row.id })
        .await
        .expect("told")
        .into_inner();
    let told = reply.task.expect("it lives");
    assert_eq!(
        (told.id, &*told.name, told.polls),
        (row.id, "calls-detail", 1)
    );
    let site = reply.site.expect("a site");
    assert!(site.file.ends_with("calls.rs"), "{}", site.file);
    assert_eq!(reply.handle, "held");
    assert!(
        reply.now.is_none() && reply.verdict.is_none(),
        "no poll of it runs"
    );
    drop(task);
    let gone = client
        .get_task(v1::TaskRequest { id: row.id })
        .await
        .expect("answered")
        .into_inner();
    assert_eq!(gone, v1::TaskReply::default());
}

#[tokio::test]
async fn what_runs_is_told_with_its_stack() {
    let server = server();
    let (hang, on) = std::sync::mpsc::channel::<()>();
    let (begun, running) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        let body = async move {
            begun.send(()).expect("awaited");
            // Until the other end is dropped.
            let _ = on.recv();
        };
        assert!(Task::new("calls-runs", body).poll().is_ready());
    });
    running.recv().expect("it runs");
    let mut client = open(&server, Rights::Debug).await;
    let row = once(&mut client, named("calls-runs"))
        .await
        .expect("rows")
        .remove(0)
        .tasks
        .remove(0);
    assert_eq!(row.state(), v1::TaskState::Running);
    assert_ne!(row.tid, 0);
    let reply = client
        .get_task(v1::TaskRequest { id: row.id })
        .await
        .expect("told")
        .into_inner();
    let dump = client
        .dump(v1::DumpRequest { task: row.id })
        .await
        .expect("a dump")
        .into_inner();
    let dump: Vec<_> = dump.collect::<Result<_, _>>().await.expect("whole");
    drop(hang);
    thread.join().expect("no panic");
    assert_eq!(dump.len(), 1);
    assert_eq!(
        (dump[0].task, dump[0].tid, &*dump[0].task_name),
        (row.id, row.tid, "calls-runs")
    );
    if cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        assert!(
            reply.now.is_some_and(|now| !now.frames.is_empty()),
            "a thread that sleeps can be peeked"
        );
        assert_eq!(reply.verdict.expect("judged").state, "lock");
        assert!(
            dump[0]
                .stack
                .as_ref()
                .is_some_and(|stack| !stack.frames.is_empty()),
            "{}",
            dump[0].missing
        );
    }
    let missing = client
        .dump(v1::DumpRequest { task: row.id })
        .await
        .expect_err("it ended");
    assert_eq!(missing.code(), Code::NotFound);
}

#[tokio::test]
async fn all_threads_are_dumped() {
    let mut client = open(&server(), Rights::Debug).await;
    let dump = client
        .dump(v1::DumpRequest::default())
        .await
        .expect("a dump")
        .into_inner();
    let dump: Vec<_> = dump.collect::<Result<_, _>>().await.expect("whole");
    let tasks = std::fs::read_dir("/proc/self/task").map_or(0, Iterator::count);
    assert!(dump.len() > 1 && tasks > 1);
    assert!(
        dump.iter()
            .all(|thread| thread.tid != 0 && (thread.stack.is_some() == thread.missing.is_empty()))
    );
    assert!(
        !dump[0].modules.is_empty(),
        "of a client without a hello nothing is presumed"
    );
}

#[cfg(feature = "symbols")]
#[tokio::test]
async fn frames_are_resolved_in_the_order_of_the_question() {
    let mut client = open(&server(), Rights::Read).await;
    pollscope_capture::stack::init();
    let here = all_threads_are_dumped as fn() as usize;
    let (module, offset) = pollscope_capture::stack::locate(here).expect("in this executable");
    let known = v1::Frame {
        module,
        offset: offset + 2,
    };
    let unknown = v1::Frame {
        module: u32::MAX,
        offset: 1,
    };
    let request = v1::ResolveRequest {
        frames: vec![unknown, known],
    };
    // Who resolves has low priority: on a busy machine the first question may take longer than it may.
    let mut tries = 0;
    let reply = loop {
        match client.resolve(request.clone()).await {
            Err(status) if status.code() == Code::DeadlineExceeded && tries < 10 => tries += 1,
            reply => break reply.expect("resolved").into_inner(),
        }
    };
    assert!(reply.frames[0].source.is_empty());
    assert!(
        reply.frames[1]
            .source
            .iter()
            .any(|line| line.function.contains("all_threads_are_dumped")),
        "{reply:?}"
    );
    let many = v1::ResolveRequest {
        frames: vec![unknown; 513],
    };
    assert_eq!(
        client.resolve(many).await.expect_err("refused").code(),
        Code::InvalidArgument
    );
}

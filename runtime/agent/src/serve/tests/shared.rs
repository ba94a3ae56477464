//! What all clients of one door have together, and cannot take from those of another: memory and time.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;
use tonic::Code;

use super::tasks::Task;
use super::*;
use crate::serve::memory::Memory;

/// Names of 128 bytes: a window of them all is several parts.
fn many(name: &str) -> Vec<Task> {
    let long = "x".repeat(90);
    (0..4_000)
        .map(|at| Task::pending(&format!("{name}-{at:05}-{long}")))
        .collect()
}

/// Waits for what other tasks of this thread bring about.
async fn until(what: &str, done: impl Fn() -> bool) {
    let waiting = async {
        while !done() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), waiting)
        .await
        .unwrap_or_else(|_| panic!("never: {what}"));
}

/// A client that opens all streams it may, gives each room for a little of an answer, and reads nothing.
async fn greedy(
    server: &Arc<Server>,
    quota: &Quota,
    view: &v1::View,
) -> Vec<Streaming<v1::Update>> {
    let (near, far) = tokio::io::duplex(64 * 1024);
    let inspect = Inspect::new(Arc::clone(server), Rights::Read, quota.clone());
    tokio::spawn(http::serve(far, Door::Open(inspect)));
    let mut client = client_with(near, 16, 1 << 20).await;
    let mut streams = Vec::new();
    for _ in 0..http::STREAMS {
        streams.push(watch(&mut client, view.clone()).await.expect("open"));
    }
    streams
}

#[tokio::test]
async fn clients_that_do_not_read_hold_no_more_than_there_is_for_all() {
    const MOST: usize = 3 << 20;
    let server = server();
    let tasks = many("shared-unread");
    let quota = Quota {
        memory: Memory::of(MOST),
        ..Quota::default()
    };
    let view = v1::View {
        limit: 100_000,
        ..named("shared-unread")
    };
    let mut unread = Vec::new();
    for _ in 0..4 {
        unread.push(greedy(&server, &quota, &view).await);
    }
    // One of them holds the keys of its window, and a part in a buffer of twice its size.
    let one = tasks.len() * 24 + 2 * pollscope_proto::limits::PART_BYTES;
    until("it is full", || quota.memory.held() + one > MOST).await;
    assert!(quota.memory.held() <= MOST);

    let mut late = open_within(&server, Rights::Read, quota.clone()).await;
    let refused = once(&mut late, view.clone()).await.expect_err("refused");
    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert!(refused.message().contains("that do not read"));
    // Who asks for less may have it, and over the other door there is all.
    let little = v1::View {
        limit: 3,
        ..view.clone()
    };
    assert_eq!(
        names(&once(&mut late, little).await.expect("rows")).len(),
        3
    );
    let mut owner = open(&server, Rights::Read).await;
    let parts = once(&mut owner, view.clone()).await.expect("rows");
    assert_eq!(names(&parts).len(), tasks.len());

    drop((unread, late));
    until("all of it comes back", || quota.memory.held() == 0).await;
    let mut again = open_within(&server, Rights::Read, quota.clone()).await;
    assert!(once(&mut again, view).await.is_ok());
    drop(tasks);
}

#[tokio::test]
async fn a_client_that_reads_is_not_refused_for_what_it_has_read() {
    let server = server();
    let tasks = many("shared-read");
    let quota = Quota {
        memory: Memory::of(1 << 20),
        ..Quota::default()
    };
    let mut client = open_within(&server, Rights::Read, quota.clone()).await;
    let view = v1::View {
        limit: 100_000,
        ..named("shared-read")
    };
    // Much more than there is, one after the other.
    for _ in 0..4 {
        let parts = once(&mut client, view.clone()).await.expect("rows");
        assert_eq!(names(&parts).len(), tasks.len());
    }
    drop(tasks);
}

#[tokio::test(start_paused = true)]
async fn clients_wait_until_what_was_done_for_others_is_paid() {
    let server = server();
    let quota = Quota::default();
    let mut client = open_within(&server, Rights::Read, quota.clone()).await;
    let mut owner = open(&server, Rights::Read).await;
    let view = named("shared-nobody");
    let took = |from: Instant| from.elapsed().as_secs();

    quota.time.charge(Instant::now(), Duration::from_secs(60));
    let from = Instant::now();
    once(&mut owner, view.clone()).await.expect("an update");
    let request = v1::TaskRequest { id: u64::MAX };
    owner.get_task(request).await.expect("answered");
    assert!(took(from) < 60, "over the other door");
    once(&mut client, view).await.expect("an update");
    assert!(took(from) >= 599, "{} s", took(from));

    quota.time.charge(Instant::now(), Duration::from_secs(60));
    let from = Instant::now();
    client.get_task(request).await.expect("answered");
    assert!(took(from) >= 599, "{} s", took(from));
}

#[tokio::test]
async fn the_look_and_each_part_are_paid_for() {
    let server = server();
    let tasks = many("shared-parts");
    let quota = Quota::default();
    let mut client = open_within(&server, Rights::Read, quota.clone()).await;
    let view = v1::View {
        limit: 100_000,
        ..named("shared-parts")
    };
    let parts = once(&mut client, view).await.expect("an update");
    assert!(parts.len() > 2);
    let booked = || quota.time.booked.load(Ordering::Relaxed) as usize;
    assert_eq!(booked(), 1 + parts.len());
    let request = v1::TaskRequest { id: u64::MAX };
    client.get_task(request).await.expect("answered");
    assert_eq!(booked(), 2 + parts.len());
    drop(tasks);
}

#[tokio::test]
async fn a_stream_that_shows_nothing_slows_nobody() {
    let server = server();
    let quota = Quota::default();
    let mut client = open_within(&server, Rights::Read, quota.clone()).await;
    let mut idle = Vec::new();
    for _ in 0..4 {
        let silent = client.watch(tokio_stream::pending()).await;
        idle.push(silent.expect("open"));
    }
    let mut stream = watch(&mut client, named("shared-nobody"))
        .await
        .expect("open");
    stream.next().await.expect("an update").expect("fine");
    assert_eq!(quota.time.viewers(), 1);
    drop(stream);
    until("nobody looks", || quota.time.viewers() == 0).await;
    drop(idle);
}

#[cfg(feature = "symbols")]
#[tokio::test]
async fn questions_of_clients_leave_room_for_our_own() {
    let server = server();
    let quota = Quota::default();
    let symbols = &server.agent.symbols;
    let (go, wait) = std::sync::mpsc::channel::<()>();
    // Until the other end is dropped.
    assert!(symbols.ask(Vec::new(), move |_| {
        let _ = wait.recv();
    }));
    let client = open_within(&server, Rights::Read, quota.clone()).await;
    let request = v1::ResolveRequest::default;
    let waiting: Vec<_> = (0..quota.names.available_permits())
        .map(|_| {
            let mut client = client.clone();
            tokio::spawn(async move { client.resolve(request()).await })
        })
        .collect();
    until("all of them ask", || quota.names.available_permits() == 0).await;
    let mut late = open_within(&server, Rights::Read, quota.clone()).await;
    let refused = late.resolve(request()).await.expect_err("refused");
    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert!(symbols.ask(Vec::new(), drop), "ours are taken");

    drop(go);
    for answer in waiting {
        assert!(answer.await.expect("no panic").is_ok());
    }
    assert!(late.resolve(request()).await.is_ok());
}

//! What a client cannot make the server do: grow, stall, or send what is too large.

use std::time::Duration;

use pollscope_proto::limits::{MAX_MESSAGE, MAX_ROWS_PER_PART};
use prost::Message;

use super::tasks::Task;
use super::*;

#[tokio::test]
async fn a_large_answer_travels_in_parts() {
    let server = server();
    // Names of 128 bytes: more than half a MiB of rows.
    let long = "x".repeat(90);
    let tasks: Vec<_> = (0..6_000)
        .map(|at| Task::pending(&format!("bounds-parts-{at:05}-{long}")))
        .collect();
    let mut client = open(&server, Rights::Read).await;
    let parts = once(
        &mut client,
        v1::View {
            limit: 100_000,
            ..named("bounds-parts")
        },
    )
    .await
    .expect("an update");
    assert!(
        parts.len() > 1,
        "one part of {} bytes",
        parts[0].encoded_len()
    );
    let (last, before) = parts.split_last().expect("parts");
    assert!(last.last && before.iter().all(|part| !part.last));
    assert!(
        parts
            .iter()
            .all(|part| part.encoded_len() <= MAX_MESSAGE && part.tasks.len() <= MAX_ROWS_PER_PART)
    );
    assert!(
        before.iter().all(|part| part.totals.is_some()
            == (part.seq == 1 && std::ptr::eq(part, &raw const parts[0])))
    );
    let got = names(&parts);
    assert_eq!(got.len(), 6_000);
    assert!(got.is_sorted(), "by id, which is the order of their making");
    assert_eq!(
        parts
            .iter()
            .map(|part| part.site_names.len())
            .sum::<usize>(),
        1
    );
    drop(tasks);
}

/// Edge case 61: a slow inspector.
#[tokio::test]
async fn a_client_that_does_not_read_costs_one_update_and_stalls_nobody() {
    let server = server();
    let tasks: Vec<_> = (0..2_000)
        .map(|at| Task::pending(&format!("bounds-slow-{at}")))
        .collect();
    let mut slow = open(&server, Rights::Read).await;
    let view = v1::View {
        interval_ms: 33,
        limit: 2_000,
        ..named("bounds-slow")
    };
    let mut unread = watch(&mut slow, view.clone()).await.expect("open");
    let mut quick = open(&server, Rights::Read).await;
    let mut read = watch(&mut quick, view).await.expect("open");
    let mut seen = 0;
    while seen < 20 {
        let part = read.next().await.expect("an update").expect("fine");
        seen = part.seq;
    }
    // What waits for the one that did not read is what the client's window and the server's buffer hold, 64 KiB each,
    // and not the updates since: those were never made. An update is some 120 KB.
    let newest_ns = read.next().await.expect("an update").expect("fine").now_ns;
    let mut waited = 0;
    loop {
        let part = unread.next().await.expect("an update").expect("fine");
        if part.now_ns > newest_ns {
            break;
        }
        waited += 1;
    }
    assert!(
        waited <= 4,
        "{waited} updates waited for the one who did not read, of {seen}"
    );
    drop(tasks);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_asks_nothing_is_closed() {
    let server = server();
    let (near, far) = tokio::io::duplex(64 * 1024);
    let served = tokio::spawn(http::serve(
        far,
        Door::Open(Inspect::new(server, Rights::Read, Quota::default())),
    ));
    tokio::time::timeout(Duration::from_secs(6), served)
        .await
        .expect("given up")
        .expect("no panic");
    drop(near);
}

#[tokio::test]
async fn what_is_not_http2_is_closed() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let (mut near, far) = tokio::io::duplex(64 * 1024);
    let served = tokio::spawn(http::serve(
        far,
        Door::Open(Inspect::new(server(), Rights::Read, Quota::default())),
    ));
    near.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await
        .expect("taken");
    let mut answer = Vec::new();
    let _ = near.read_to_end(&mut answer).await;
    served.await.expect("no panic");
}

#[tokio::test]
async fn a_request_that_is_too_large_is_refused() {
    let mut client = open(&server(), Rights::Debug).await;
    let request = v1::ConfigureRequest {
        log_level: "x".repeat(100_000),
        ..v1::ConfigureRequest::default()
    };
    let error = client.configure(request).await.expect_err("refused");
    assert_eq!(error.code(), tonic::Code::OutOfRange);
}

/// Edge case 61: one that is gone.
#[tokio::test]
async fn a_stream_that_is_gone_is_no_watcher_any_more() {
    let server = server();
    let mut client = open(&server, Rights::Read).await;
    let mut stream = watch(&mut client, named("bounds-none"))
        .await
        .expect("open");
    stream.next().await.expect("an update").expect("fine");
    assert!(server.agent.is_watched());
    drop((stream, client));
    let gone = async {
        while server.agent.is_watched() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), gone)
        .await
        .expect("nobody looks any more");
}

#[tokio::test]
async fn without_a_place_for_a_socket_there_is_none_and_nothing_else_happens() {
    let server = server();
    let nowhere = crate::serve::socket::Place {
        uid: crate::sys::uid(),
        dirs: vec!["/proc/none/pollscope".into()],
    };
    crate::serve::open_socket(&server, nowhere).await;
    assert!(server.socket.get().is_none());
    let mut client = open(&server, Rights::Read).await;
    assert!(once(&mut client, named("bounds-none")).await.is_ok());
}

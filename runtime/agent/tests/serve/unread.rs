//! All connections, all their streams, the largest window, and nobody reads.

use std::time::{Duration, Instant};

use pollscope_proto::v1;
use tempfile::TempDir;
use tokio_stream::StreamExt;
use tonic::{Code, Status};

use crate::target::{Client, MORE_TASKS, Target, stingy};

const CONNECTIONS: usize = 32;
const STREAMS: usize = 8;
const MIB: u64 = 1 << 20;

/// A line of `/proc/PID/status`, in bytes.
fn memory(target: &Target, line: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", target.pid()));
    let status = status.expect("it lives");
    let mut lines = status.lines();
    let found = lines.find_map(|found| found.strip_prefix(line)?.strip_suffix("kB"));
    found
        .and_then(|kib| kib.trim_start_matches(':').trim().parse::<u64>().ok())
        .expect("a number")
        * 1024
}

/// Reads one whole update, and how many rows it had.
async fn rows(client: &mut Client, view: &v1::View) -> Result<usize, Status> {
    let view = v1::View {
        once: true,
        ..view.clone()
    };
    let mut parts = client.watch(tokio_stream::once(view)).await?.into_inner();
    let mut rows = 0;
    while let Some(part) = parts.next().await {
        rows += part?.tasks.len();
    }
    Ok(rows)
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn viewers_that_do_not_read_hold_what_is_for_all_of_them_and_no_more() {
    let home = TempDir::new().expect("a directory");
    let target = Target::start(home.path(), &[(MORE_TASKS, "20000")]);
    let view = v1::View {
        limit: u32::MAX,
        ..v1::View::default()
    };
    let mut reads = target.attach().await;
    let begun = Instant::now();
    let in_time = || assert!(begun.elapsed() < Duration::from_secs(400), "it takes on");
    // Once all are there, what one takes who reads is taken.
    while rows(&mut reads, &view).await.expect("an update") < 20_000 {
        in_time();
    }
    let (before, peak) = (memory(&target, "VmRSS"), memory(&target, "VmHWM"));

    let mut unread = Vec::new();
    for _ in 1..CONNECTIONS {
        let mut client = stingy(target.socket()).await;
        for _ in 0..STREAMS {
            let opened = client.watch(tokio_stream::once(view.clone())).await;
            unread.push(opened.expect("open"));
        }
    }
    while memory(&target, "VmRSS") < before + 20 * MIB {
        in_time();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // It is full soon, and says so.
    let refused = loop {
        in_time();
        if let Err(refused) = rows(&mut reads, &view).await {
            break refused;
        }
    };
    assert_eq!(refused.code(), Code::ResourceExhausted, "{refused}");
    // 32 MiB, as much again for what allocators keep, and for connections.
    let most = memory(&target, "VmHWM");
    let took = most - peak.min(before);
    assert!(took < 80 * MIB, "{} MiB", took / MIB);

    // When they are gone there is room again.
    drop(unread);
    while rows(&mut reads, &view).await.is_err() {
        in_time();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    target.kill();
}

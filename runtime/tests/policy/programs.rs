//! Whole programs: each is run alone in a process, and ends it.

use std::time::{Duration, Instant};

#[pollscope::tracked]
async fn work() {}

#[pollscope::main(flavor = "current_thread")]
async fn forget() {
    drop(work());
}

#[test]
#[ignore = "run in a child process by: cargo test -p pollscope --test policy"]
fn forgets() {
    forget();
}

#[test]
#[ignore = "run in a child process by: cargo test -p pollscope --test policy"]
fn forgets_by_attribute() {
    #[pollscope::main(flavor = "current_thread", deny = "never_awaited")]
    async fn main() {
        drop(work());
    }
    main();
}

#[test]
#[ignore = "run in a child process by: cargo test -p pollscope --test policy"]
fn forgets_and_exits_with_7() {
    forget();
    std::process::exit(7);
}

#[test]
#[ignore = "run in a child process by: cargo test -p pollscope --test policy"]
fn is_healthy() {
    #[pollscope::main]
    async fn main() {
        pollscope::spawn(work()).await.expect("no panic");
    }
    main();
}

#[test]
#[ignore = "run in a child process by: cargo test -p pollscope --test policy"]
fn exits_with_unread_errors() {
    #[pollscope::main]
    async fn main() {
        let held = [
            pollscope::spawn(async { Err::<(), _>("lost".to_owned()) }),
            pollscope::spawn(async { panic!("on purpose, by a test") }),
            pollscope::spawn(async { Ok(()) }),
        ];
        while !held.iter().all(pollscope::task::JoinHandle::is_finished) {
            tokio::task::yield_now().await;
        }
        std::process::exit(0);
    }
    main();
}

/// Threads of pollscope's, and sockets of this process.
fn ours() -> (usize, usize) {
    let threads = std::fs::read_dir("/proc/self/task").expect("our threads");
    let threads = threads.flatten().filter(|thread| {
        let name = std::fs::read_to_string(thread.path().join("comm"));
        name.is_ok_and(|name| name.starts_with("pollscope"))
    });
    let dir = std::env::var("XDG_RUNTIME_DIR").expect("a room of our own");
    let sockets = std::fs::read_dir(dir).expect("our room").count();
    (threads.count(), sockets)
}

#[test]
#[ignore = "run in a child process by: cargo test -p pollscope --test policy"]
fn watched_when_somebody_asks() {
    forget();
    pollscope::flush();
    assert_eq!(ours(), (0, 0), "nobody asked");
    pollscope::set_debug(true);
    pollscope::flush();
    // A thread that was just started names itself a moment later.
    let limit = Instant::now() + Duration::from_secs(10);
    while ours().0 < 3 && Instant::now() < limit {
        std::thread::yield_now();
    }
    let (threads, sockets) = ours();
    assert!(threads >= 3, "collector, watchdog, emitter: {threads}");
    assert_eq!(sockets, 0, "still nothing to attach to");
}

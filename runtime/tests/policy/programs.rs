//! Whole programs: each is run alone in a process, and ends it.

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

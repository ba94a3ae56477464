//! Tests with a defect (`bad_`) and without, to be run side by side.

use std::sync::LazyLock;
use std::time::Duration;

use pollscope::runtime::{Builder, Runtime};

#[pollscope::tracked]
async fn work() {}

/// One site that all of them share.
fn forget() {
    drop(work());
}

async fn settle() {
    for _ in 0..8 {
        tokio::task::yield_now().await;
    }
}

macro_rules! many {
    ($($bad:ident $good:ident)*) => {$(
        #[pollscope::test]
        #[ignore = "run in a child process by: cargo test -p pollscope --test policy"]
        async fn $bad() {
            tokio::time::sleep(Duration::from_millis(3)).await;
            forget();
        }

        #[pollscope::test(flavor = "multi_thread", worker_threads = 2)]
        #[ignore = "run in a child process by: cargo test -p pollscope --test policy"]
        async fn $good() {
            for _ in 0..20 {
                pollscope::spawn(work()).await.expect("no panic");
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            pollscope::assert_no_warnings!();
        }
    )*};
}

many! {
    bad_00 good_00 bad_01 good_01 bad_02 good_02 bad_03 good_03 bad_04 good_04 bad_05 good_05
    bad_06 good_06 bad_07 good_07 bad_08 good_08 bad_09 good_09
}

#[pollscope::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run in a child process by: cargo test -p pollscope --test policy"]
async fn bad_on_a_worker() {
    pollscope::spawn(async { forget() })
        .await
        .expect("no panic");
}

#[pollscope::test]
#[ignore = "run in a child process by: cargo test -p pollscope --test policy"]
async fn bad_in_a_blocking_task() {
    pollscope::task::spawn_blocking(forget)
        .await
        .expect("no panic");
}

#[pollscope::test]
#[ignore = "run in a child process by: cargo test -p pollscope --test policy"]
async fn bad_error_nobody_read() {
    drop(pollscope::spawn!(async { Err::<(), _>("no disk") }));
    settle().await;
}

#[pollscope::test]
#[ignore = "run in a child process by: cargo test -p pollscope --test policy"]
async fn bad_in_a_runtime_within() {
    std::thread::spawn(|| ()).join().expect("no panic");
    let inner = pollscope::task::spawn_blocking(|| Builder::new_current_thread().build());
    let inner = inner.await.expect("no panic").expect("a runtime");
    let elsewhere = std::thread::spawn(move || inner.block_on(async { forget() }));
    elsewhere.join().expect("no panic");
}

#[pollscope::test]
#[ignore = "run in a child process by: cargo test -p pollscope --test policy"]
async fn a_thread_of_its_own_forgets() {
    std::thread::spawn(|| {
        drop(work());
    })
    .join()
    .expect("no panic");
}

/// A runtime that outlives the test that happens to make it.
static SHARED: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));

#[pollscope::test]
#[ignore = "run in a child process by: cargo test -p pollscope --test policy"]
async fn good_makes_what_all_share() {
    LazyLock::force(&SHARED);
    tokio::time::sleep(Duration::from_millis(20)).await;
}

#[test]
#[ignore = "run in a child process by: cargo test -p pollscope --test policy"]
fn nobody_s_task_on_what_all_share() {
    let task = SHARED.spawn(async { forget() });
    SHARED.block_on(task).expect("no panic");
}

#[pollscope::test(deny = "any")]
#[ignore = "run in a child process by: cargo test -p pollscope --test policy"]
async fn bad_says_so_itself() {
    forget();
}

#[pollscope::test(deny = "off")]
#[ignore = "run in a child process by: cargo test -p pollscope --test policy"]
async fn good_may_do_that() {
    forget();
}

#[pollscope::test]
#[ignore = "run in a child process by: cargo test -p pollscope --test policy"]
async fn bad_asserts() {
    forget();
    pollscope::assert_no_warnings!();
}

#[pollscope::test(deny = "off")]
#[ignore = "run in a child process by: cargo test -p pollscope --test policy"]
async fn good_asserts_something_else() {
    forget();
    pollscope::assert_no_warnings!("leaked_error");
}

#[test]
#[ignore = "run in a child process by: cargo test -p pollscope --test policy"]
fn bad_scope_of_its_own() {
    let scope = pollscope::policy::TestScope::open(Some("any"));
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async { forget() });
    drop(runtime);
    scope.close();
}

/// What panics already is not made to panic twice.
#[pollscope::test]
#[ignore = "run in a child process by: cargo test -p pollscope --test policy"]
#[should_panic(expected = "on purpose, by a test")]
async fn good_panics_for_another_reason() {
    struct Asserts;
    impl Drop for Asserts {
        fn drop(&mut self) {
            pollscope::assert_no_warnings!();
        }
    }
    let _asserts = Asserts;
    forget();
    panic!("on purpose, by a test");
}

/// A loser of our `select!` was not forgotten.
#[pollscope::test]
#[ignore = "run in a child process by: cargo test -p pollscope --test policy"]
async fn good_loses_a_race() {
    pollscope::select! {
        biased;
        () = async {} => {}
        () = work() => {}
    }
}

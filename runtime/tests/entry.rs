//! `#[main]` and `#[test]`: what Tokio's do, these do.

use std::time::Duration;

#[pollscope::test]
async fn a_test_runs_on_one_thread() {
    let here = std::thread::current().id();
    let there = pollscope::spawn(async { std::thread::current().id() });
    assert_eq!(there.await.expect("no panic"), here);
}

#[pollscope::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_test_may_have_workers() {
    let here = std::thread::current().id();
    let there = pollscope::spawn(async { std::thread::current().id() });
    assert_ne!(there.await.expect("no panic"), here);
}

#[pollscope::test]
async fn a_test_may_return_a_result() -> Result<(), std::num::ParseIntError> {
    let n: u8 = "7".parse()?;
    assert_eq!(n, 7);
    Ok(())
}

#[pollscope::test]
#[should_panic(expected = "on purpose, by a test")]
async fn a_test_may_have_to_panic() {
    panic!("on purpose, by a test");
}

#[cfg(feature = "test-util")]
#[pollscope::test(start_paused = true)]
async fn a_test_may_pause_the_clock() {
    let before = std::time::Instant::now();
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert!(before.elapsed() < Duration::from_secs(60));
}

#[cfg(tokio_unstable)]
#[pollscope::test(unhandled_panic = "shutdown_runtime")]
#[should_panic(expected = "a spawned task panicked and the runtime is configured to shut down")]
async fn a_test_may_end_with_any_panic() {
    pollscope::spawn(async { panic!("on purpose, by a test") });
    std::future::pending::<()>().await;
}

#[pollscope::test(flavor = "local")]
async fn a_test_may_be_local() {
    let not_send = std::rc::Rc::new(5);
    let there = pollscope::task::spawn_local(async move { *not_send });
    assert_eq!(there.await.expect("no panic"), 5);
}

#[pollscope::test(crate = "renamed")]
async fn pollscope_may_be_renamed() {
    assert_eq!(renamed::spawn(async { 1 }).await.expect("no panic"), 1);
}

use pollscope as renamed;

#[pollscope::main]
async fn of_many_threads(n: u8) -> u8 {
    pollscope::spawn(async move { n + 1 })
        .await
        .expect("no panic")
}

#[pollscope::main(flavor = "current_thread", name = "ledger")]
async fn early(stop: bool) -> Result<&'static str, String> {
    if stop {
        return Err("stopped".to_owned());
    }
    tokio::time::sleep(Duration::from_millis(1)).await;
    Ok("done")
}

#[pollscope::main(flavor = "current_thread")]
async fn nothing() {
    #![allow(unused_variables)]
    let unused = 1;
}

#[pollscope::main(flavor = "current_thread")]
async fn generic<T>(value: &T) -> (T, T)
where
    T: Clone + Send + 'static,
{
    (value.clone(), value.clone())
}

#[pollscope::main(flavor = "current_thread", debug = false, slow_poll = "off")]
async fn impl_trait(n: u8) -> impl Iterator<Item = u8> {
    0..n
}

#[test]
fn main_returns_what_the_body_returns() {
    assert_eq!(of_many_threads(1), 2);
    assert_eq!(early(false), Ok("done"));
    assert_eq!(early(true), Err("stopped".to_owned()));
    nothing();
    assert_eq!(generic(&"x"), ("x", "x"));
    assert_eq!(impl_trait(3).count(), 3);
}

#[test]
fn the_runtime_is_gone_when_main_returns() {
    struct Noted(std::sync::mpsc::Sender<()>);
    impl Drop for Noted {
        fn drop(&mut self) {
            let _ = self.0.send(());
        }
    }
    #[pollscope::main]
    async fn leaves_a_task(noted: Noted) {
        pollscope::spawn(async move {
            let _noted = noted;
            std::future::pending::<()>().await;
        });
    }
    let (tell, told) = std::sync::mpsc::channel();
    leaves_a_task(Noted(tell));
    assert_eq!(told.try_recv(), Ok(()));
}

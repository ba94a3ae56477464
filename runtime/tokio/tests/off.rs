//! Level off: the same types, and nothing behind them. A process of its own, because off is for good.

#![cfg(feature = "capture")]

#[path = "support/findings.rs"]
mod findings;

use pollscope_capture::level::{self, Source};
use pollscope_capture::tracked::track;
use pollscope_capture::{runtimes, thread};
use pollscope_tokio::setup::{self, Level};
use pollscope_tokio::{runtime, task};

#[test]
fn nothing_is_recorded_and_nothing_can_be_switched_on() {
    assert!(level::set_level(Level::Off, Source::Explicit));
    let runtime = runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .debug(false)
        .build();
    let runtime = runtime.expect("a runtime");
    runtime.block_on(async {
        let handle = task::spawn(async { Err::<(), _>("nobody looks") });
        assert_eq!(handle.pollscope_id(), 0);
        drop(handle);
        drop(track(async {}));
        let mut set = task::JoinSet::new();
        set.spawn(async { 1 });
        assert_eq!(set.join_next().await.expect("one").expect("it ends"), 1);
        assert_eq!(task::spawn_blocking(|| 2).await.expect("it ends"), 2);
        let placed = task::spawn(async { task::block_in_place(|| 3) });
        assert_eq!(placed.await.expect("it ends"), 3);
        let locals = task::LocalSet::new();
        let within = locals.run_until(async { task::spawn_local(async { 4 }).await });
        assert_eq!(within.await.expect("it ends"), 4);
        task::LocalSet::new().await;
    });
    assert_eq!(thread::all().count(), 0, "no thread has a slot");
    assert!(runtimes::all().is_empty());
    assert!(!setup::set_debug(true), "off is latched");
    assert_eq!(setup::level(), Level::Off);
    findings::none("nothing_is_recorded");
}

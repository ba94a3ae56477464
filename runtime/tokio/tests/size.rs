//! What a task grows by under our eyes: the budget of a live task is 260 bytes, the record's 128 among them.

#![cfg(feature = "capture")]

use pollscope_capture::TaskKind;
use pollscope_capture::instrumented::{Instrumented, Observed, Untold, instrument};
use std::future::Future;

use pollscope_capture::task::{Asks, Meta};
use pollscope_tokio::task::JoinHandle;

#[test]
fn a_future_grows_by_a_word() {
    fn grown<F: Future>(future: F) -> usize {
        let meta = Meta {
            location: std::panic::Location::caller(),
            kind: TaskKind::Task,
            name: None,
            runtime: 0,
            asks: Asks::Caller,
        };
        let plain = size_of::<F>();
        let (ours, _share): (Instrumented<F>, _) = instrument(future, Untold, &meta);
        size_of_val(&ours) - plain
    }
    let words = [0_u64; 6];
    assert_eq!(grown(async move { words }), 8);
    assert_eq!(grown(std::future::ready(7_u64)), 8);
}

#[test]
fn an_output_grows_by_a_word_and_its_tag() {
    assert_eq!(size_of::<Observed<u64>>(), size_of::<Option<u64>>() + 8);
    assert_eq!(
        size_of::<Observed<Box<u8>>>(),
        size_of::<Box<u8>>() + 8,
        "a niche holds the tag"
    );
}

#[test]
fn a_handle_is_tokios_and_one_word() {
    assert_eq!(
        size_of::<JoinHandle<[u64; 9]>>(),
        size_of::<tokio::task::JoinHandle<[u64; 9]>>() + 8
    );
    assert_eq!(
        size_of::<Option<JoinHandle<u8>>>(),
        size_of::<JoinHandle<u8>>(),
        "the niche is kept"
    );
}

#[test]
fn a_large_future_is_not_copied_along_the_stack() {
    const LARGE: usize = 64 * 1024;
    #[expect(
        clippy::large_stack_arrays,
        reason = "that is what large futures are made of"
    )]
    async fn large_future_of_the_test() -> u8 {
        let bytes = [7; LARGE];
        pollscope_tokio::task::yield_now().await;
        std::hint::black_box(&bytes)[LARGE - 1]
    }
    let runtime = pollscope_tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .expect("a runtime");
    // Without optimisation Tokio alone takes 200 to 300 KiB for this. Where ours takes more the thread overflows.
    let spawner = std::thread::Builder::new()
        .stack_size(512 * 1024)
        .spawn(move || {
            let handle = runtime.spawn(large_future_of_the_test());
            let (_, task) =
                pollscope_capture::registry::find(handle.pollscope_id()).expect("it lives");
            let site = pollscope_capture::site::get(task.site);
            let mut set = pollscope_tokio::task::JoinSet::new();
            set.spawn_on(large_future_of_the_test(), runtime.handle());
            let sum = runtime.block_on(async {
                handle.await.expect("it ends")
                    + set.join_next().await.expect("one").expect("it ends")
            });
            (site.type_name, site.future_bytes, sum)
        });
    let (type_name, bytes, sum) = spawner.expect("a thread").join().expect("it ends");
    assert!(
        type_name.contains("large_future_of_the_test") && !type_name.contains("Box"),
        "{type_name}"
    );
    assert!(bytes as usize >= LARGE);
    assert_eq!(sum, 14);
}

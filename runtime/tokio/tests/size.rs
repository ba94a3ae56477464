//! What a task grows by under our eyes: the budget of a live task is 260 bytes, the record's 128 among them.

use pollscope_capture::TaskKind;
use pollscope_capture::instrumented::{Instrumented, Observed, instrument};
use std::future::Future;

use pollscope_capture::task::{Asks, Meta};
use pollscope_tokio::task::JoinHandle;

#[test]
fn a_future_grows_by_three_words() {
    fn grown<F: Future>(future: F) -> usize {
        let meta = Meta {
            location: std::panic::Location::caller(),
            kind: TaskKind::Task,
            name: None,
            runtime: 0,
            asks: Asks::Caller,
        };
        let plain = size_of::<F>();
        let (ours, _share): (Instrumented<F>, _) = instrument(future, None, &meta);
        size_of_val(&ours) - plain
    }
    let words = [0_u64; 6];
    assert_eq!(grown(async move { words }), 24);
    assert_eq!(grown(std::future::ready(7_u64)), 24);
}

#[test]
fn an_output_grows_by_two_words_and_its_tag() {
    assert_eq!(size_of::<Observed<u64>>(), size_of::<Option<u64>>() + 16);
    assert_eq!(
        size_of::<Observed<Box<u8>>>(),
        size_of::<Box<u8>>() + 16,
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

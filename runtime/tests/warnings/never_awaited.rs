//! Futures that were forgotten, in every form that must be reported as definite, and those that are only likely.

use std::collections::HashMap;

use pollscope_capture::thread::{self, Thread};

use crate::watch::{What, during, forgotten, forgotten_in};

#[pollscope::tracked]
async fn work(_n: u8) -> u8 {
    tokio::task::yield_now().await;
    1
}

#[test]
#[expect(unused_must_use, reason = "what the test is about")]
fn a_call_without_await_is_definite() {
    let line = line!() + 3;
    assert_eq!(
        forgotten_in(async {
            work(1);
        }),
        [(line, true)]
    );
}

#[test]
#[expect(clippy::let_underscore_future, reason = "what the test is about")]
fn let_underscore_is_definite() {
    let line = line!() + 3;
    assert_eq!(
        forgotten_in(async {
            let _ = work(1);
        }),
        [(line, true)]
    );
}

#[test]
fn drop_is_definite() {
    let line = line!() + 3;
    assert_eq!(
        forgotten_in(async {
            drop(work(1));
        }),
        [(line, true)]
    );
}

#[test]
fn a_vector_is_definite() {
    let line = line!() + 3;
    assert_eq!(
        forgotten_in(async {
            vec![work(1), work(2)];
        }),
        [(line, true), (line, true)]
    );
}

#[test]
fn a_struct_s_field_is_definite() {
    struct Job<F> {
        _future: F,
        _name: &'static str,
    }
    let line = line!() + 3;
    let found = forgotten_in(async {
        let _job = Job {
            _future: work(1),
            _name: "settle",
        };
    });
    assert_eq!(found, [(line, true)]);
}

#[test]
fn a_box_in_a_map_is_definite() {
    let line = line!() + 3;
    let found = forgotten_in(async {
        let mut jobs: HashMap<u8, std::pin::Pin<Box<dyn Future<Output = u8>>>> = HashMap::new();
        jobs.insert(1, Box::pin(work(1)));
    });
    assert_eq!(found, [(line, true)]);
}

#[test]
fn an_early_return_is_definite() {
    async fn early(stop: bool) -> Option<u8> {
        let pending = work(1);
        if stop {
            return None;
        }
        Some(pending.await)
    }
    let line = line!() - 6;
    assert_eq!(
        forgotten_in(async { assert_eq!(early(true).await, None) }),
        [(line, true)]
    );
    assert_eq!(
        forgotten_in(async { assert_eq!(early(false).await, Some(1)) }),
        []
    );
}

#[test]
fn a_question_mark_that_jumps_over_it_is_definite() {
    async fn fails(text: &str) -> Result<u8, std::num::ParseIntError> {
        let pending = work(1);
        let n: u8 = text.parse()?;
        Ok(n + pending.await)
    }
    let line = line!() - 4;
    assert_eq!(
        forgotten_in(async { assert!(fails("x").await.is_err()) }),
        [(line, true)]
    );
    assert_eq!(
        forgotten_in(async { assert_eq!(fails("1").await, Ok(2)) }),
        []
    );
}

#[test]
fn outside_any_task_it_is_definite() {
    let line = line!() + 1;
    assert_eq!(forgotten(|| drop(work(1))), [(line, true)]);
}

#[test]
fn a_combinator_that_was_itself_forgotten_is_definite() {
    let line = line!() + 3;
    let found = forgotten_in(async {
        let late = std::time::Duration::from_secs(1);
        drop(tokio::time::timeout(late, work(1)));
    });
    assert_eq!(found, [(line, true)]);
}

#[test]
fn forgotten_after_an_await_is_likely() {
    let line = line!() + 2;
    let found = forgotten_in(async {
        let pending = work(1);
        tokio::task::yield_now().await;
        drop(pending);
    });
    assert_eq!(found, [(line, false)]);
}

#[test]
fn forgotten_while_another_was_polled_is_likely() {
    let line = line!() + 2;
    let found = forgotten_in(async {
        let pending = work(1);
        work(2).await;
        drop(pending);
    });
    assert_eq!(found, [(line, false)]);
}

/// Edge cases 13 and 14: moved in an `Option` and a box, and dropped elsewhere: found once, by the thread that dropped
/// it, and of the thread that made it.
#[test]
fn dropped_on_another_thread_is_likely() {
    let line = line!() + 3;
    let made_by = std::cell::Cell::new(0);
    let found = during(|| {
        let pending = Some(Box::new(work(1)));
        made_by.set(thread::current().map_or(0, Thread::tid));
        let dropper = std::thread::Builder::new().name("the dropper".to_owned());
        let dropper = dropper.spawn(|| drop(pending)).expect("a thread");
        dropper.join().expect("no panic");
    });
    let [found] = &found[..] else {
        panic!("{found:?}")
    };
    assert_eq!(found.line, line);
    assert_eq!(found.what, What::NeverAwaited { definite: false });
    assert_eq!(found.by.as_deref(), Some("the dropper"));
    assert_eq!(found.created_tid, made_by.get());
}

#[test]
fn forgotten_across_a_park_of_a_task_that_is_not_ours_is_likely() {
    // Nobody tells of its polls. That the thread slept in between is told.
    let line = line!() + 3;
    let found = forgotten_in(async {
        let task = tokio::spawn(async {
            let pending = work(1);
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            drop(pending);
        });
        task.await.expect("no panic");
    });
    assert_eq!(found, [(line, false)]);
}

#[test]
fn in_a_task_that_is_not_ours_it_is_definite() {
    let line = line!() + 2;
    let found = forgotten_in(async {
        let task = tokio::spawn(async { drop(work(1)) });
        task.await.expect("no panic");
    });
    assert_eq!(found, [(line, true)]);
}

#[pollscope::tracked]
async fn ready() {}

#[test]
fn the_loser_of_a_foreign_select_is_likely() {
    let line = line!() + 5;
    let found = forgotten_in(async {
        tokio::select! {
            biased;
            () = ready() => {}
            _ = work(1) => unreachable!("the first is ready"),
        }
    });
    assert_eq!(found, [(line, false)]);
}

#[test]
fn made_in_the_handler_of_a_select_and_forgotten_is_definite() {
    let line = line!() + 5;
    let found = forgotten_in(async {
        pollscope::select! {
            biased;
            () = async {} => {
                drop(work(1));
            }
            _ = work(2) => {}
        }
    });
    assert_eq!(found, [(line, true)]);
}

#[test]
fn made_before_a_join_and_forgotten_after_it_is_likely() {
    let line = line!() + 2;
    let found = forgotten_in(async {
        let pending = work(1);
        pollscope::join!(async {}, async {});
        drop(pending);
    });
    assert_eq!(found, [(line, false)]);
}

#[test]
fn many_of_one_place_are_counted_and_the_first_are_told() {
    let found = forgotten(|| {
        for _ in 0..100 {
            drop(work(1));
        }
    });
    assert!(found.len() < 20, "{} were told in full", found.len());
    let line = line!() - 4;
    assert!(found.iter().all(|told| *told == (line, true)), "{found:?}");
}

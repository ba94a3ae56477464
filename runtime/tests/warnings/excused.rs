//! Futures that were dropped unpolled and not forgotten: each must stay silent.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use pollscope::runtime::Builder;

use crate::watch::{during, during_task, forgotten, forgotten_in};

#[pollscope::tracked]
async fn work(_n: u8) -> u8 {
    tokio::task::yield_now().await;
    1
}

#[pollscope::tracked]
async fn fails() -> Result<u8, u8> {
    Err(1)
}

#[pollscope::tracked]
async fn succeeds() -> Result<u8, u8> {
    Ok(1)
}

#[test]
fn awaited() {
    let found = forgotten_in(async {
        work(1).await;
        let later = work(2);
        tokio::task::yield_now().await;
        later.await;
        tokio::time::timeout(Duration::from_secs(9), work(3))
            .await
            .expect("in time");
        pollscope::spawn(work(4)).await.expect("no panic");
    });
    assert_eq!(found, []);
}

/// Edge cases 1 and 2: the branch after the one that was ready, and the one that was switched off.
#[test]
fn losers_of_our_select() {
    let found = forgotten_in(async {
        for _ in 0..8 {
            // Not biased: whichever starts.
            pollscope::select! {
                () = async {} => {}
                _ = work(1) => {}
                _ = work(2), if false => {}
                _ = work(3) => unreachable!("the first is ready, or the second not yet"),
            }
        }
        let n = pollscope::select! {
            biased;
            n = async { 7 } => n,
            n = async { let unpolled = work(1); std::future::pending::<()>().await; unpolled.await } => n,
            else => 0,
        };
        assert_eq!(n, 7);
    });
    assert_eq!(found, []);
}

#[test]
fn what_a_suspended_loser_still_held() {
    let found = forgotten_in(async {
        pollscope::select! {
            biased;
            _ = async { let unpolled = work(1); std::future::pending::<()>().await; unpolled.await } => {}
            () = tokio::task::yield_now() => {}
        }
    });
    assert_eq!(found, []);
}

#[test]
fn what_a_suspended_tracked_future_still_held() {
    /// Dropped by a `select!` of Tokio's or by anybody else who marks nothing: it was polled, and it held the other.
    #[pollscope::tracked]
    async fn holds(for_ever: bool) {
        let unpolled = work(1);
        if for_ever {
            std::future::pending::<()>().await;
        }
        unpolled.await;
    }
    let found = forgotten_in(async {
        tokio::select! {
            biased;
            () = holds(true) => unreachable!("it waits"),
            () = async {} => {}
        }
        let elapsed = tokio::time::timeout(Duration::ZERO, holds(true)).await;
        assert!(elapsed.is_err());
        holds(false).await;
    });
    assert_eq!(found, []);
}

#[test]
fn the_excuse_of_a_tracked_future_ends_with_its_drop() {
    #[pollscope::tracked]
    async fn never() {
        std::future::pending::<()>().await;
    }
    let line = line!() + 3;
    let found = forgotten_in(async {
        assert!(tokio::time::timeout(Duration::ZERO, never()).await.is_err());
        drop(work(1));
    });
    assert_eq!(found, [(line, true)]);
}

#[test]
fn a_borrowed_branch_is_its_owner_s_to_forget() {
    let line = line!() + 2;
    let found = forgotten_in(async {
        let mut mine = Box::pin(work(1));
        pollscope::select! {
            biased;
            () = async {} => {}
            _ = &mut mine => {}
        }
    });
    assert_eq!(found, [(line, false)]);
}

/// Edge case 3: those behind the one that failed.
#[test]
fn what_our_try_join_left_behind() {
    let found = forgotten_in(async {
        let failed = pollscope::try_join!(biased; succeeds(), fails(), succeeds());
        assert_eq!(failed, Err(1));
        assert_eq!(pollscope::try_join!(succeeds(), succeeds()), Ok((1, 1)));
        assert_eq!(pollscope::join!(work(1), work(2)), (1, 1));
    });
    assert_eq!(found, []);
}

/// Edge case 4: a join that was itself given up.
#[test]
fn our_join_that_was_abandoned() {
    let found = forgotten_in(async {
        pollscope::select! {
            biased;
            () = async {} => {}
            _ = async { pollscope::join!(work(1), work(2)) } => {}
        }
    });
    assert_eq!(found, []);
}

/// Edge case 5: held by a frame that unwinds.
#[test]
fn unwinding() {
    let found = forgotten(|| {
        let caught = catch_unwind(AssertUnwindSafe(|| {
            let _unpolled = work(1);
            panic!("on purpose, by a test");
        }));
        assert!(caught.is_err());
    });
    assert_eq!(found, []);
}

/// Edge case 8: the runtime has one thread, so the abort comes first.
#[test]
fn a_task_aborted_before_its_first_poll() {
    let found = forgotten_in(async {
        let handle = pollscope::spawn(work(1));
        handle.abort();
        assert!(handle.await.expect_err("aborted").is_cancelled());
    });
    assert_eq!(found, []);
}

#[test]
fn what_an_aborted_task_still_held() {
    let found = forgotten_in(async {
        let handle = pollscope::spawn(async {
            let unpolled = work(1);
            std::future::pending::<()>().await;
            unpolled.await
        });
        tokio::task::yield_now().await;
        handle.abort();
        assert!(handle.await.expect_err("aborted").is_cancelled());
    });
    assert_eq!(found, []);
}

/// Edge case 10: the runtime is gone before they had their turn.
#[test]
fn shutdown_with_tasks_unpolled() {
    for multi in [false, true] {
        let found = forgotten(|| {
            let mut builder = if multi {
                Builder::new_multi_thread()
            } else {
                Builder::new_current_thread()
            };
            let runtime = builder.enable_all().build().expect("a runtime");
            for _ in 0..8 {
                let _detached = runtime.spawn(work(1));
            }
            drop(runtime);
        });
        assert_eq!(found, [], "multi_thread: {multi}");
    }
}

/// Edge case 7: polled once or twice and cancelled; and one that was in time.
#[test]
fn timeout_that_elapsed() {
    let found = forgotten_in(async {
        let never = pollscope::track(std::future::pending::<()>());
        assert!(tokio::time::timeout(Duration::ZERO, never).await.is_err());
        let soon = tokio::time::timeout(Duration::ZERO, succeeds()).await;
        assert_eq!(soon, Ok(Ok(1)));
    });
    assert_eq!(found, []);
}

/// Edge case 15: somebody said so.
#[test]
fn discarded_on_purpose() {
    let found = forgotten_in(async {
        pollscope::discard(work(1));
        pollscope::discard(async move { work(2).await });
        pollscope::track(async {}).discard();
        // Also what is inside.
        let inner = work(3);
        pollscope::discard(async move { inner.await + 1 });
    });
    assert_eq!(found, []);
}

/// Edge case 6: a loser that had its turn was cancelled, not forgotten.
#[test]
fn losers_that_were_polled() {
    let found = forgotten_in(async {
        pollscope::select! {
            biased;
            _ = work(1) => unreachable!("it waits once"),
            () = async {} => {}
        }
        tokio::select! {
            biased;
            _ = work(1) => unreachable!("it waits once"),
            () = async {} => {}
        }
    });
    assert_eq!(found, []);
}

/// Edge case 9: with more threads the task may have run before the abort comes.
#[test]
fn an_abort_that_may_be_too_late() {
    let found = forgotten(|| {
        let runtime = Builder::new_multi_thread().worker_threads(2).build();
        runtime.expect("a runtime").block_on(async {
            for _ in 0..32 {
                let handle = pollscope::spawn(work(1));
                handle.abort();
                match handle.await {
                    Ok(ended) => assert_eq!(ended, 1),
                    Err(error) => assert!(error.is_cancelled()),
                }
            }
        });
    });
    assert_eq!(found, []);
}

/// Edge case 11: the same of a set of local tasks.
#[test]
fn a_local_set_dropped_with_tasks_unpolled() {
    let found = forgotten_in(async {
        let local = pollscope::task::LocalSet::new();
        let _handle = local.spawn_local(work(1));
        drop(local);
    });
    assert_eq!(found, []);
}

/// Edge case 12: what is never dropped tells nothing. (A task that is never polled is listed with its age: see the
/// parity row `e12`.)
#[test]
fn alive_for_ever() {
    use std::cell::RefCell;
    use std::rc::Rc;
    use std::sync::Mutex;

    type Boxed = std::pin::Pin<Box<dyn Future<Output = u8> + Send>>;
    static KEPT: Mutex<Option<Boxed>> = Mutex::new(None);

    #[derive(Default)]
    struct Cycle {
        _future: Option<Boxed>,
        of: RefCell<Option<Rc<Self>>>,
    }

    let found = forgotten_in(async {
        std::mem::forget(work(1));
        *KEPT.lock().expect("no panic") = Some(Box::pin(work(2)));
        let cycle = Rc::new(Cycle {
            _future: Some(Box::pin(work(3))),
            ..Cycle::default()
        });
        *cycle.of.borrow_mut() = Some(Rc::clone(&cycle));
    });
    assert_eq!(found, []);
}

/// Edge case 16: only what is tracked counts.
#[test]
fn futures_that_nobody_tracks() {
    let found = forgotten_in(async {
        drop(std::future::ready(1));
        drop(tokio::time::sleep(Duration::from_secs(9)));
        drop(async { work(1).await });
        drop(tokio::spawn(std::future::ready(1)));
    });
    assert_eq!(found, []);
}

/// Edge case 17: a poll too many panics, and is no future forgotten.
#[test]
fn polled_after_its_end() {
    let found = forgotten_in(async {
        let joined = pollscope::spawn(async {
            let mut ended = std::pin::pin!(succeeds());
            let first = ended.as_mut().await;
            (first, ended.await)
        });
        let error = joined.await.expect_err("it panics");
        let panic = error.into_panic();
        let said = panic.downcast_ref::<&str>().copied().unwrap_or_default();
        assert!(said.contains("resumed after completion"), "{said}");
    });
    assert_eq!(found, []);
}

/// Edge cases 18 and 19: whatever combinator polled it before it was dropped.
#[test]
fn dropped_by_a_combinator_after_a_poll() {
    use futures::FutureExt;
    use futures::future::{AbortHandle, Abortable, select};

    let found = forgotten_in(async {
        assert_eq!(work(1).now_or_never(), None);
        let (handle, registration) = AbortHandle::new_pair();
        let mut aborted = Box::pin(Abortable::new(work(2), registration));
        assert!(futures::poll!(&mut aborted).is_pending());
        handle.abort();
        assert!(aborted.await.is_err());
        let first = select(Box::pin(work(3)), Box::pin(succeeds())).await;
        assert!(matches!(first, futures::future::Either::Right(_)));
        assert_eq!(work(4).shared().now_or_never(), None);
    });
    assert_eq!(found, []);
}

#[test]
fn an_excuse_ends_where_it_ends() {
    let line = line!() + 3;
    let found = during_task(async {
        pollscope::discard(work(1));
        drop(work(2));
    });
    assert_eq!(
        found.iter().map(|found| found.line).collect::<Vec<_>>(),
        [line]
    );
    // Also by a panic.
    let found = during(|| {
        struct Bad;
        impl Drop for Bad {
            fn drop(&mut self) {
                panic!("on purpose, by a test");
            }
        }
        let bad = Bad;
        let panicking = async move { drop(bad) };
        assert!(catch_unwind(AssertUnwindSafe(|| pollscope::discard(panicking))).is_err());
        drop(work(3));
    });
    assert_eq!(found.len(), 1, "{found:?}");
}

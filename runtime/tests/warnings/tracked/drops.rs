//! Arguments are dropped when and in the order in which `async fn` drops them.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use crate::watch::during;

type Log = Rc<RefCell<Vec<&'static str>>>;

struct Noisy(&'static str, Log);

impl Drop for Noisy {
    fn drop(&mut self) {
        self.1.borrow_mut().push(self.0);
    }
}

/// The same functions twice, plain and tracked.
macro_rules! functions {
    ($(#[$attr:meta])?) => {
        $(#[$attr])?
        pub(super) async fn free(a: Noisy, _: Noisy, (b, _): (Noisy, Noisy), mut c: Noisy, _d: Noisy) {
            let _local = Noisy("local", Rc::clone(&a.1));
            super::pause().await;
            c.0 = "c, changed";
            drop(b);
        }

        pub(super) struct Me(
            pub(super) Noisy,
            #[expect(dead_code, reason = "only dropped")] pub(super) Noisy,
        );

        $(#[$attr])?
        impl Me {
            pub(super) async fn unused(self, _a: Noisy) {
                super::pause().await;
            }

            pub(super) async fn partly(self, _a: Noisy) {
                let _first = self.0;
                super::pause().await;
            }
        }
    };
}

mod plain {
    use super::*;
    functions!();
}

mod tracked {
    use super::*;
    functions!(#[pollscope::tracked]);
}

/// Pending once.
async fn pause() {
    let mut polled = false;
    poll_fn(|_| {
        if std::mem::replace(&mut polled, true) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}

/// Makes a future, polls it so often, drops it, and gives what was dropped after what.
fn log_of<F: Future>(
    polls: usize,
    make: impl FnOnce(&dyn Fn(&'static str) -> Noisy) -> F,
) -> Vec<&'static str> {
    let log = Log::default();
    let noisy = |name| Noisy(name, Rc::clone(&log));
    {
        let mut future = pin!(make(&noisy));
        log.borrow_mut().push("made");
        for _ in 0..polls {
            let _ = future
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()));
            log.borrow_mut().push("polled");
        }
    }
    log.take()
}

#[test]
fn drop_order_is_that_of_async_fn() {
    during(|| {
        for polls in 0..=2 {
            let plain = log_of(polls, |n| {
                plain::free(n("a"), n("_"), (n("b"), n("b_")), n("c"), n("d"))
            });
            let tracked = log_of(polls, |n| {
                tracked::free(n("a"), n("_"), (n("b"), n("b_")), n("c"), n("d"))
            });
            assert_eq!(tracked, plain, "free, {polls} polls");
            assert_eq!(
                tracked.first(),
                Some(&"made"),
                "nothing is dropped by the call"
            );

            let plain = log_of(polls, |n| plain::Me(n("0"), n("1")).unused(n("a")));
            let tracked = log_of(polls, |n| tracked::Me(n("0"), n("1")).unused(n("a")));
            assert_eq!(tracked, plain, "unused, {polls} polls");

            let plain = log_of(polls, |n| plain::Me(n("0"), n("1")).partly(n("a")));
            let tracked = log_of(polls, |n| tracked::Me(n("0"), n("1")).partly(n("a")));
            assert_eq!(tracked, plain, "partly, {polls} polls");
        }
    });
}

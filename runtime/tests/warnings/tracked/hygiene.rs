//! What the attribute writes meets no name of the user's, whatever those are, and nothing of the user's gets lost.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::watch::{forgotten, forgotten_in};

/// A module in which every name that an expansion may be tempted to use means something else.
#[pollscope::tracked]
#[expect(dead_code, unused_macros, reason = "names that nobody shall mean")]
mod taken {
    mod std {}
    mod core {}
    mod pollscope {}
    struct Option;
    struct Box;
    struct Pin;
    trait Future {}
    fn track_at() {}
    macro_rules! panic {
        () => {};
    }

    pub(super) async fn all_names() -> u8 {
        1
    }

    pub(super) async fn arguments(value: u8, result: u8, promised: u8, __arg0: u8) -> u8 {
        value + result + promised + __arg0
    }
}

mod without_prelude {
    #![no_implicit_prelude]

    #[::pollscope::tracked]
    pub(super) async fn bare(n: u8) -> u8 {
        n
    }
}

/// By a macro of the user's: the tokens are not all of one place.
macro_rules! functions {
    ($($name:ident -> $ty:ty = $value:expr;)*) => {
        $(
            #[pollscope::tracked]
            async fn $name(extra: $ty) -> $ty {
                let value: $ty = $value;
                value + extra
            }
        )*
    };
}

functions! {
    one -> u8 = 1;
    r#fn -> u64 = 2;
}

struct Node(u8);

trait Visits {
    type Answer;

    async fn visit(self: Arc<Self>) -> Self::Answer;

    async fn of<T: Into<u64> + Copy>(&self, values: &[T]) -> u64
    where
        Self: Sized;
}

#[pollscope::tracked]
impl Visits for Node {
    type Answer = u8;

    async fn visit(self: Arc<Self>) -> Self::Answer {
        self.0
    }

    async fn of<T: Into<u64> + Copy>(&self, values: &[T]) -> u64
    where
        Self: Sized,
    {
        values.iter().map(|value| (*value).into()).sum()
    }
}

#[pollscope::tracked]
impl Node {
    async fn pinned(self: Pin<&mut Self>) -> u8 {
        self.0
    }

    async fn shared(self: &Arc<Self>, with: &mut dyn FnMut(u8)) {
        with(self.0);
    }

    async fn calls<F>(&self, call: F) -> usize
    where
        F: for<'a> Fn(&'a str) -> &'a str,
    {
        call("abc").len()
    }
}

#[pollscope::tracked]
async fn conditional(
    #[cfg(any())] _gone: NoSuchType,
    #[cfg(not(any()))] stays: u8,
    #[cfg_attr(
        not(any()),
        expect(unused_variables, reason = "what the test is about")
    )]
    unused: u8,
) -> u8 {
    stays
}

#[pollscope::tracked]
#[expect(clippy::async_yields_async, reason = "what the test is about")]
async fn nested() -> impl Future<Output = u8> {
    async { 7 }
}

#[pollscope::tracked]
async fn control_flow(stop: u8) -> u8 {
    async fn inner(n: u8) -> u8 {
        std::future::ready(n).await
    }
    let mut n = 0;
    let found = 'search: loop {
        n += 1;
        if inner(n).await == stop {
            break 'search n;
        }
    };
    let Some(found) = Some(found) else { return 0 };
    found
}

fn is_send_and_sync<T: Send + Sync>(value: T) -> T {
    value
}

#[test]
fn each_compiles_and_gives_what_it_gave() {
    let found = forgotten_in(async {
        assert_eq!(taken::all_names().await, 1);
        assert_eq!(taken::arguments(1, 2, 3, 4).await, 10);
        assert_eq!(without_prelude::bare(2).await, 2);
        assert_eq!((one(1).await, r#fn(1).await), (2, 3));
        let node = Arc::new(Node(5));
        assert_eq!(Arc::clone(&node).visit().await, 5);
        assert_eq!(node.of(&[1_u8, 2]).await, 3);
        assert_eq!(Pin::new(&mut Node(6)).pinned().await, 6);
        let mut seen = 0;
        node.shared(&mut |n| seen = n).await;
        assert_eq!(seen, 5);
        assert_eq!(is_send_and_sync(node.calls(str::trim)).await, 3);
        assert_eq!(conditional(8, 9).await, 8);
        assert_eq!(is_send_and_sync(nested()).await.await, 7);
        assert_eq!(control_flow(4).await, 4);
    });
    assert_eq!(found, []);
}

#[test]
fn each_reports_the_line_of_its_call() {
    let node = Arc::new(Node(5));
    let line = line!();
    let found = forgotten(|| {
        drop(taken::all_names());
        drop(without_prelude::bare(2));
        drop(r#fn(1));
        drop(Arc::clone(&node).visit());
        drop(node.of(&[1_u8]));
        drop(Pin::new(&mut Node(6)).pinned());
        drop(node.shared(&mut |_| {}));
        drop(conditional(8, 9));
        drop(nested());
    });
    let expected: Vec<_> = (2..11).map(|after| (line + after, true)).collect();
    assert_eq!(found, expected);
}

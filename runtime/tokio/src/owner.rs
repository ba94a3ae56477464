//! `select!`, `join!` and `try_join!`: Tokio's, and a mark on whoever owns the futures.
//!
//! A future that is dropped before its first poll was forgotten, or it lost: its `select!` ended before its turn, its
//! branch was disabled, its `try_join!` failed early. From the drop alone these look the same. So each branch is
//! wrapped, and the wrapper says on this thread when its future's drop begins and ends: what is dropped unpolled in
//! between was not forgotten (see `capture::tracked`), and what a handler forgets right after it was.
//! Nothing else changes: the tokens go to Tokio's macro; branch order, fairness and what is borrowed are its own.

use std::future::{Future, IntoFuture};
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::capture::sub::{self, Sub};
use crate::capture::tracked;
use pin_project_lite::pin_project;

/// A future of a `select!`, `join!` or `try_join!`. The macros write it as a struct expression: unlike a call it lets
/// `&mut` of a temporary live as long as in Tokio's own macro.
#[derive(Debug)]
pub struct Owner<F> {
    /// The user's expression.
    pub future: F,
    /// Where the macro stands.
    pub at: &'static Location<'static>,
}

impl<F: IntoFuture> IntoFuture for Owner<F> {
    type Output = F::Output;
    type IntoFuture = Owned<F::IntoFuture>;

    #[inline]
    fn into_future(self) -> Self::IntoFuture {
        Owned {
            begin: Begin,
            future: self.future.into_future(),
            at: self.at,
            end: End,
        }
    }
}

pin_project! {
    /// A future whose drop is its owner's will.
    #[derive(Debug)]
    pub struct Owned<F> {
        // Fields are dropped in this order, the last one also when a drop before it panics.
        begin: Begin,
        #[pin]
        future: F,
        at: &'static Location<'static>,
        end: End,
    }
}

#[derive(Debug)]
struct Begin;

impl Drop for Begin {
    #[inline]
    fn drop(&mut self) {
        tracked::begin_excuse();
    }
}

#[derive(Debug)]
struct End;

impl Drop for End {
    #[inline]
    fn drop(&mut self) {
        tracked::end_excuse();
        // What a borrowed branch made while it was polled is its own, whoever drops it now.
        tracked::stir();
    }
}

impl<F: Future> Future for Owned<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        // What was made before and is dropped after has seen this poll between.
        tracked::stir();
        let this = self.project();
        let branch = Sub::Branch(this.at, std::any::type_name::<F>);
        sub::poll(branch, || this.future.poll(cx))
    }
}

/// Waits on several branches, as [`tokio::select!`] does, same grammar. A future whose turn did not come is not
/// reported as forgotten.
///
/// A branch takes two steps of the compiler's recursion limit, where Tokio's takes one: past 60 branches, those of nested
/// ones together, the crate may need `#![recursion_limit = "256"]`.
///
/// ```
/// # let runtime = pollscope_tokio::runtime::Runtime::new()?;
/// # runtime.block_on(async {
/// let first = pollscope_tokio::select! {
///     biased;
///     n = async { 1 } => n,
///     n = std::future::pending() => n,
/// };
/// assert_eq!(first, 1);
/// # });
/// # Ok::<(), std::io::Error>(())
/// ```
#[macro_export]
macro_rules! select {
    ($(biased;)? else => $else:expr $(,)?) => {
        $crate::private::tokio::select!(else => $else)
    };
    (biased; $p:pat = $($r:tt)*) => {
        $crate::__select!([biased;] {} $p = $($r)*)
    };
    ($p:pat = $($r:tt)*) => {
        $crate::__select!([] {} $p = $($r)*)
    };
    // No branch, or a mistake: Tokio says which.
    ($($other:tt)*) => {
        $crate::private::tokio::select!($($other)*)
    };
}

/// A branch, marked as its macro's. A struct expression, see [`Owner`]; the place is that of the macro the user wrote.
#[doc(hidden)]
#[macro_export]
macro_rules! __owner {
    ($future:expr) => {
        $crate::private::Owner {
            future: $future,
            at: const { ::core::panic::Location::caller() },
        }
    };
}

/// Takes branch after branch, wraps its future, and hands all of them to Tokio's macro. The rules are those of Tokio's
/// own, because only what comes after a handler tells whether that was a block.
#[doc(hidden)]
#[macro_export]
macro_rules! __select {
    ([$($mode:tt)*] { $($done:tt)* }) => {
        $crate::private::tokio::select!($($mode)* $($done)*)
    };
    ([$($mode:tt)*] { $($done:tt)* } else => $else:expr $(,)?) => {
        $crate::private::tokio::select!($($mode)* $($done)* else => $else)
    };
    ($m:tt { $($d:tt)* } $p:pat = $f:expr, if $c:expr => $h:block, $($r:tt)*) => {
        $crate::__select!($m { $($d)* $p = $crate::__owner!($f), if $c => $h, } $($r)*)
    };
    ($m:tt { $($d:tt)* } $p:pat = $f:expr => $h:block, $($r:tt)*) => {
        $crate::__select!($m { $($d)* $p = $crate::__owner!($f) => $h, } $($r)*)
    };
    ($m:tt { $($d:tt)* } $p:pat = $f:expr, if $c:expr => $h:block $($r:tt)*) => {
        $crate::__select!($m { $($d)* $p = $crate::__owner!($f), if $c => $h, } $($r)*)
    };
    ($m:tt { $($d:tt)* } $p:pat = $f:expr => $h:block $($r:tt)*) => {
        $crate::__select!($m { $($d)* $p = $crate::__owner!($f) => $h, } $($r)*)
    };
    ($m:tt { $($d:tt)* } $p:pat = $f:expr, if $c:expr => $h:expr) => {
        $crate::__select!($m { $($d)* $p = $crate::__owner!($f), if $c => { $h }, })
    };
    ($m:tt { $($d:tt)* } $p:pat = $f:expr => $h:expr) => {
        $crate::__select!($m { $($d)* $p = $crate::__owner!($f) => { $h }, })
    };
    ($m:tt { $($d:tt)* } $p:pat = $f:expr, if $c:expr => $h:expr, $($r:tt)*) => {
        $crate::__select!($m { $($d)* $p = $crate::__owner!($f), if $c => { $h }, } $($r)*)
    };
    ($m:tt { $($d:tt)* } $p:pat = $f:expr => $h:expr, $($r:tt)*) => {
        $crate::__select!($m { $($d)* $p = $crate::__owner!($f) => { $h }, } $($r)*)
    };
}

/// Waits for all futures, as [`tokio::join!`] does, same grammar.
#[macro_export]
macro_rules! join {
    (biased; $($future:expr),+ $(,)?) => {
        $crate::private::tokio::join!(biased; $($crate::__owner!($future)),+)
    };
    ($($future:expr),+ $(,)?) => {
        $crate::private::tokio::join!($($crate::__owner!($future)),+)
    };
    ($($other:tt)*) => {
        $crate::private::tokio::join!($($other)*)
    };
}

/// Waits for all futures or the first error, as [`tokio::try_join!`] does, same grammar. A future whose turn did not
/// come is not reported as forgotten.
#[macro_export]
macro_rules! try_join {
    (biased; $($future:expr),+ $(,)?) => {
        $crate::private::tokio::try_join!(biased; $($crate::__owner!($future)),+)
    };
    ($($future:expr),+ $(,)?) => {
        $crate::private::tokio::try_join!($($crate::__owner!($future)),+)
    };
    ($($other:tt)*) => {
        $crate::private::tokio::try_join!($($other)*)
    };
}

//! What the macros of this crate expand to. Not for anybody else: it changes without notice.
#![doc(hidden)]

use std::any::type_name;
use std::fmt::{Debug, Display};
use std::panic::Location;

pub use crate::capture::tracked::track_at;
pub use pollscope_tokio::private::{ErrorText, init};
use pollscope_tokio::private::{Read, error_text, spawn_described};

use crate::task::JoinHandle;

/// Calls a function that is not called again.
#[inline]
pub fn once<R>(body: impl FnOnce() -> R) -> R {
    body()
}

/// Spawns a task whose error is read by `read`.
///
/// The function pointer, not a type parameter: from it the compiler learns the type of the closure's argument
/// before it looks for `read`'s trait.
pub fn spawn_reading<F>(
    future: F,
    read: Read<F::Output>,
    location: &'static Location<'static>,
) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    spawn_described(future, read, location)
}

/// An output, to be read by what its type can do: the traits below are tried in their order, because a method is
/// looked for with fewer and fewer references taken off.
#[derive(Debug)]
pub struct Output<'a, T>(pub &'a T);

fn error<'a, T, E>(output: &Output<'a, Result<T, E>>) -> Option<&'a E> {
    output.0.as_ref().err()
}

/// `Err` with both texts.
pub trait ByBoth {
    /// The text.
    fn read(&self) -> ErrorText;
}

impl<T, E: Display + Debug> ByBoth for &&&Output<'_, Result<T, E>> {
    fn read(&self) -> ErrorText {
        let error = error(self);
        error_text(
            type_name::<Result<T, E>>(),
            error.map(|e| e as _),
            error.map(|e| e as _),
        )
    }
}

/// `Err` that can be displayed.
pub trait ByDisplay {
    /// The text.
    fn read(&self) -> ErrorText;
}

impl<T, E: Display> ByDisplay for &&Output<'_, Result<T, E>> {
    fn read(&self) -> ErrorText {
        error_text(
            type_name::<Result<T, E>>(),
            error(self).map(|e| e as _),
            None,
        )
    }
}

/// `Err` that can be debugged.
pub trait ByDebug {
    /// The text.
    fn read(&self) -> ErrorText;
}

impl<T, E: Debug> ByDebug for &Output<'_, Result<T, E>> {
    fn read(&self) -> ErrorText {
        error_text(
            type_name::<Result<T, E>>(),
            None,
            error(self).map(|e| e as _),
        )
    }
}

/// Anything else.
pub trait ByName {
    /// The name of the type, and no text.
    fn read(&self) -> ErrorText;
}

impl<T> ByName for Output<'_, T> {
    fn read(&self) -> ErrorText {
        error_text(type_name::<T>(), None, None)
    }
}

/// Names `!` where stable Rust does not take it: `<fn() -> ! as Returns>::Output`.
pub trait Returns {
    /// What it returns.
    type Output;
}

impl<T> Returns for fn() -> T {
    type Output = T;
}

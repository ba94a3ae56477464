//! `spawn`: a function, and a macro of the same name that also reads the error.

use crate::task::JoinHandle;

/// Spawns a task, as `tokio::spawn` does, under pollscope's eyes.
///
/// The function knows the text of an error only where the output is a `Result<(), E>` of a common `E` (`io::Error`,
/// `String`, `Box<dyn Error>`, …); of others a `leaked_error` names the type. The macro [`spawn!`](macro@crate::spawn)
/// reads the text of any error that has one. One `use pollscope::spawn;` brings both.
///
/// Cost over Tokio's: some 0.1 µs and a 128-byte record while the task lives; at level off one word in the task.
///
/// # Panics
/// Outside a runtime, with Tokio's words.
///
/// # Examples
///
/// ```
/// # #[pollscope::main(flavor = "current_thread")]
/// # async fn main() {
/// let handle = pollscope::spawn(async { 6 * 7 });
/// assert_eq!(handle.await.unwrap(), 42);
/// # }
/// ```
#[track_caller]
#[inline]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    crate::task::spawn(future)
}

/// Spawns a task like the function [`spawn`](fn@crate::spawn), and knows how to read its error.
///
/// Where the task returns an `Err` that nobody reads, the warning has its `Display` and its `Debug` text, as far as
/// the type has them, and the type's name always. Any output compiles. Inside a generic function only what its
/// bounds promise is known of a type parameter.
///
/// # Panics
/// Outside a runtime, with Tokio's words.
///
/// # Examples
///
/// ```
/// use pollscope::spawn;
///
/// # #[pollscope::main(flavor = "current_thread")]
/// # async fn main() {
/// let handle = spawn!(async { Err::<(), _>(std::io::Error::other("no disk")) });
/// drop(handle); // the warning says "no disk"
///
/// let handle = spawn!(async { 6 * 7 });
/// assert_eq!(handle.await.unwrap(), 42);
/// # }
/// ```
#[macro_export]
macro_rules! spawn {
    ($future:expr $(,)?) => {
        // A match: what the expression borrows lives as long as in a call of the function.
        match $future {
            future => {
                #[allow(unused_imports)]
                use $crate::private::{ByBoth as _, ByDebug as _, ByDisplay as _, ByName as _};
                $crate::private::spawn_reading(
                    future,
                    |output| (&&&&$crate::private::Output(output)).read(),
                    ::core::panic::Location::caller(),
                )
            }
        }
    };
}

//! Work inside somebody else's task, as a row of its own: `instrument` and `request`.

use std::panic::Location;

pub use pollscope_tokio::private::Request;
use pollscope_tokio::private::request as follow;

/// Follows a future that runs inside somebody else's task: it is listed as a row of kind `request`, by its type and the
/// line of this call, from here until it has ended or was dropped.
///
/// For work that a library polls for you: a handler of a server, a job of a queue, one of many futures of a
/// `FuturesUnordered`. Its polls, times and wakes are its own; a poll of it that is slow is told with it, and not with the
/// task of yours it may run in, which is its parent. A poll that takes long and stays below the threshold is a note of
/// each of the rows around it, too. What it gives is handed through unchanged, also an `Err`: the row's
/// outcome says so, and nobody else does. Dropped before its end it is `aborted`, which is no finding. Nothing is told
/// of a panic either, because the task around it is unwound, too.
///
/// The `tracing` span it is made in is on its row at level debug, where somebody collects spans.
///
/// Time that the future spends in no poll of it, such as the body of a response that is streamed later, is not its own.
///
/// Cost: as a spawn without the spawn, some 0.1 µs and a 128-byte record as long as it lives; at level off one word.
///
/// # Examples
///
/// ```
/// # #[pollscope::main(flavor = "current_thread")]
/// # async fn main() {
/// let answer = pollscope::instrument(async { 6 * 7 }).await;
/// assert_eq!(answer, 42);
/// # }
/// ```
#[track_caller]
#[inline]
pub fn instrument<F: Future>(future: F) -> Request<F> {
    follow(future, Location::caller(), || None::<&str>)
}

/// As [`instrument`], with a name for its row: the route, and not the path with its ids.
///
/// Findings of requests are put together by name, and names are kept as long as a request has them: 128 bytes of each,
/// of 65,536 different ones at a time; past that requests are without. 64 names of one place have figures and findings of
/// their own, all others have theirs together as `(other)`: the first 32 that come, and 32 that have come eight times, so
/// that whoever asks for a thousand paths does not hide a route that is asked for late.
///
/// Cost over [`instrument`]: two short locks, some 0.15 µs.
///
/// # Examples
///
/// ```
/// # async fn load(order: u64) -> Result<String, std::io::Error> { Ok(order.to_string()) }
/// # #[pollscope::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), std::io::Error> {
/// let order = pollscope::request("GET /orders/{id}", load(42)).await?;
/// assert_eq!(order, "42");
/// # Ok(())
/// # }
/// ```
#[track_caller]
#[inline]
pub fn request<F: Future>(name: impl AsRef<str>, future: F) -> Request<F> {
    follow(future, Location::caller(), || Some(name))
}

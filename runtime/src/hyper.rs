//! An executor for hyper: what hyper spawns by itself is a task of ours.

use std::panic::Location;

/// Spawns hyper's own tasks by [`spawn`](fn@crate::spawn), so that they are rows: the connections of a client, the streams
/// of an HTTP/2 server.
///
/// A row is named by its type, and stands at the line where the executor was made. The requests themselves are seen by
/// the layer of feature `tower`, or by [`request`](fn@crate::request).
///
/// ```
/// # #[pollscope::main(flavor = "current_thread")]
/// # async fn main() {
/// use hyper::rt::Executor as _;
///
/// // As in `hyper_util::server::conn::auto::Builder::new(pollscope::hyper::Executor::new())`.
/// let executor = pollscope::hyper::Executor::new();
/// executor.execute(async { /* a connection */ });
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Executor {
    at: &'static Location<'static>,
}

impl Executor {
    /// An executor whose tasks are spawned here.
    #[track_caller]
    pub fn new() -> Self {
        Self {
            at: Location::caller(),
        }
    }
}

impl Default for Executor {
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}

impl<F> hyper::rt::Executor<F> for Executor
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    /// # Panics
    /// Outside a runtime, with Tokio's words.
    fn execute(&self, future: F) {
        pollscope_tokio::private::spawn_detached(future, self.at);
    }
}

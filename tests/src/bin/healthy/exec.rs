//! Our spawn, as the executor of hyper and tonic: what they run in the background are tasks like others.

use hyper::rt::Executor;

/// Spawns by `pollscope::spawn`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spawn;

impl<F> Executor<F> for Spawn
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, future: F) {
        pollscope::spawn(future);
    }
}

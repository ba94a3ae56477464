//! `AbortOnDropHandle`: a join handle that ends its task when it goes.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pollscope_tokio::task::{AbortHandle, JoinError, JoinHandle};

/// A [`JoinHandle`] that aborts its task when it is dropped, as `tokio_util::task::AbortOnDropHandle` does.
///
/// ```
/// # let runtime = pollscope_tokio::runtime::Runtime::new()?;
/// # runtime.block_on(async {
/// use pollscope_tokio_util::task::AbortOnDropHandle;
///
/// let task = AbortOnDropHandle::new(pollscope_tokio::spawn(async { 7 }));
/// assert_eq!(task.await?, 7);
/// # Ok::<(), pollscope_tokio::task::JoinError>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "Dropping the handle aborts the task immediately"]
pub struct AbortOnDropHandle<T> {
    /// Taken by `detach` alone, which consumes the handle.
    handle: Option<JoinHandle<T>>,
}

const TAKEN: &str = "the handle is there until `detach`, and that takes `self`";

impl<T> AbortOnDropHandle<T> {
    /// Makes one of a join handle.
    pub fn new(handle: JoinHandle<T>) -> Self {
        Self {
            handle: Some(handle),
        }
    }

    /// Aborts the task.
    #[track_caller]
    pub fn abort(&self) {
        self.as_ref().abort();
    }

    /// Whether the task has ended.
    pub fn is_finished(&self) -> bool {
        self.as_ref().is_finished()
    }

    /// A handle that can abort the task, and nothing else.
    pub fn abort_handle(&self) -> AbortHandle {
        self.as_ref().abort_handle()
    }

    /// The join handle, which aborts nothing when it is dropped.
    pub fn detach(mut self) -> JoinHandle<T> {
        self.handle.take().expect(TAKEN)
    }
}

impl<T> AsRef<JoinHandle<T>> for AbortOnDropHandle<T> {
    fn as_ref(&self) -> &JoinHandle<T> {
        self.handle.as_ref().expect(TAKEN)
    }
}

impl<T> Drop for AbortOnDropHandle<T> {
    fn drop(&mut self) {
        if let Some(handle) = &self.handle {
            handle.abort();
        }
    }
}

impl<T> Future for AbortOnDropHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(self.handle.as_mut().expect(TAKEN)).poll(cx)
    }
}

impl<T> fmt::Debug for AbortOnDropHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AbortOnDropHandle")
            .field("id", &self.as_ref().id())
            .finish()
    }
}

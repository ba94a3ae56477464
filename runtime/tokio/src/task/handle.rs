//! `JoinHandle`: Tokio's, and the task's record.

use std::fmt;
use std::future::Future;
use std::panic::{Location, RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use crate::capture::instrumented::Observed;
use crate::capture::task::HandleShare;
use tokio::task::{AbortHandle, Id, JoinError};

use super::new::spawned;

/// Waits for a task, as [`tokio::task::JoinHandle`] does, and remembers whether anybody asked how the task ended.
///
/// Dropping it detaches the task. If the task ends in an `Err` or a panic after that, or did before and was not
/// awaited, pollscope reports it: nobody can have seen it.
///
/// ```
/// # let runtime = pollscope_tokio::runtime::Runtime::new()?;
/// # runtime.block_on(async {
/// let handle = pollscope_tokio::task::spawn(async { 7 });
/// assert_eq!(handle.await?, 7);
/// # Ok::<(), tokio::task::JoinError>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
// The order matters: dropping `inner` drops an output nobody took, then the share leaves the record.
pub struct JoinHandle<T> {
    inner: tokio::task::JoinHandle<Observed<T>>,
    share: HandleShare,
}

const _: () = assert!(
    size_of::<JoinHandle<u64>>() == size_of::<usize>() + size_of::<HandleShare>()
        && size_of::<HandleShare>() <= size_of::<usize>(),
    "Tokio's handle, and one word where there is a record"
);

// As Tokio's, whatever the output is.
impl<T> UnwindSafe for JoinHandle<T> {}
impl<T> RefUnwindSafe for JoinHandle<T> {}

impl<T> JoinHandle<T> {
    #[inline]
    pub(crate) fn new(inner: tokio::task::JoinHandle<Observed<T>>, share: HandleShare) -> Self {
        spawned(&share, inner.id(), || inner.abort_handle());
        Self { inner, share }
    }

    /// Its errors are values like others.
    pub(crate) fn expecting_errors(self) -> Self {
        self.share.expect_errors();
        self
    }

    /// Aborts the task: see [`tokio::task::JoinHandle::abort`]. The inspector shows who did, and where.
    #[track_caller]
    pub fn abort(&self) {
        self.abort_at(Some(Location::caller()));
    }

    fn abort_at(&self, at: Option<&'static Location<'static>>) {
        self.share.mark_aborted(at);
        self.inner.abort();
    }

    /// Whether the task has ended. Asking this is not reading the result: an error is still reported if nobody does.
    pub fn is_finished(&self) -> bool {
        self.inner.is_finished()
    }

    /// A handle that can abort the task, and nothing else. It is Tokio's own.
    pub fn abort_handle(&self) -> AbortHandle {
        self.inner.abort_handle()
    }

    /// Tokio's id of the task.
    pub fn id(&self) -> Id {
        self.inner.id()
    }

    /// pollscope's id of the task, as the inspector shows it; 0 at level off.
    pub fn pollscope_id(&self) -> u64 {
        self.share.id()
    }

    /// A handle of Tokio's own type, for an interface that asks for one.
    ///
    /// The task itself stays ours. A small second task waits for it and hands its end on: the value, the panic with
    /// its payload, or the abort. Aborting the handle returned aborts the task; dropping it detaches the task. From
    /// here on the result counts as read, since what becomes of Tokio's handle cannot be seen; and `id` is the second
    /// task's.
    ///
    /// Cost: one task of Tokio's. Where the signature is yours to change, take a [`JoinHandle`] instead.
    ///
    /// # Panics
    /// Outside a runtime, as [`tokio::task::spawn`] does.
    #[track_caller]
    pub fn into_tokio(self) -> tokio::task::JoinHandle<T>
    where
        T: Send + 'static,
    {
        let (tell, own) = tokio::sync::oneshot::channel::<AbortHandle>();
        // Made out here: the second task may be aborted before its first poll.
        let task = AbortOnDrop(self);
        let handle = tokio::task::spawn(async move {
            match task.ended().await {
                Ok(value) => value,
                Err(error) => match error.try_into_panic() {
                    Ok(payload) => std::panic::resume_unwind(payload),
                    Err(_cancelled) => {
                        // The only way to end as cancelled is to be.
                        if let Ok(own) = own.await {
                            own.abort();
                        }
                        std::future::pending().await
                    }
                },
            }
        });
        // The task may have ended already, and with it the receiver.
        let _ = tell.send(handle.abort_handle());
        handle
    }
}

/// Hands an abort of the task that waits on to the task that is waited for.
struct AbortOnDrop<T>(JoinHandle<T>);

impl<T> AbortOnDrop<T> {
    async fn ended(mut self) -> Result<T, JoinError> {
        (&mut self.0).await
    }
}

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        // By Tokio's handle, which does not tell from where.
        self.0.abort_at(None);
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let ended = ready!(Pin::new(&mut self.inner).poll(cx));
        Poll::Ready(match ended {
            Ok(output) => Ok(output.join(&mut self.share)),
            Err(error) => {
                self.share.mark_read();
                Err(error)
            }
        })
    }
}

impl<T> fmt::Debug for JoinHandle<T>
where
    T: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle")
            .field("id", &self.id())
            .finish()
    }
}

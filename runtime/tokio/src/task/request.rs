//! Work that runs inside somebody else's task, with a record of its own.

use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::capture::TaskKind;
use crate::capture::instrumented::{Instrumented, Observed, Untold, instrument, unwatched};
use crate::capture::registry;

use super::NewTask;

pin_project! {
    /// A future that runs inside some task and is seen as a request: a row of its own, with polls, age and outcome.
    ///
    /// It gives what the future within gives.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct Request<F: Future> {
        #[pin]
        inner: Instrumented<F, Untold>,
    }
}

impl<F: Future> Request<F> {
    /// A request that was made at `location`. `name` is called where there will be a row.
    #[inline]
    pub(crate) fn new<N: AsRef<str>>(
        future: F,
        location: &'static Location<'static>,
        name: impl FnOnce() -> Option<N>,
    ) -> Self {
        if registry::is_off() {
            let (inner, _) = unwatched(future, Untold);
            return Self { inner };
        }
        let name = name();
        // Whoever polls it gets its output, and nobody else is to ask for it.
        let meta = NewTask::at(TaskKind::Request, location)
            .named(name.as_ref().map(AsRef::as_ref))
            .root();
        let (inner, _) = instrument(future, Untold, &meta);
        Self { inner }
    }
}

impl<F: Future> Future for Request<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.project().inner.poll(cx).map(Observed::into_inner)
    }
}

//! Streams that must be read to their end.

use std::any::type_name;
use std::fmt;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::capture::event::{Family, NoteText};
use crate::capture::registry::{self, Made};
use futures_core::Stream;

/// Says that a stream must be read to its end: dropped before it gave `None`, it is reported as `resource_leak`, with
/// the place of this call.
///
/// Most streams may be dropped at any time, and Tokio says nothing of it, nor does asyncio of its async generators:
/// hence this mark, for those that may not. A cursor whose end releases the connection, a change feed that must not
/// miss its last message, a body that has to be drained before the connection can be used again.
///
/// Silent: a stream read to its end; one dropped while a panic unwinds; one that [`MustFinish::into_inner`] took out.
///
/// ```
/// use futures::StreamExt;
///
/// # futures::executor::block_on(async {
/// let mut rows = pollscope::must_finish(futures::stream::iter([1, 2]));
/// while let Some(row) = rows.next().await {
///     assert!(row > 0);
/// }
/// # });
/// ```
#[track_caller]
pub fn must_finish<S: Stream + Unpin>(stream: S) -> MustFinish<S> {
    MustFinish {
        made: registry::made::<S>(Location::caller()),
        items: 0,
        stream: Some(stream),
        is_finished: false,
    }
}

/// A stream that must be read to its end: see [`must_finish`].
pub struct MustFinish<S> {
    made: Made,
    items: u64,
    /// Taken by `into_inner`.
    stream: Option<S>,
    is_finished: bool,
}

impl<S> MustFinish<S> {
    /// The stream itself, which need not be read to its end any more; `None` is never given.
    pub fn into_inner(mut self) -> Option<S> {
        self.stream.take()
    }
}

impl<S: Stream + Unpin> Stream for MustFinish<S> {
    type Item = S::Item;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let this = &mut *self;
        let Some(stream) = &mut this.stream else {
            return Poll::Ready(None);
        };
        let next = Pin::new(stream).poll_next(cx);
        match &next {
            Poll::Ready(Some(_)) => this.items += 1,
            Poll::Ready(None) => this.is_finished = true,
            Poll::Pending => {}
        }
        next
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.stream.as_ref().map_or((0, Some(0)), Stream::size_hint)
    }
}

impl<S> Drop for MustFinish<S> {
    fn drop(&mut self) {
        if self.is_finished || self.stream.is_none() || std::thread::panicking() {
            return;
        }
        let items = self.items;
        registry::note(Family::ResourceLeak, self.made, None, || NoteText {
            what: type_name::<S>().to_owned(),
            did: "dropped before its end",
            count: Some(items),
            ..NoteText::default()
        });
    }
}

impl<S: fmt::Debug> fmt::Debug for MustFinish<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MustFinish")
            .field("items", &self.items)
            .field("is_finished", &self.is_finished)
            .field("stream", &self.stream)
            .finish_non_exhaustive()
    }
}

//! The body of an answer, which takes the memory that it makes the transport hold from the amount of all.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use hyper::body::{Body, Bytes, Frame, SizeHint};
use hyper::http::HeaderMap;
use tonic::Status;

use super::memory::Held;

/// Counts what an answer holds: the largest piece so far, until it is dropped.
///
/// A piece lies in a buffer of up to twice its size, which is kept for the next one. The piece itself goes when the
/// transport asks for another, or is done.
pub(super) struct Metered<B> {
    /// `None` once it was cut off.
    body: Option<B>,
    held: Held,
}

impl<B> Metered<B> {
    pub(super) fn new(body: B, held: Held) -> Self {
        Self {
            body: Some(body),
            held,
        }
    }
}

impl<B> Body for Metered<B>
where
    B: Body<Data = Bytes> + Unpin,
{
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.get_mut();
        let Some(body) = &mut this.body else {
            return Poll::Ready(None);
        };
        let frame = ready!(Pin::new(body).poll_frame(cx));
        let bytes = match &frame {
            Some(Ok(frame)) => frame.data_ref().map_or(0, Bytes::len),
            _ => 0,
        };
        if let Err(status) = this.held.grow_to(2 * bytes) {
            // It goes before anything else is made.
            this.body = None;
            return Poll::Ready(trailers(&status).map(Ok));
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        // It may end before it is as long as it was to be.
        SizeHint::default()
    }
}

/// How a stream of gRPC ends.
fn trailers(status: &Status) -> Option<Frame<Bytes>> {
    let mut map = HeaderMap::new();
    status.add_header(&mut map).ok()?;
    Some(Frame::trailers(map))
}

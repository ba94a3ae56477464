//! The future of a response: how it ended is read from its head.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::HeaderMap;
use pin_project_lite::pin_project;

use crate::Request;

/// By what a request that failed differs, for a row's outcome: both sides are the whole of what the service gave.
type Judged<R, E> = Result<Result<http::Response<R>, E>, Result<http::Response<R>, E>>;

pin_project! {
    /// The future of a response, seen as a request: see [`layer`](super::layer).
    #[derive(Debug)]
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct ResponseFuture<F, R, E>
    where
        F: Future<Output = Result<http::Response<R>, E>>,
    {
        #[pin]
        inner: Request<Answer<F>>,
    }
}

impl<F, R, E> ResponseFuture<F, R, E>
where
    F: Future<Output = Result<http::Response<R>, E>>,
{
    pub(super) fn new(inner: Request<Answer<F>>) -> Self {
        Self { inner }
    }
}

impl<F, R, E> Future for ResponseFuture<F, R, E>
where
    F: Future<Output = Result<http::Response<R>, E>>,
{
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        match ready!(self.project().inner.poll(cx)) {
            Ok(answer) | Err(answer) => Poll::Ready(answer),
        }
    }
}

pin_project! {
    /// What the service answers, and whether that is a failure.
    #[derive(Debug)]
    pub struct Answer<F> {
        #[pin]
        future: F,
    }
}

impl<F> Answer<F> {
    pub(super) fn new(future: F) -> Self {
        Self { future }
    }
}

impl<F, R, E> Future for Answer<F>
where
    F: Future<Output = Result<http::Response<R>, E>>,
{
    type Output = Judged<R, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Judged<R, E>> {
        let answer = ready!(self.project().future.poll(cx));
        let failed = match &answer {
            Ok(response) => response.status().is_server_error() || rpc_failed(response.headers()),
            Err(_) => true,
        };
        Poll::Ready(if failed { Err(answer) } else { Ok(answer) })
    }
}

/// Whether a call of gRPC failed by the server's fault, where the head says so: that of a call without an answer does.
fn rpc_failed(headers: &HeaderMap) -> bool {
    /// By the conventions of OpenTelemetry.
    const FAULTS: [&[u8]; 6] = [b"2", b"4", b"12", b"13", b"14", b"15"];
    headers
        .get("grpc-status")
        .is_some_and(|status| FAULTS.contains(&status.as_bytes()))
}

//! A layer for tower: each request that a service answers is a row, by method and route.

mod name;
mod response;

use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::request::Parts;
use tower_layer::Layer;
use tower_service::Service;

use name::Name;
use pollscope_tokio::private::request as follow;
use response::Answer;
pub use response::ResponseFuture;

/// The user's own way to a request's name.
type Route = dyn Fn(&Parts) -> Option<String> + Send + Sync;

/// Makes a row of kind `request` out of each request that goes through, as [`request`](fn@crate::request) does: named
/// `METHOD /route/{template}`, listed until the head of the response is there.
///
/// The name is what [`RequestLayer::route`] says, where it says something; of gRPC `package.Service/Method`; with feature
/// `axum` the route by which axum found the handler; else the path, with what looks like an id replaced by `{id}`:
/// numbers, UUIDs, sixteen and more hexadecimal digits, and whatever is longer than 32 bytes.
///
/// The outcome is `error` where the service gives an `Err`, the status is 500 or above, or gRPC's status is one that
/// `OpenTelemetry` counts as the server's fault (unknown, deadline exceeded, unimplemented, internal, unavailable, data
/// loss). That is read from the head of the response alone: a call of gRPC that fails after its head was sent, and says so
/// in the trailers, is `ok`. A request whose client went away is `aborted`. None of these is a finding.
///
/// The body of a response is sent after its head, by the server's own task: what is streamed there is neither in the
/// row's age nor in its polls. Neither is time in layers outside of this one, nor what the service below does in its
/// `call` before it returns a future: that is a part of the poll of whoever calls.
///
/// The first layer that is made starts pollscope, unless something did.
///
/// # Examples
///
/// With axum, below the routes, so that it knows which of them it is:
///
/// ```
/// # #[cfg(feature = "axum")] {
/// use axum::{Router, extract::Path, routing::get};
///
/// async fn order(Path(id): Path<u64>) -> String {
///     format!("order {id}")
/// }
///
/// let router: Router = Router::new()
///     .route("/orders/{id}", get(order)) // a row `GET /orders/{id}`
///     .layer(pollscope::tower::layer());
/// # }
/// ```
///
/// With tonic: `Server::builder().layer(pollscope::tower::layer())`. With anything else of tower:
///
/// ```
/// use tower_layer::Layer;
///
/// # struct Service;
/// # let service = Service;
/// let service = pollscope::tower::layer()
///     .route(|request| Some(format!("{} (tenant)", request.uri.path().split('/').nth(2)?)))
///     .layer(service);
/// ```
#[track_caller]
#[must_use = "a layer does nothing until it is put around a service"]
pub fn layer() -> RequestLayer {
    pollscope_tokio::private::start();
    RequestLayer {
        at: Location::caller(),
        route: None,
    }
}

/// The layer: see [`layer`].
#[derive(Clone)]
pub struct RequestLayer {
    at: &'static Location<'static>,
    route: Option<Arc<Route>>,
}

impl RequestLayer {
    /// Names requests by a function; where it gives `None`, as without it. Called for each request, but not at level off.
    ///
    /// Of the name 128 bytes are kept. Give it the route and not the path with its ids: rows, and findings, are put
    /// together by it.
    #[must_use]
    pub fn route<F>(self, route: F) -> Self
    where
        F: Fn(&Parts) -> Option<String> + Send + Sync + 'static,
    {
        Self {
            route: Some(Arc::new(route)),
            ..self
        }
    }

    fn name(&self, parts: &Parts) -> Name {
        match self.route.as_ref().and_then(|route| route(parts)) {
            Some(route) => Name::said(&route),
            None => Name::of(parts),
        }
    }
}

impl fmt::Debug for RequestLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestLayer")
            .field("at", &format_args!("{}", self.at))
            .field("is_named", &self.route.is_some())
            .finish()
    }
}

impl<S> Layer<S> for RequestLayer {
    type Service = RequestService<S>;

    fn layer(&self, inner: S) -> RequestService<S> {
        RequestService {
            inner,
            layer: self.clone(),
        }
    }
}

/// A service under the layer: see [`layer`].
#[derive(Clone, Debug)]
pub struct RequestService<S> {
    inner: S,
    layer: RequestLayer,
}

impl<S, B, R> Service<http::Request<B>> for RequestService<S>
where
    S: Service<http::Request<B>, Response = http::Response<R>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, R, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let (parts, body) = request.into_parts();
        let mut name = None;
        if crate::level() != crate::Level::Off {
            name = Some(self.layer.name(&parts));
        }
        let answer = Answer::new(self.inner.call(http::Request::from_parts(parts, body)));
        ResponseFuture::new(follow(answer, self.layer.at, || name))
    }
}

#[cfg(test)]
mod tests;

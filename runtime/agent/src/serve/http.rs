//! One HTTP/2 connection: its bounds, its first request, and the way from a path to a service.
//!
//! All bounds together keep a connection below some hundred KiB and 30 s after its client went silent: h2 polls
//! the answer of a stream only when the client has room for it, so a client that does not read holds one message.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use pollscope_proto::limits;
use pollscope_proto::v1::inspect_server::InspectServer;
use tokio::io::{AsyncRead, AsyncWrite};
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::Service;

use super::inspect::Inspect;

/// How long a connection may be open without its first request.
const FIRST_REQUEST: Duration = Duration::from_secs(5);
/// A refused client has this long to read why.
const REFUSED: Duration = Duration::from_secs(2);
/// Streams of one connection: the live view, and some questions beside it.
const STREAMS: u32 = 16;
/// No request is larger: the largest is a list of frames to resolve.
const MAX_REQUEST: usize = 64 * 1024;

type Response = http::Response<Body>;
type Answer = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

/// What a connection is let through to.
pub(super) enum Door {
    /// The service, with the connection's rights.
    Open(Inspect),
    /// Every request gets this refusal.
    Refused(String),
}

/// Serves a connection to its end.
pub(super) async fn serve(io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, door: Door) {
    let patience = if matches!(door, Door::Refused(_)) {
        REFUSED
    } else {
        FIRST_REQUEST
    };
    let router = Router::new(door);
    let asked = Arc::clone(&router.asked);
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .initial_stream_window_size(MAX_REQUEST as u32)
        .initial_connection_window_size(2 * MAX_REQUEST as u32)
        .max_header_list_size(16 * 1024)
        .max_send_buf_size(MAX_REQUEST)
        .max_pending_accept_reset_streams(STREAMS as usize)
        .max_local_error_reset_streams(STREAMS as usize)
        .keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(10))
        .serve_connection(TokioIo::new(io), router);
    let mut connection = std::pin::pin!(connection);
    // How a connection ends is the client's business: nothing is logged of it.
    let ended = tokio::time::timeout(patience, connection.as_mut())
        .await
        .is_ok();
    if !ended && asked.load(Ordering::Relaxed) {
        let _ = connection.await;
    }
}

/// From a path to a service, without a router's crate.
struct Router {
    service: Result<InspectServer<Inspect>, String>,
    /// Some request came that was let in.
    asked: Arc<AtomicBool>,
}

impl Router {
    fn new(door: Door) -> Self {
        let service = match door {
            Door::Open(inspect) => Ok(InspectServer::new(inspect)
                .max_decoding_message_size(MAX_REQUEST)
                .max_encoding_message_size(limits::MAX_MESSAGE)),
            Door::Refused(why) => Err(why),
        };
        Self {
            service,
            asked: Arc::default(),
        }
    }
}

impl hyper::service::Service<http::Request<Incoming>> for Router {
    type Response = Response;
    type Error = Infallible;
    type Future = Answer;

    fn call(&self, request: http::Request<Incoming>) -> Answer {
        let status = match &self.service {
            Err(why) => Status::permission_denied(why.clone()),
            Ok(service) => {
                self.asked.store(true, Ordering::Relaxed);
                match request.uri().path().rsplit_once('/') {
                    // A method that is not there is answered by the service itself.
                    Some(("/pollscope.v1.Inspect", _)) => return service.clone().call(request),
                    _ => Status::unimplemented(
                        "this port speaks pollscope.v1: attach with `pollscope`",
                    ),
                }
            }
        };
        Box::pin(std::future::ready(Ok(status.into_http())))
    }
}

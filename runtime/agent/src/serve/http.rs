//! One HTTP/2 connection: its bounds, its first request, and the way from a path to a service.
//!
//! A connection ends 30 s after its client went silent. Until then one that does not read holds for each stream what
//! the transport took of its answer: up to 16 KiB that lie there, and one message, however large, since h2 asks for the
//! next as soon as the client has room for a byte. Messages are counted, with those of all others ([`super::memory`]).

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
use super::memory::Memory;
use super::metered::Metered;

/// How long a connection may be open without its first request.
const FIRST_REQUEST: Duration = Duration::from_secs(5);
/// A refused client has this long to read why.
const REFUSED: Duration = Duration::from_secs(2);
/// Streams of one connection: the live view, and some questions beside it.
pub(super) const STREAMS: u32 = 8;
/// Streams that were reset and not seen yet.
const RESETS: usize = 16;
/// What the transport may keep of a stream beside the message that it was given last.
const MAX_SENDING: usize = 16 * 1024;
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
        .max_send_buf_size(MAX_SENDING)
        .max_pending_accept_reset_streams(RESETS)
        .max_local_error_reset_streams(RESETS)
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
    service: Result<(InspectServer<Inspect>, Memory), String>,
    /// Some request came that was let in.
    asked: Arc<AtomicBool>,
}

impl Router {
    fn new(door: Door) -> Self {
        let service = match door {
            Door::Open(inspect) => {
                let memory = inspect.quota.memory.clone();
                let service = InspectServer::new(inspect)
                    .max_decoding_message_size(MAX_REQUEST)
                    .max_encoding_message_size(limits::MAX_MESSAGE);
                Ok((service, memory))
            }
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
            Ok((service, memory)) => {
                self.asked.store(true, Ordering::Relaxed);
                match request.uri().path().rsplit_once('/') {
                    // A method that is not there is answered by the service itself.
                    Some(("/pollscope.v1.Inspect", _)) => {
                        let (answer, held) = (service.clone().call(request), memory.hold());
                        return Box::pin(async {
                            let metered = |body| Body::new(Metered::new(body, held));
                            answer.await.map(|response| response.map(metered))
                        });
                    }
                    _ => Status::unimplemented(
                        "this port speaks pollscope.v1: attach with `pollscope`",
                    ),
                }
            }
        };
        Box::pin(std::future::ready(Ok(status.into_http())))
    }
}

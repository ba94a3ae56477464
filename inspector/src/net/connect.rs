//! Opens the connection itself, so that each way to fail is told apart, and hands it to tonic.

use std::io;
use std::sync::Mutex;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;
use tonic::transport::{Channel, Endpoint};

use super::{Address, NetError};

/// How long a connection may take.
const LIMIT: Duration = Duration::from_secs(2);

/// Bytes that a target may send on one stream before we read them.
const STREAM_WINDOW: u32 = 64 * 1024;
/// The same for all streams together.
const CONNECTION_WINDOW: u32 = 1024 * 1024;

/// A connection, and who is at its other end.
pub(super) struct Connected {
    pub(super) channel: Channel,
    /// The target's PID as this machine counts it, where the kernel told.
    pub(super) pid: Option<u32>,
}

/// Connects once. The channel does not reconnect: whoever holds the session decides that.
pub(super) async fn connect(address: &Address) -> Result<Connected, NetError> {
    match address {
        Address::Unix(path) => {
            let stream = within(address, UnixStream::connect(path)).await?;
            let pid = stream.peer_cred().ok().and_then(|peer| peer.pid());
            Ok(Connected {
                channel: channel(address, stream).await?,
                // 0: of a PID namespace that we do not see into.
                pid: pid
                    .and_then(|pid| u32::try_from(pid).ok())
                    .filter(|pid| *pid != 0),
            })
        }
        Address::Tcp(host_port) => {
            let stream = within(address, TcpStream::connect(host_port)).await?;
            // Small messages both ways: waiting for more only adds delay. Without it everything still works.
            let _ = stream.set_nodelay(true);
            Ok(Connected {
                channel: channel(address, stream).await?,
                pid: None,
            })
        }
    }
}

async fn within<T>(
    address: &Address,
    connecting: impl Future<Output = io::Result<T>>,
) -> Result<T, NetError> {
    match timeout(LIMIT, connecting).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) if error.kind() == io::ErrorKind::PermissionDenied => {
            Err(NetError::Denied {
                what: address.to_string(),
                why: "it belongs to another user: run pollscope as that user or as root".to_owned(),
            })
        }
        Ok(Err(source)) => Err(NetError::NotListening {
            address: address.clone(),
            source: plain(source),
        }),
        Err(_) => Err(NetError::Silent {
            address: address.clone(),
            limit: LIMIT,
        }),
    }
}

/// Without `(os error 111)`.
fn plain(error: io::Error) -> io::Error {
    let text = match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused",
        io::ErrorKind::NotFound => "no such socket",
        io::ErrorKind::HostUnreachable => "host unreachable",
        io::ErrorKind::NetworkUnreachable => "network unreachable",
        _ => return error,
    };
    io::Error::new(error.kind(), text)
}

async fn channel<S>(address: &Address, stream: S) -> Result<Channel, NetError>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin + 'static,
{
    let stream = Mutex::new(Some(stream));
    let connector = tower::service_fn(move |_: http::Uri| {
        let stream = stream.lock().ok().and_then(|mut slot| slot.take());
        std::future::ready(
            stream
                .map(TokioIo::new)
                .ok_or_else(|| io::Error::from(io::ErrorKind::NotConnected)),
        )
    });
    // What lies here unread is out of date: little of it on one stream, and room for answers beside it.
    let endpoint = Endpoint::from_static("http://target")
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW);
    let connecting = endpoint.connect_with_connector(connector);
    match timeout(LIMIT, connecting).await {
        Ok(Ok(channel)) => Ok(channel),
        Ok(Err(error)) => Err(NetError::NotPollscope {
            address: address.clone(),
            why: super::clean(&error.to_string(), 200),
        }),
        Err(_) => Err(NetError::Silent {
            address: address.clone(),
            limit: LIMIT,
        }),
    }
}

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
        // On another machine, whatever the network says: nobody can be reached there.
        Ok(Err(source)) if is_nobody(&source) || is_elsewhere(address, &source) => {
            Err(NetError::NotListening {
                address: address.clone(),
                source: plain(source),
            })
        }
        Ok(Err(source)) => Err(NetError::Unreachable {
            address: address.clone(),
            source: plain(source),
        }),
        Err(_) => Err(NetError::Silent {
            address: address.clone(),
            limit: LIMIT,
        }),
    }
}

/// Whether the kernel said that nobody listens there. All else (too many waiting, no descriptor left for us, a path
/// too long to be asked for) tells nothing of a process.
pub(super) fn is_nobody(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionRefused, NotFound};
    matches!(error.kind(), ConnectionRefused | NotFound)
}

/// Whether the network has the fault: no such name, no way there. Not where we have no descriptor left.
fn is_elsewhere(address: &Address, error: &io::Error) -> bool {
    let ours = [libc::EMFILE, libc::ENFILE].map(Some);
    matches!(address, Address::Tcp(_)) && !ours.contains(&error.raw_os_error())
}

/// Without `(os error 111)`.
fn plain(error: io::Error) -> io::Error {
    let text = match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused",
        io::ErrorKind::NotFound => "no such socket",
        io::ErrorKind::HostUnreachable => "host unreachable",
        io::ErrorKind::NetworkUnreachable => "network unreachable",
        io::ErrorKind::WouldBlock => "it takes no more connections now: it may be stopped or busy",
        io::ErrorKind::InvalidInput => "its path is longer than the system takes",
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;

    async fn error_of(address: Address) -> NetError {
        let connected = connect(&address).await;
        connected.map(|_| "connected").unwrap_err()
    }

    #[tokio::test]
    async fn only_a_socket_without_a_listener_is_of_nobody() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("7-8.sock");
        drop(UnixListener::bind(&path).unwrap());
        for gone in [path, dir.path().join("none.sock")] {
            let error = error_of(Address::Unix(gone)).await;
            assert!(matches!(error, NetError::NotListening { .. }), "{error}");
            assert_eq!(error.exit_code(), 3);
        }
        let long = dir.path().join("x".repeat(200));
        let error = error_of(Address::Unix(long)).await;
        assert!(matches!(error, NetError::Unreachable { .. }), "{error}");
        assert!(!error.to_string().contains("gone"), "{error}");
        assert_eq!(error.exit_code(), 4);
    }

    #[tokio::test]
    async fn what_fails_for_other_reasons_is_not_gone() {
        let unix = Address::Unix("/7-8.sock".into());
        let tcp = Address::Tcp("127.0.0.1:1".to_owned());
        for (address, error, code) in [
            (&unix, libc::EAGAIN, 4),
            (&unix, libc::EMFILE, 4),
            (&unix, libc::EPROTOTYPE, 4),
            (&unix, libc::EACCES, 4),
            (&unix, libc::ENOENT, 3),
            (&tcp, libc::EMFILE, 4),
            (&tcp, libc::ECONNREFUSED, 3),
            (&tcp, libc::EHOSTUNREACH, 3),
        ] {
            let failed = async { Err::<(), _>(io::Error::from_raw_os_error(error)) };
            let error = within(address, failed).await.unwrap_err();
            assert_eq!(error.exit_code(), code, "{error}");
            assert_eq!(error.to_string().contains("listens"), code == 3, "{error}");
        }
    }
}

//! axum: a server in a task, and work that a handler leaves behind.

use std::any::Any;
use std::net::SocketAddr;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

pub async fn start() -> Box<dyn Any> {
    Box::new(serve().await)
}

/// Serves on a free port.
pub async fn serve() -> (SocketAddr, JoinHandle<std::io::Result<()>>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (log, mut lines) = mpsc::unbounded_channel::<String>();
    tokio::spawn(async move { while lines.recv().await.is_some() {} });
    let router = Router::new()
        .route("/double/{number}", get(double))
        .with_state(log);
    let served = tokio::spawn(async move { axum::serve(listener, router).await });
    (address, served)
}

async fn double(
    State(log): State<mpsc::UnboundedSender<String>>,
    Path(number): Path<u32>,
) -> String {
    // Whoever asked does not wait for it.
    tokio::spawn(async move { log.send(format!("doubled {number}")).ok() });
    (number * 2).to_string()
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    #[tokio::test]
    async fn a_handler_answers() {
        let (address, _served) = super::serve().await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = b"GET /double/21 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
        stream.write_all(request).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.ends_with("\r\n\r\n42"), "{answer}");
    }
}

//! The client that keeps the service busy: a few connections, one request after the other.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How many connections are kept busy.
const CONNECTIONS: usize = 8;
/// The pause between two requests of one connection.
const PAUSE: Duration = Duration::from_millis(20);

/// Starts the client's tasks.
pub(crate) fn start(addr: SocketAddr) {
    for number in 0..CONNECTIONS {
        let task = pollscope::task::Builder::new()
            .name(&format!("client {number}"))
            .spawn(shopper(addr));
        drop(task);
    }
}

/// Places orders and looks them up, and connects anew when the connection breaks.
async fn shopper(addr: SocketAddr) {
    loop {
        if let Ok(mut connection) = Connection::open(addr).await {
            while shop(&mut connection).await.is_ok() {}
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn shop(connection: &mut Connection) -> io::Result<()> {
    let id = connection.request("POST", "/orders", "4200").await?;
    tokio::time::sleep(PAUSE).await;
    connection
        .request("GET", &format!("/orders/{id}"), "")
        .await?;
    tokio::time::sleep(PAUSE).await;
    Ok(())
}

/// A keep-alive HTTP/1.1 connection: just enough of the protocol for one's own server.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    addr: SocketAddr,
}

impl Connection {
    pub(crate) async fn open(addr: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(addr).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, addr })
    }

    /// Sends a request and gives the body of the answer.
    pub(crate) async fn request(
        &mut self,
        method: &str,
        path: &str,
        body: &str,
    ) -> io::Result<String> {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\ncontent-length: {}\r\n\r\n",
            self.addr,
            body.len()
        );
        self.stream.write_all(head.as_bytes()).await?;
        self.stream.write_all(body.as_bytes()).await?;
        let mut answer = Vec::new();
        let mut part = [0; 1024];
        loop {
            let n = self.stream.read(&mut part).await?;
            if n == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            answer.extend_from_slice(&part[..n]);
            if let Some(body) = whole(&answer) {
                return Ok(body);
            }
        }
    }
}

/// The body, once all of it has come.
fn whole(answer: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(answer).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let length = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(key, _)| key.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse::<usize>().ok())?;
    (body.len() >= length).then(|| body[..length].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_when_it_is_whole() {
        assert_eq!(whole(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"), None);
        assert_eq!(
            whole(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no"),
            None
        );
        assert_eq!(
            whole(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").as_deref(),
            Some("ok")
        );
    }
}

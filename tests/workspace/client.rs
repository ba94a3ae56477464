//! hyper: a client with its pool of connections, and whoever asks with it.

use std::any::Any;
use std::net::SocketAddr;

use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

pub async fn start() -> Box<dyn Any> {
    let (address, served) = web::serve().await;
    let asks = tokio::spawn(async move {
        let answer = ask(address, 4).await;
        std::future::pending::<()>().await;
        answer
    });
    Box::new((served, asks))
}

async fn ask(address: SocketAddr, number: u32) -> String {
    let client = Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
    let uri = format!("http://{address}/double/{number}")
        .parse()
        .expect("a URI");
    let answer = client.get(uri).await.expect("an answer");
    let body = answer
        .into_body()
        .collect()
        .await
        .expect("a body")
        .to_bytes();
    String::from_utf8_lossy(&body).into_owned()
}

#[tokio::test]
async fn the_server_answers() {
    let (address, _served) = web::serve().await;
    assert_eq!(ask(address, 8).await, "16");
}

//! tonic: the health service and its client.

use std::any::Any;
use std::net::SocketAddr;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::{Endpoint, Error, Server};
use tonic_health::ServingStatus;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

pub async fn start() -> Box<dyn Any> {
    Box::new(serve().await)
}

async fn serve() -> (SocketAddr, JoinHandle<Result<(), Error>>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (reporter, health) = tonic_health::server::health_reporter();
    reporter
        .set_service_status("orders", ServingStatus::Serving)
        .await;
    let incoming = TcpListenerStream::new(listener);
    let server = Server::builder().add_service(health);
    (address, tokio::spawn(server.serve_with_incoming(incoming)))
}

pub async fn check(address: SocketAddr, service: &str) -> Result<i32, tonic::Status> {
    let endpoint = Endpoint::from_shared(format!("http://{address}")).expect("a URI");
    let channel = endpoint.connect().await.expect("a connection");
    let request = HealthCheckRequest {
        service: service.to_owned(),
    };
    let answer = HealthClient::new(channel).check(request).await?;
    Ok(answer.into_inner().status)
}

#[tokio::test]
async fn it_is_healthy() {
    let (address, _served) = serve().await;
    assert_eq!(
        check(address, "orders").await.unwrap(),
        ServingStatus::Serving as i32
    );
    assert_eq!(
        check(address, "none").await.unwrap_err().code(),
        tonic::Code::NotFound
    );
}

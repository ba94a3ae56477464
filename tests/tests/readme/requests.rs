//! "Requests": one layer, four servers. Changed here and in the README together.

#![expect(
    dead_code,
    reason = "it is compiled: `--test requests` and `--test healthy` run their like"
)]

use std::convert::Infallible;
use std::error::Error;
use std::net::SocketAddr;

use axum::Router;
use axum::routing::get;
use hyper::body::Incoming;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tonic::transport::Server;
use tower::{Layer, service_fn};

type Outcome = Result<(), Box<dyn Error>>;

async fn order() -> &'static str {
    "an order"
}

#[rustfmt::skip]
async fn axum(listener: TcpListener) -> Outcome {
    // axum: the layer below the routes, with `axum::serve` as it is. Rows `GET /orders/{id}`.
    let router = Router::new().route("/orders/{id}", get(order)).layer(pollscope::tower::layer());
    axum::serve(listener, router).await?;

    Ok(())
}

#[rustfmt::skip]
async fn tonic(addr: SocketAddr) -> Outcome {
    // A service as `tonic-build` makes them.
    let (_, orders) = tonic_health::server::health_reporter();

    // tonic. Rows `shop.Orders/Get`.
    Server::builder().layer(pollscope::tower::layer()).add_service(orders).serve(addr).await?;

    Ok(())
}

async fn answer(_: Request<Incoming>) -> Result<Response<String>, Infallible> {
    Ok(Response::new(String::new()))
}

#[rustfmt::skip]
fn hyper(io: TokioIo<TcpStream>) {
    let service = service_fn(answer);

    // hyper: the connection is yours to spawn, and what hyper spawns by itself (HTTP/2) is a row, too.
    let service = pollscope::tower::layer().layer(service);
    let builder = auto::Builder::new(pollscope::hyper::Executor::new());
    pollscope::spawn(async move { builder.serve_connection(io, TowerToHyperService::new(service)).await });
}

#[rustfmt::skip]
async fn anything() {
    // Anything else that runs inside somebody's task, and what you want to find it by.
    pollscope::request("settle", async { pollscope::label("order=42"); /* … */ }).await;
}

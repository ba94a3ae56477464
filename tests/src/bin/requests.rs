//! An axum service as many are: `axum::serve` spawns its connections, and pollscope is told of the requests by a layer.
//! For the tests, which are its clients. It says its address, and serves until standard input ends.

#![expect(clippy::print_stdout, reason = "the tests read what it prints")]

use std::future::pending;
use std::io;
use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::get;
use pollscope_tests::end_of_input;
use tokio::net::TcpListener;
use tracing::Instrument;

#[pollscope::main(worker_threads = 2)]
async fn main() -> io::Result<()> {
    // Its subscriber collects spans, and says nothing.
    let subscriber = tracing_subscriber::fmt().with_writer(io::sink).finish();
    let _ = tracing::subscriber::set_global_default(subscriber);
    let router = Router::new()
        .route("/orders/{id}", get(order))
        .route("/users/{name}/cart", get(cart))
        .route("/block/{millis}", get(block))
        .route("/quick/{id}", get(quick))
        .layer(pollscope::tower::layer());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("ready");
    println!("addr {}", listener.local_addr()?);
    axum::serve(listener, router)
        .with_graceful_shutdown(end_of_input())
        .await
}

/// It never comes, and what waits for it is a request inside the request, in a span.
async fn order(Path(id): Path<u64>) -> String {
    pollscope::label(format!("order={id}"));
    let span = tracing::info_span!("order", id);
    let price = span.in_scope(|| pollscope::request("price", pending::<u64>()));
    price.instrument(span).await.to_string()
}

async fn cart() {
    pending::<()>().await;
}

async fn block(Path(millis): Path<u64>) {
    tokio::task::yield_now().await;
    blocks(millis);
}

#[inline(never)]
fn blocks(millis: u64) {
    std::thread::sleep(Duration::from_millis(millis));
    // Without it the call is the function's last act, and its frame is gone.
    std::hint::black_box(());
}

async fn quick(Path(id): Path<u64>) -> Result<String, StatusCode> {
    tokio::task::yield_now().await;
    if id % 10 == 3 {
        return Err(StatusCode::INTERNAL_SERVER_ERROR);
    }
    Ok(id.to_string())
}

//! An axum service on plain Tokio and the same ported to pollscope. For `benches/http`, which measures both.
//!
//! ```text
//! served plain|watched [one]
//! ```
//!
//! `one`: all on the main thread, so that instructions can be counted. It serves until standard input ends, so that
//! nobody has to kill it, and prints its address first.

#![expect(clippy::print_stdout, reason = "the bench reads what it prints")]
#![expect(clippy::print_stderr, reason = "says how it is called")]

use std::io;
use std::process::ExitCode;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::{MethodRouter, get};
use pollscope_tests::end_of_input;
use tokio::net::TcpListener;
use tokio::sync::RwLock;
use tokio::task::yield_now;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let served = match args.as_slice() {
        ["plain"] => plain(),
        ["plain", "one"] => plain_one(),
        ["watched"] => watched(),
        ["watched", "one"] => watched_one(),
        _ => {
            eprintln!("usage: served plain|watched [one]");
            return ExitCode::from(2);
        }
    };
    if let Err(error) = served {
        eprintln!("not served: {error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

#[tokio::main(worker_threads = 2)]
async fn plain() -> io::Result<()> {
    serve(get(order_plain)).await
}

#[tokio::main(flavor = "current_thread")]
async fn plain_one() -> io::Result<()> {
    serve(get(order_plain)).await
}

#[pollscope::main(worker_threads = 2)]
async fn watched() -> io::Result<()> {
    serve(get(order_watched)).await
}

#[pollscope::main(flavor = "current_thread")]
async fn watched_one() -> io::Result<()> {
    serve(get(order_watched)).await
}

/// What the handlers share.
type Prices = Arc<RwLock<Vec<u64>>>;

async fn serve(order: MethodRouter<Prices>) -> io::Result<()> {
    let router = Router::new()
        .route("/hello", get(|| async { "hello" }))
        .route("/order", order)
        .with_state(Prices::new(RwLock::new(vec![4200, 17])));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    axum::serve(listener, router)
        .with_graceful_shutdown(end_of_input())
        .await
}

async fn order_plain(State(prices): State<Prices>) -> String {
    match tokio::spawn(total(prices)).await {
        Ok(total) => total.to_string(),
        Err(error) => error.to_string(),
    }
}

async fn order_watched(State(prices): State<Prices>) -> String {
    match pollscope::spawn(total(prices)).await {
        Ok(total) => total.to_string(),
        Err(error) => error.to_string(),
    }
}

/// The task of a request: it waits once, and is polled twice.
async fn total(prices: Prices) -> u64 {
    yield_now().await;
    prices.read().await.iter().sum()
}

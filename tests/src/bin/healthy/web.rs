//! An axum service on hyper, with hyper's client: each connection is a task of ours.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{Method, Request, StatusCode};
use axum::routing::{get, post};
use http_body_util::BodyExt;
use hyper::client::conn::http1::{self as client, SendRequest};
use hyper::server::conn::http1 as server;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use pollscope::task::JoinSet;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, Notify, RwLock};
use tokio::time::{sleep, timeout};

use crate::load::{Load, Outcome};

const CLIENTS: usize = 12;
/// A client makes a new connection after so many requests.
const PER_CONNECTION: usize = 40;

/// What the handlers share.
#[derive(Debug, Default)]
struct Shop {
    orders: Mutex<u64>,
    prices: RwLock<Vec<u64>>,
}

type Shared = State<Arc<Shop>>;

pub(crate) async fn run(load: Load) -> Outcome {
    let shop = Arc::new(Shop::default());
    let router = Router::new()
        .route("/hello", get(async || "hello"))
        .route("/order/{id}", get(order))
        .route("/quote/{id}", get(quote))
        .route("/offers", get(offers))
        .route("/hash", post(hash))
        .route("/slow", get(slow))
        .layer(pollscope::tower::layer())
        .with_state(shop);
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let addr = listener.local_addr()?;
    let stop = Arc::new(Notify::new());
    let served = pollscope::spawn(serve(listener, router, Arc::clone(&stop)));
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        clients.spawn(drive(load.clone(), addr, number));
    }
    while let Some(end) = clients.join_next().await {
        end??;
    }
    stop.notify_one();
    served.await?
}

#[pollscope::tracked]
async fn serve(listener: TcpListener, router: Router, stop: Arc<Notify>) -> Outcome {
    let graceful = GracefulShutdown::new();
    loop {
        // Tokio's own, as in code that is ported in part.
        let (stream, _) = tokio::select! {
            accepted = listener.accept() => accepted?,
            () = stop.notified() => break,
        };
        let service = TowerToHyperService::new(router.clone());
        let connection = server::Builder::new().serve_connection(TokioIo::new(stream), service);
        let connection = graceful.watch(connection);
        // A client that leaves in the middle is no news: the error is looked at and let go.
        pollscope::spawn(async move { drop(connection.await) });
    }
    drop(listener);
    timeout(Duration::from_secs(10), graceful.shutdown()).await?;
    Ok(())
}

/// Two tasks and a lock that is held across an await, as Tokio's may.
#[pollscope::tracked]
async fn order(State(shop): Shared, Path(id): Path<u64>) -> Result<String, StatusCode> {
    let price = pollscope::spawn(price(Arc::clone(&shop), id));
    let stock = pollscope::spawn(stock(id));
    let (price, stock) =
        pollscope::try_join!(price, stock).map_err(|_why| StatusCode::INTERNAL_SERVER_ERROR)?;
    let mut orders = shop.orders.lock().await;
    tokio::task::yield_now().await;
    *orders += 1;
    // Some orders fail, and the answer says so.
    let stock = stock.map_err(|_why| StatusCode::CONFLICT)?;
    Ok(format!("{price} of {stock}"))
}

#[pollscope::tracked]
async fn price(shop: Arc<Shop>, id: u64) -> u64 {
    if id.is_multiple_of(16) {
        shop.prices.write().await.truncate(64);
        shop.prices.write().await.push(id);
    }
    shop.prices.read().await.iter().sum::<u64>() + id
}

#[pollscope::tracked]
async fn stock(id: u64) -> Result<u64, String> {
    tokio::task::yield_now().await;
    if id.is_multiple_of(7) {
        return Err(format!("none of {id} left"));
    }
    Ok(id % 7)
}

/// The first of several wins; who lost was polled or not.
#[pollscope::tracked]
async fn quote(Path(id): Path<u64>) -> String {
    let bid = pollscope::select! {
        bid = bid(id, 0) => bid,
        bid = bid(id, 1) => bid,
        bid = bid(id, 5) => bid,
        () = sleep(Duration::from_millis(50)) => 0,
    };
    let (twice, thrice) = pollscope::join!(bid_of(bid, 2), bid_of(bid, 3));
    format!("{twice} {thrice}")
}

#[pollscope::tracked]
async fn bid(id: u64, millis: u64) -> u64 {
    if millis > 0 {
        sleep(Duration::from_millis(millis)).await;
    }
    id
}

#[pollscope::tracked]
async fn bid_of(bid: u64, times: u64) -> u64 {
    bid * times
}

/// Asks many, takes the first three and drops the rest: some never began.
#[pollscope::tracked]
async fn offers() -> String {
    let mut set = JoinSet::new();
    for id in 0..8 {
        set.spawn(bid(id, id));
    }
    let mut sum = 0;
    for _ in 0..3 {
        if let Some(Ok(bid)) = set.join_next().await {
            sum += bid;
        }
    }
    set.abort_all();
    sum.to_string()
}

/// The blocking pool, and the worker itself with its core given away.
#[pollscope::tracked]
async fn hash(body: String) -> Result<String, StatusCode> {
    let hashed = pollscope::task::spawn_blocking(move || {
        let mut hash = 5381_u64;
        for byte in body.bytes().cycle().take(20_000) {
            hash = hash.wrapping_mul(33) ^ u64::from(byte);
        }
        hash
    });
    let hashed = hashed
        .await
        .map_err(|_why| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(pollscope::task::block_in_place(|| hashed.to_string()))
}

/// Longer than its client waits.
#[pollscope::tracked]
async fn slow() -> &'static str {
    sleep(Duration::from_millis(200)).await;
    "late"
}

#[pollscope::tracked]
async fn drive(load: Load, addr: SocketAddr, number: usize) -> Outcome {
    let mut step = number;
    while load.goes_on() {
        let mut sender = connect(addr).await?;
        for _ in 0..PER_CONNECTION {
            step += 1;
            if !load.goes_on() {
                break;
            }
            if step.is_multiple_of(31) {
                // The connection is of no use after that.
                let asked = ask(&mut sender, Method::GET, "/slow", "");
                if timeout(Duration::from_millis(5), asked).await.is_err() {
                    load.was_late();
                }
                break;
            }
            if step.is_multiple_of(97) {
                let asked = pollscope::spawn(async move {
                    ask(&mut sender, Method::GET, "/slow", "").await.is_ok()
                });
                tokio::task::yield_now().await;
                asked.abort();
                if asked.await.is_err_and(|end| end.is_cancelled()) {
                    load.was_cancelled();
                }
                break;
            }
            let status = one(&mut sender, step).await?;
            if status.is_success() {
                load.count();
            } else {
                load.was_refused();
            }
        }
    }
    Ok(())
}

#[pollscope::tracked]
async fn one(sender: &mut SendRequest<Body>, step: usize) -> Outcome<StatusCode> {
    let path = match step % 5 {
        0 => "/hello".to_owned(),
        1 => format!("/order/{step}"),
        2 => format!("/quote/{step}"),
        3 => "/offers".to_owned(),
        _ => return ask(sender, Method::POST, "/hash", "a word").await,
    };
    ask(sender, Method::GET, &path, "").await
}

#[pollscope::tracked]
async fn ask(
    sender: &mut SendRequest<Body>,
    method: Method,
    path: &str,
    body: &'static str,
) -> Outcome<StatusCode> {
    sender.ready().await?;
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "shop")
        .body(Body::from(body))?;
    let response = sender.send_request(request).await?;
    let status = response.status();
    response.into_body().collect().await?;
    Ok(status)
}

#[pollscope::tracked]
async fn connect(addr: SocketAddr) -> Outcome<SendRequest<Body>> {
    let stream = TcpStream::connect(addr).await?;
    let (sender, connection) = client::handshake(TokioIo::new(stream)).await?;
    pollscope::spawn(async move { drop(connection.await) });
    Ok(sender)
}

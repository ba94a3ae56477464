//! The HTTP side: a plain axum service, which spawns a task of its own for each connection.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tokio::sync::RwLock;

use crate::defects;

/// What the service knows: its orders.
#[derive(Debug, Default)]
pub(crate) struct Shop {
    next: AtomicU64,
    orders: RwLock<BTreeMap<u64, Order>>,
}

/// One order.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) cents: u64,
}

/// How many orders are kept: the demo may run for days.
const KEPT: usize = 1_000;

impl Shop {
    /// Takes an order and gives its number.
    pub(crate) async fn place(&self, cents: u64) -> u64 {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let mut orders = self.orders.write().await;
        orders.insert(id, Order { cents });
        if orders.len() > KEPT {
            orders.pop_first();
        }
        id
    }

    /// The order of this number.
    pub(crate) async fn order(&self, id: u64) -> Option<Order> {
        self.orders.read().await.get(&id).cloned()
    }

    /// What all kept orders are worth.
    pub(crate) async fn worth(&self) -> u64 {
        self.orders
            .read()
            .await
            .values()
            .map(|order| order.cents)
            .sum()
    }
}

/// Serves until the listener fails.
pub(crate) async fn serve(listener: TcpListener, shop: Arc<Shop>) -> io::Result<()> {
    let router = Router::new()
        .route("/health", get(|| async { "ok" }))
        .route("/orders", post(place))
        .route("/orders/{id}", get(order))
        .route("/invoice", get(defects::sleep_in_handler::invoice))
        .with_state(shop);
    axum::serve(listener, router).await
}

async fn place(State(shop): State<Arc<Shop>>, body: String) -> String {
    let cents = body.trim().parse().unwrap_or(0);
    shop.place(cents).await.to_string()
}

async fn order(State(shop): State<Arc<Shop>>, Path(id): Path<u64>) -> Result<String, StatusCode> {
    let order = shop.order(id).await.ok_or(StatusCode::NOT_FOUND)?;
    Ok(format!("order {id}: {} cents", order.cents))
}

//! The defects, one file each, each repeated every few seconds.

mod contended_mutex;
mod cpu_spin;
mod forgotten_await;
mod leak;
mod lost_error;
mod lost_panic;
mod owned_elsewhere;
pub(crate) mod sleep_in_handler;
mod sleep_in_task;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::service::Shop;

/// Starts every defect.
pub(crate) fn start(addr: SocketAddr, shop: &Arc<Shop>) {
    spawn("notify", forgotten_await::run(Arc::clone(shop)));
    spawn("settle", sleep_in_task::run());
    spawn("invoices", sleep_in_handler::run(addr));
    spawn("checksum", cpu_spin::run());
    contended_mutex::start();
    spawn("audit", lost_error::run());
    spawn("import", lost_panic::run());
    spawn("cache", owned_elsewhere::run());
    spawn("watchers", leak::run());
}

/// A named task that runs on its own.
#[track_caller]
fn spawn(name: &str, future: impl Future<Output = ()> + Send + 'static) {
    drop(pollscope::task::Builder::new().name(name).spawn(future));
}

/// The beat of a defect: at once, and then every `seconds`.
///
/// A beat that comes late shifts none of those after it: two that meet at a lock keep meeting, however busy the
/// machine is.
fn beat(seconds: u64) -> Interval {
    let mut beat = interval(Duration::from_secs(seconds));
    beat.set_missed_tick_behavior(MissedTickBehavior::Skip);
    beat
}

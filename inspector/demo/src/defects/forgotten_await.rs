//! A future is made and nobody awaits it: the mail is never sent. Found as `never_awaited`.

use std::sync::Arc;

use super::beat;
use crate::service::Shop;

pub(super) async fn run(shop: Arc<Shop>) {
    let mut beat = beat(2);
    loop {
        beat.tick().await;
        let id = shop.place(100).await;
        finish(id);
    }
}

fn finish(id: u64) {
    // The compiler warns of `email_customer(id);` but not of this; a pedantic clippy would.
    #[expect(clippy::let_underscore_future, reason = "the mistake to be found")]
    let _ = email_customer(id);
}

#[pollscope::tracked]
async fn email_customer(id: u64) {
    tokio::task::yield_now().await;
    std::hint::black_box(id);
}

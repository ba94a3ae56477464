//! What the attribute goes on, and what it does not: see `service` in `tests.rs`.

use std::future::Future;
use std::pin::Pin;

/// Its comment stays above.
#[inline]
pub(crate) async fn load<const N: usize>(key: &str) -> [u8; N] {
    async fn within(key: &str) {}
    within(key).await;
    [0; N]
}

fn returned(key: &str) -> impl Future<Output = usize> + '_ {
    async { key.len() }
}

pub fn boxed() -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async {})
}

fn handed_on(key: &str) -> impl Future<Output = usize> + '_ {
    returned(key)
}

const fn not_async() {}

struct Store;

impl Store {
    pub fn new() -> Self {
        Self
    }

    async fn get(&self) {}

    fn put(&self) -> impl Future<Output = ()> + Send {
        async {}
    }

    pub async unsafe fn raw(&self) {}
}

impl Store {
    pub fn sync(&self) {}
}

impl Store {
    #[pollscope::tracked]
    async fn chosen(&self) {}

    async fn not_yet(&self) {}

    async extern "C" fn foreign(&self) {}
}

trait Read {
    async fn declared(&self);

    async fn with_body(&self) {
        self.declared().await
    }
}

/* a comment */ impl Read for Store { async fn declared(&self) {} }

#[async_trait::async_trait]
impl Boxed for Store {
    async fn save(&self) {}
}

#[pollscope::tracked]
impl Read for &Store {
    async fn declared(&self) {}

    fn beside(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}

#[cfg_attr(debug_assertions, pollscope::tracked)]
async fn under_a_condition() {}

#[tracing::instrument(skip_all)]
async fn traced() {}

#[actix_web::get("/")]
async fn route() {}

#[poem::handlers]
impl Routes {
    async fn index(&self) {}
}

extern "C" {
    fn foreign();
}

macro_rules! handler {
    ($name:ident) => {
        async fn $name() {}
    };
}

handler!(one);
items! { pub async fn two() {} async fn three() {} }

#[tokio::main]
async fn main() {
    let closure = async || ();
    const _: () = {
        async fn in_a_constant() {}
    };
}

#[pollscope::tracked]
mod whole {
    async fn covered() {
        async fn in_a_body() {}
    }

    impl super::Store {
        async fn covered(&self) {}
    }
}

#[cfg(test)]
mod tests {
    #[tokio::test]
    async fn it_works() {}

    async fn by_hand() {}
}

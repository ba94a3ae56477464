//! deadpool: connections that several tasks share.

use std::any::Any;
use std::convert::Infallible;
use std::sync::atomic::{AtomicU32, Ordering};

use deadpool::managed::{Manager, Metrics, Pool, RecycleResult};

#[derive(Default)]
struct Connections {
    made: AtomicU32,
}

impl Manager for Connections {
    type Type = u32;
    type Error = Infallible;

    async fn create(&self) -> Result<u32, Infallible> {
        // As drivers do: who made it may be cancelled.
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        Ok(tokio::spawn(async move { number })
            .await
            .unwrap_or_default())
    }

    async fn recycle(&self, _: &mut u32, _: &Metrics) -> RecycleResult<Infallible> {
        Ok(())
    }
}

fn pool(size: usize) -> Pool<Connections> {
    Pool::builder(Connections::default())
        .max_size(size)
        .build()
        .expect("a pool")
}

pub async fn start() -> Box<dyn Any> {
    let pool = pool(1);
    let tasks = [pool.clone(), pool].map(|pool| {
        tokio::spawn(async move {
            let _held = pool.get().await;
            std::future::pending::<()>().await;
        })
    });
    Box::new(tasks)
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let pool = pool(1);
    assert_eq!(*pool.get().await.unwrap(), 0);
    assert_eq!(*pool.get().await.unwrap(), 0);
    assert_eq!(pool.status().size, 1);
}

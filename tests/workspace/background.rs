//! Tasks that a macro spawns.

use std::any::Any;

#[macro_export]
macro_rules! background {
    ($($work:tt)*) => {
        ::tokio::spawn(async move { $($work)* })
    };
}

pub async fn start() -> Box<dyn Any> {
    Box::new(background!(std::future::pending::<()>().await))
}

#[tokio::test]
async fn a_block_becomes_a_task() {
    let number = 4;
    assert_eq!(background!(number + 1).await.unwrap(), 5);
}

//! Tasks of a `JoinSet`.

use std::any::Any;

use tokio::task::JoinSet;

pub async fn start() -> Box<dyn Any> {
    let mut set = JoinSet::new();
    set.spawn(std::future::pending::<()>());
    set.spawn(std::future::pending::<()>());
    Box::new(set)
}

#[tokio::test]
async fn all_of_them_end() {
    let set: JoinSet<u32> = (1..=3).map(std::future::ready).collect();
    assert_eq!(set.join_all().await.iter().sum::<u32>(), 6);
}

//! As many tasks as a constant says.

use std::any::Any;

use tokio::task::JoinHandle;

pub async fn start() -> Box<dyn Any> {
    Box::new(spawn_all::<3, _>(|_| std::future::pending::<()>()))
}

fn spawn_all<const N: usize, F>(make: impl Fn(usize) -> F) -> [JoinHandle<F::Output>; N]
where
    F: Future<Output: Send> + Send + 'static,
{
    std::array::from_fn(|number| tokio::spawn(make(number)))
}

#[tokio::test]
async fn each_has_its_number() {
    for (number, task) in spawn_all::<3, _>(std::future::ready)
        .into_iter()
        .enumerate()
    {
        assert_eq!(task.await.unwrap(), number);
    }
}

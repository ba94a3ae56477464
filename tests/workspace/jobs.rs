//! Tasks that a trait's default method spawns.

use std::any::Any;

use async_trait::async_trait;
use tokio::task::JoinHandle;

#[async_trait]
trait Job: Sized + Send + 'static {
    async fn work(self) -> u32;

    fn run(self) -> JoinHandle<u32> {
        tokio::spawn(self.work())
    }
}

struct Nightly;

#[async_trait]
impl Job for Nightly {
    async fn work(self) -> u32 {
        std::future::pending().await
    }
}

pub async fn start() -> Box<dyn Any> {
    Box::new(Nightly.run())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Answer(u32);

    #[async_trait]
    impl Job for Answer {
        async fn work(self) -> u32 {
            self.0
        }
    }

    #[tokio::test]
    async fn a_job_gives_its_answer() {
        assert_eq!(Answer(42).run().await.unwrap(), 42);
    }
}

//! A task that does something at times, and a stream of them.

use std::any::Any;
use std::time::Duration;

use tokio::time::{Instant, interval, sleep, timeout};
use tokio_stream::StreamExt;
use tokio_stream::wrappers::IntervalStream;

pub async fn start() -> Box<dyn Any> {
    Box::new(tokio::spawn(async {
        let mut ticks = interval(Duration::from_secs(60));
        loop {
            ticks.tick().await;
        }
    }))
}

#[tokio::test(start_paused = true)]
async fn a_stream_of_ticks() {
    let start = Instant::now();
    let ticks = IntervalStream::new(interval(Duration::from_secs(1)));
    assert_eq!(ticks.take(3).collect::<Vec<_>>().await.len(), 3);
    assert_eq!(start.elapsed(), Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn a_limit_of_time() {
    let slow = timeout(Duration::from_secs(1), sleep(Duration::from_secs(2)));
    assert!(slow.await.is_err());
}

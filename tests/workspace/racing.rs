//! A task that waits for one of several.

use std::any::Any;

use tokio::sync::watch;

pub async fn start() -> Box<dyn Any> {
    let (stop, stopped) = watch::channel(false);
    Box::new((stop, tokio::spawn(until(stopped))))
}

async fn until(mut stopped: watch::Receiver<bool>) -> u32 {
    let mut turns = 0;
    loop {
        tokio::select! {
            biased;
            _ = stopped.wait_for(|stop| *stop) => return turns,
            () = tokio::task::yield_now(), if turns < 3 => turns += 1,
        }
    }
}

#[tokio::test]
async fn the_first_arm_wins() {
    let (_stop, stopped) = watch::channel(true);
    assert_eq!(until(stopped).await, 0);
}

#[tokio::test]
async fn both_are_joined() {
    assert_eq!(tokio::join!(async { 1 }, async { 2 }), (1, 2));
    let tried: Result<(u8, u8), u8> = tokio::try_join!(async { Ok(1) }, async { Err(2) });
    assert_eq!(tried, Err(2));
}

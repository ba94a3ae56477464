//! A task that owns its state and is asked by messages.

use std::any::Any;

use tokio::sync::{mpsc, oneshot};

type Ask = oneshot::Sender<u32>;

fn spawn() -> mpsc::Sender<Ask> {
    let (send, mut asked) = mpsc::channel::<Ask>(8);
    tokio::task::spawn(async move {
        let mut count = 0;
        while let Some(answer) = asked.recv().await {
            count += 1;
            answer.send(count).ok();
        }
    });
    send
}

pub async fn start() -> Box<dyn Any> {
    Box::new(spawn())
}

#[tokio::test]
async fn it_counts() {
    let actor = spawn();
    for expected in 1..=3 {
        let (answer, answered) = oneshot::channel();
        actor.send(answer).await.unwrap();
        assert_eq!(answered.await.unwrap(), expected);
    }
}

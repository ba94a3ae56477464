//! What is measured of polls, wakes and spawns: the same code for `overhead` (nanoseconds) and for `poll_cost`
//! (instructions), plain and watched.

use std::future::Future;
use std::hint::black_box;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use pollscope_capture::TaskKind;
use pollscope_capture::instrumented::{Instrumented, Untold, instrument};
use pollscope_capture::task::{Asks, Meta};
use tokio::sync::mpsc;

/// A leaf that is never ready, and does nothing but look so.
pub(crate) struct Never;

impl Future for Never {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        black_box(cx);
        Poll::Pending
    }
}

impl Never {
    /// Under our eyes, with no runtime.
    pub(crate) fn watched() -> Instrumented<Self> {
        let meta = Meta {
            location: Location::caller(),
            kind: TaskKind::Task,
            name: None,
            runtime: 0,
            asks: Asks::Caller,
        };
        instrument(Self, Untold, &meta).0
    }
}

/// Polls by hand, with no runtime and no wake.
pub(crate) fn polls(mut future: Pin<&mut impl Future>, rounds: u64) {
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..rounds {
        assert!(black_box(future.as_mut()).poll(&mut cx).is_pending());
    }
}

/// One task that wakes itself so many times: one poll and one wake a round.
pub(crate) async fn yields(watched: bool, rounds: u64) {
    let mut left = rounds;
    let task = std::future::poll_fn(move |cx| {
        if left == 0 {
            return Poll::Ready(());
        }
        left -= 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    });
    spawn(watched, task).await;
}

/// Two tasks that wake each other: two polls and two wakes a round.
pub(crate) async fn wakes(watched: bool, rounds: u64) {
    async fn plays(mut from: mpsc::Receiver<()>, to: mpsc::Sender<()>, rounds: u64) {
        for _ in 0..rounds {
            if from.recv().await.is_none() || to.send(()).await.is_err() {
                return;
            }
        }
    }
    let (ping, pinged) = mpsc::channel(1);
    let (pong, ponged) = mpsc::channel(1);
    ping.send(()).await.expect("there is room");
    tokio::join!(
        spawn(watched, plays(pinged, pong, rounds)),
        spawn(watched, plays(ponged, ping, rounds)),
    );
}

/// Tasks that are spawned and joined one after the other, each a future of 64 bytes.
pub(crate) async fn spawns(watched: bool, rounds: u64) {
    for _ in 0..rounds {
        let held = [0_u64; 8];
        let task = std::future::poll_fn(move |_| {
            black_box(&held);
            Poll::Ready(())
        });
        spawn(watched, task).await;
    }
}

async fn spawn(watched: bool, future: impl Future<Output = ()> + Send + 'static) {
    let joined = if watched {
        pollscope_tokio::task::spawn(future).await
    } else {
        tokio::spawn(future).await
    };
    joined.expect("the task does not panic");
}

//! What a poll, a wake and a spawn cost in instructions: run by `.ci/instructions` under callgrind.
//!
//! ```text
//! POLLSCOPE=debug poll_cost SCENARIO plain|watched ROUNDS
//! ```
//!
//! Only what runs inside `measured` is counted. All of it runs on one thread, so counts repeat exactly. The clock
//! is the one of production: valgrind emulates the counter and the CPU's word that it can be trusted.

#![expect(clippy::print_stderr, reason = "says how it is called")]

use std::future::Future;
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::process::ExitCode;
use std::task::{Context, Poll, Waker};

use pollscope_capture::TaskKind;
use pollscope_capture::instrumented::instrument;
use pollscope_capture::task::{Asks, Meta};
use tokio::sync::mpsc;

/// A leaf that is never ready, and does nothing but look so.
struct Never;

impl Future for Never {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        black_box(cx);
        Poll::Pending
    }
}

/// Wakes itself so many times.
struct Yields(u64);

impl Future for Yields {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.0 == 0 {
            return Poll::Ready(());
        }
        self.0 -= 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// One of two tasks that wake each other.
async fn plays(mut from: mpsc::Receiver<()>, to: mpsc::Sender<()>, rounds: u64) {
    for _ in 0..rounds {
        if from.recv().await.is_none() || to.send(()).await.is_err() {
            return;
        }
    }
}

/// What callgrind collects in: everything else is warming up.
#[inline(never)]
fn measured(work: impl FnOnce()) {
    work();
    // Keeps the call above from being the last thing done, and so a jump.
    black_box(());
}

/// Polls a future by hand, with no runtime and no wake.
fn poll(mut future: Pin<&mut impl Future>, rounds: u64) {
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..rounds {
        assert!(black_box(future.as_mut()).poll(&mut cx).is_pending());
    }
}

fn polls(watched: bool, rounds: u64) {
    if watched {
        let meta = Meta {
            location: std::panic::Location::caller(),
            kind: TaskKind::Task,
            name: None,
            runtime: 0,
            asks: Asks::Caller,
        };
        let (future, _share) = instrument(Never, None, &meta);
        let mut future = pin!(future);
        poll(future.as_mut(), 100);
        measured(|| poll(future.as_mut(), rounds));
    } else {
        let mut future = pin!(Never);
        poll(future.as_mut(), 100);
        measured(|| poll(future.as_mut(), rounds));
    }
}

/// Runs `warm` and then, counted, `work` on a current-thread runtime.
fn on_runtime(
    watched: bool,
    warm: impl Future<Output = ()>,
    work: impl Future<Output = ()>,
) -> std::io::Result<()> {
    if watched {
        let runtime = pollscope_tokio::runtime::Builder::new_current_thread().build()?;
        runtime.block_on(warm);
        measured(|| runtime.block_on(work));
    } else {
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        runtime.block_on(warm);
        measured(|| runtime.block_on(work));
    }
    Ok(())
}

async fn spawn_one(watched: bool, future: impl Future<Output = ()> + Send + 'static) {
    let joined = if watched {
        pollscope_tokio::task::spawn(future).await
    } else {
        tokio::spawn(future).await
    };
    joined.expect("the task does not panic");
}

async fn self_wakes(watched: bool, rounds: u64) {
    spawn_one(watched, Yields(rounds)).await;
}

async fn wakes(watched: bool, rounds: u64) {
    let (ping, pinged) = mpsc::channel(1);
    let (pong, ponged) = mpsc::channel(1);
    ping.send(()).await.expect("there is room");
    let (a, b) = (plays(pinged, pong, rounds), plays(ponged, ping, rounds));
    if watched {
        let _ = tokio::join!(
            pollscope_tokio::task::spawn(a),
            pollscope_tokio::task::spawn(b)
        );
    } else {
        let _ = tokio::join!(tokio::spawn(a), tokio::spawn(b));
    }
}

/// A future of 64 bytes, so that ours and Tokio's own task cell fall into one size of the allocator: what a spawn
/// costs more where they do not is the allocator's.
async fn spawns(watched: bool, rounds: u64) {
    for _ in 0..rounds {
        let held = [0_u64; 8];
        let task = std::future::poll_fn(move |_| {
            black_box(&held);
            Poll::Ready(())
        });
        spawn_one(watched, task).await;
    }
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [scenario, kind, rounds] = args.as_slice() else {
        eprintln!("usage: poll_cost poll|self_wake|wake|spawn plain|watched ROUNDS");
        return ExitCode::from(2);
    };
    let (watched, Ok(rounds)) = (kind == "watched", rounds.parse()) else {
        eprintln!("ROUNDS is a number");
        return ExitCode::from(2);
    };
    let done = match scenario.as_str() {
        "poll" => {
            polls(watched, rounds);
            Ok(())
        }
        "self_wake" => on_runtime(
            watched,
            self_wakes(watched, 100),
            self_wakes(watched, rounds),
        ),
        "wake" => on_runtime(watched, wakes(watched, 100), wakes(watched, rounds)),
        "spawn" => on_runtime(watched, spawns(watched, 1000), spawns(watched, rounds)),
        _ => {
            eprintln!("no scenario {scenario}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("no runtime: {error}");
            ExitCode::FAILURE
        }
    }
}

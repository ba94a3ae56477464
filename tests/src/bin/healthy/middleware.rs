//! A stack of tower's layers, asked for more than it lets through: it queues, sheds, limits, times out and tries again.

use std::fmt;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt};
use pollscope::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};
use tower::buffer::Buffer;
use tower::load_shed::error::Overloaded;
use tower::retry::Policy;
use tower::timeout::error::Elapsed;
use tower::{BoxError, Service, ServiceBuilder, ServiceExt, service_fn};

use crate::load::{Load, Outcome};

const CLIENTS: u64 = 12;
/// How many calls a client has under way at once.
const AT_ONCE: u64 = 8;

/// What the service says of some.
#[derive(Debug)]
struct Busy;

impl fmt::Display for Busy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("busy")
    }
}

impl std::error::Error for Busy {}

/// Three tries.
#[derive(Clone, Debug)]
struct Again(u32);

impl Policy<u64, u64, BoxError> for Again {
    type Future = Ready<()>;

    fn retry(&mut self, _: &mut u64, result: &mut Result<u64, BoxError>) -> Option<Ready<()>> {
        let busy = matches!(result, Err(why) if why.is::<Busy>());
        (busy && self.0 > 0).then(|| {
            self.0 -= 1;
            ready(())
        })
    }

    fn clone_request(&mut self, request: &u64) -> Option<u64> {
        Some(*request)
    }
}

pub(crate) async fn run(load: Load) -> Outcome {
    let tries = Arc::new(AtomicU64::new(0));
    // A plain block around the tracked function: tower's buffer makes an answer's future before it knows whether its
    // caller is still there, and drops it in the same poll where it is not. Nobody can tell that from forgetting it.
    let work = service_fn(move |order| {
        let tries = Arc::clone(&tries);
        async move { work(tries, order).await }
    });
    let inner = ServiceBuilder::new()
        .concurrency_limit(24)
        .retry(Again(2))
        .timeout(Duration::from_millis(15))
        .service(work);
    // Its worker is a task of ours.
    let (buffered, worker) = Buffer::pair(inner, 32);
    let working = pollscope::spawn(worker);
    let service = ServiceBuilder::new()
        .load_shed()
        .timeout(Duration::from_millis(60))
        .service(buffered);
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        clients.spawn(drive(load.clone(), service.clone(), number));
    }
    drop(service);
    while let Some(end) = clients.join_next().await {
        end??;
    }
    // It ends when the last of its handles is gone.
    timeout(Duration::from_secs(10), working).await??;
    Ok(())
}

/// Some orders are done at once, some take too long, some fail at every other try.
#[pollscope::tracked]
async fn work(tries: Arc<AtomicU64>, order: u64) -> Result<u64, BoxError> {
    let tried = tries.fetch_add(1, Ordering::Relaxed);
    match order % 8 {
        0 => sleep(Duration::from_millis(40)).await,
        1 | 2 => sleep(Duration::from_millis(2)).await,
        3 if !tried.is_multiple_of(3) => return Err(Busy.into()),
        4 => {
            // Whoever waits for it may be timed out: so its error is no task's, but a value it ends with.
            let part =
                pollscope::spawn(
                    async move { half(order).await.map_or_else(|_| 0, |half| half * 2) },
                );
            return Ok(part.await?);
        }
        _ => {}
    }
    Ok(order)
}

#[pollscope::tracked]
async fn half(order: u64) -> Result<u64, Busy> {
    tokio::task::yield_now().await;
    if order.is_multiple_of(3) {
        return Err(Busy);
    }
    Ok(order / 2)
}

#[pollscope::tracked]
async fn drive<S>(load: Load, service: S, number: u64) -> Outcome
where
    S: Service<u64, Response = u64, Error = BoxError> + Clone + Send + 'static,
    S::Future: Send,
{
    let mut order = number * 1000;
    while load.goes_on() {
        let mut calls = FuturesUnordered::new();
        for _ in 0..AT_ONCE {
            order += 1;
            calls.push(pollscope::spawn(call(service.clone(), order)));
        }
        let mut left = AT_ONCE;
        while let Some(answer) = calls.next().await {
            left -= 1;
            told(&load, answer?)?;
            // The last of some rounds is aborted. It may have ended before that: so it is asked all the same.
            if left == 1 && order.is_multiple_of(5) {
                calls.iter().for_each(JoinHandle::abort);
                match calls.next().await {
                    Some(Ok(answer)) => told(&load, answer)?,
                    _ => load.was_cancelled(),
                }
            }
        }
        // The same without tasks: who is first, and the others are let go.
        let first = pollscope::select! {
            answer = call(service.clone(), order) => answer,
            answer = call(service.clone(), order + 1) => answer,
        };
        told(&load, first)?;
        sleep(Duration::from_millis(1)).await;
    }
    Ok(())
}

#[pollscope::tracked]
async fn call<S>(service: S, order: u64) -> Result<u64, BoxError>
where
    S: Service<u64, Response = u64, Error = BoxError> + Send + 'static,
    S::Future: Send,
{
    service.oneshot(order).await
}

/// Counts an answer; an error that no layer should give ends the program.
fn told(load: &Load, answer: Result<u64, BoxError>) -> Outcome {
    match answer {
        Ok(_) => load.count(),
        Err(why) if why.is::<Elapsed>() => load.was_late(),
        Err(why) if why.is::<Overloaded>() || why.is::<Busy>() => load.was_refused(),
        Err(why) => return Err(why),
    }
    Ok(())
}

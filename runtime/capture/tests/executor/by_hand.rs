//! An executor that is a function call, and sums over what all threads counted.

use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::{Arc, LazyLock, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use pollscope_capture::event::Event;
use pollscope_capture::instrumented::{Describe, Instrumented, Untold, instrument};
use pollscope_capture::record::{Outcome, Snapshot};
use pollscope_capture::tally::Tally;
use pollscope_capture::task::{Asks, HandleShare, Meta};
use pollscope_capture::{SiteId, TaskKind, registry, thread};

/// A task that nobody runs but the test.
pub(crate) type Task<F, D = Untold> = Pin<Box<Instrumented<F, D>>>;

/// What a spawner would say of a task made at `location`.
pub(crate) fn meta(location: &'static Location<'static>) -> Meta<'static> {
    Meta {
        location,
        kind: TaskKind::Task,
        name: None,
        runtime: 0,
        asks: Asks::Handle,
    }
}

#[track_caller]
pub(crate) fn spawn<F: Future>(future: F) -> (Task<F>, HandleShare) {
    spawn_described(future, Untold)
}

#[track_caller]
pub(crate) fn spawn_described<F: Future, D: Describe<F::Output>>(
    future: F,
    describe: D,
) -> (Task<F, D>, HandleShare) {
    let (task, share) = instrument(future, describe, &meta(Location::caller()));
    (Box::pin(task), share)
}

/// One poll, with the one waker of this executor, which does nothing.
pub(crate) fn poll<F: Future>(task: &mut Pin<Box<F>>) -> Poll<F::Output> {
    struct Nobody;
    impl Wake for Nobody {
        fn wake(self: Arc<Self>) {}
    }
    static WAKER: LazyLock<Waker> = LazyLock::new(|| Waker::from(Arc::new(Nobody)));
    task.as_mut().poll(&mut Context::from_waker(&WAKER))
}

/// Polls to the end.
pub(crate) fn run<F: Future>(mut task: Pin<Box<F>>) -> F::Output {
    loop {
        if let Poll::Ready(output) = poll(&mut task) {
            return output;
        }
    }
}

/// Pending so many times.
pub(crate) struct Pending(pub(crate) u32);

impl Future for Pending {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        match self.0.checked_sub(1) {
            Some(left) => {
                self.0 = left;
                Poll::Pending
            }
            None => Poll::Ready(()),
        }
    }
}

/// What is known of a task that lives.
pub(crate) fn look(id: u64) -> Snapshot {
    registry::find(id).expect("the task lives").1
}

/// What all threads counted for a site.
pub(crate) fn sum(site: SiteId, of: impl Fn(&Tally) -> u64) -> u64 {
    thread::all()
        .filter_map(|thread| thread.tally(site))
        .map(of)
        .sum()
}

/// Tasks of a site that ended in this way.
pub(crate) fn ended(site: SiteId, outcome: Outcome) -> u64 {
    sum(site, |tally| tally.ended_with(outcome))
}

/// What was told of a site since this was last asked. Tests that run beside each other share the rings.
pub(crate) fn findings(site: SiteId) -> Vec<Event> {
    static TOLD: Mutex<Vec<Event>> = Mutex::new(Vec::new());
    let mut told = TOLD.lock().expect("no panic under the lock");
    for thread in thread::all() {
        thread.drain(|event| told.push(event));
    }
    told.extract_if(.., |event| event.site == site).collect()
}

//! The least of an executor: one thread that polls one instrumented future to its end. Enough to watch polls by.

use std::future::Future;
use std::panic::Location;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};
use std::thread::{self, JoinHandle, Thread};
use std::time::{Duration, Instant};

use pollscope_agent::{Finding, Kind};
use pollscope_capture::TaskKind;
use pollscope_capture::instrumented::instrument;
use pollscope_capture::registry;
use pollscope_capture::task::{Asks, Meta};

/// Starts the agent by the first use, at the level that was set before.
pub(crate) fn begin() {
    registry::set_starter(pollscope_agent::start);
    registry::start();
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Polls `future` on a thread of its own as a task of this name, spawned at the caller's place. Its handle is
/// dropped at once.
#[track_caller]
pub(crate) fn run<F>(name: &'static str, future: F) -> JoinHandle<()>
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    let location = Location::caller();
    let worker = thread::Builder::new().name(format!("w-{name}"));
    worker
        .spawn(move || {
            let meta = Meta {
                location,
                kind: TaskKind::Task,
                name: Some(name),
                runtime: 0,
                asks: Asks::Handle,
            };
            let (task, handle) = instrument(future, pollscope_capture::instrumented::Untold, &meta);
            drop(handle);
            let mut task = std::pin::pin!(task);
            let waker = Waker::from(Arc::new(Unpark(thread::current())));
            while task
                .as_mut()
                .poll(&mut Context::from_waker(&waker))
                .is_pending()
            {
                thread::park();
            }
        })
        .expect("a thread")
}

/// The finding of this kind about a task of this name.
pub(crate) fn finding(kind: Kind, name: &str) -> Option<Finding> {
    pollscope_agent::warnings()
        .into_iter()
        .find(|finding| finding.kind == kind && finding.task_name.as_deref() == Some(name))
}

/// Waits until `condition` gives something.
///
/// # Panics
/// It gives nothing within half a minute.
pub(crate) fn until<R>(what: &str, condition: impl Fn() -> Option<R>) -> R {
    let begun = Instant::now();
    loop {
        if let Some(found) = condition() {
            return found;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "{what}: not within half a minute"
        );
        thread::sleep(Duration::from_millis(1));
    }
}

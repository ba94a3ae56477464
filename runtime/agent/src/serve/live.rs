//! Live stacks for clients: taken off the server's thread, one request after the other.

use std::sync::Arc;
use std::time::Duration;

use pollscope_capture::stack::{Live, Options, Sample, State, Verdict, judge};
use tokio::sync::Mutex;
use tonic::Status;

use crate::ours;

/// How long a request waits for those before it.
const QUEUE: Duration = Duration::from_secs(2);
/// Between the two looks at a thread that tell what it does.
pub(super) const BETWEEN_LOOKS: Duration = Duration::from_millis(5);

/// Takes stacks for all clients.
#[derive(Clone, Debug)]
pub(super) struct Stacks {
    options: Options,
    /// Made at the first request; it keeps the room for a copy of a stack.
    live: Arc<Mutex<Option<Live>>>,
}

impl Stacks {
    pub(super) fn new(options: Options) -> Self {
        Self {
            options,
            live: Arc::default(),
        }
    }

    /// Runs `work` on a thread that may wait.
    ///
    /// # Errors
    /// `RESOURCE_EXHAUSTED` where other requests are ahead for too long, or there is no thread to be had.
    pub(super) async fn with<R: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Live) -> R + Send + 'static,
    ) -> Result<R, Status> {
        let turn = tokio::time::timeout(QUEUE, Arc::clone(&self.live).lock_owned()).await;
        let mut live = turn.map_err(|_elapsed| {
            Status::resource_exhausted(
                "other stacks are being taken right now: ask again in a moment",
            )
        })?;
        let options = self.options;
        let done = ours::apart(move || work(live.get_or_insert_with(|| Live::new(options))));
        done.await.ok_or_else(|| {
            Status::resource_exhausted(
                "no stack could be taken: the program has no room for another thread",
            )
        })
    }
}

/// What a thread does, from one look before and one now; of a thread that runs, one look says nothing.
pub(super) fn verdict(before: Option<&Sample>, now: &Sample) -> Option<Verdict> {
    match before {
        Some(before) => Some(judge(before, now)),
        None if matches!(now.state, State::Runnable | State::Unknown | State::Dead) => None,
        None => Some(judge(now, now)),
    }
}

//! How long a program is driven, and what it has done.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What a program, a client or a job ends with: an error is one that nobody expected.
pub(crate) type Outcome<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// A program is under load once it has done so much.
const RUNNING: u64 = 50;

/// One load, shared by all who make it.
#[derive(Clone, Debug)]
pub(crate) struct Load {
    end: Instant,
    seen: Arc<AtomicBool>,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    done: AtomicU64,
    late: AtomicU64,
    refused: AtomicU64,
    cancelled: AtomicU64,
}

impl Load {
    /// From now on for so long, and until somebody has seen it.
    pub(crate) fn of(time: Duration) -> Self {
        Self {
            end: Instant::now() + time,
            seen: Arc::default(),
            counts: Arc::default(),
        }
    }

    /// Whether there is time left, or nobody has looked yet: on a busy machine that takes its time.
    pub(crate) fn goes_on(&self) -> bool {
        Instant::now() < self.end || !self.seen.load(Ordering::Relaxed)
    }

    /// Somebody has looked.
    pub(crate) fn was_seen(&self) {
        self.seen.store(true, Ordering::Relaxed);
    }

    /// A request was answered, or a job done.
    pub(crate) fn count(&self) {
        if self.counts.done.fetch_add(1, Ordering::Relaxed) + 1 == RUNNING {
            println!("running");
        }
    }

    /// A timeout elapsed, as some should.
    pub(crate) fn was_late(&self) {
        self.counts.late.fetch_add(1, Ordering::Relaxed);
    }

    /// An answer was an error, as some should.
    pub(crate) fn was_refused(&self) {
        self.counts.refused.fetch_add(1, Ordering::Relaxed);
    }

    /// A task was aborted, as some should.
    pub(crate) fn was_cancelled(&self) {
        self.counts.cancelled.fetch_add(1, Ordering::Relaxed);
    }

    /// How much was done.
    pub(crate) fn done(&self) -> u64 {
        self.counts.done.load(Ordering::Relaxed)
    }

    /// What went wrong on purpose.
    pub(crate) fn mishaps(&self) -> String {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        format!(
            "late={} refused={} cancelled={}",
            of(&self.counts.late),
            of(&self.counts.refused),
            of(&self.counts.cancelled)
        )
    }
}

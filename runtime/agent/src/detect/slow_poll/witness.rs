//! What the two witnesses of a slow poll say of it, and how they name it.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use pollscope_capture::scope::Belongs;
use pollscope_capture::stack::{Activity, Verdict};
use pollscope_capture::{SiteId, StackId, TaskKind, site};

use crate::detect::made;
use crate::finding::{Certainty, Delayed, Finding, Kind, Source, ThreadName};
use crate::warnings::Key;

/// One poll, as both witnesses name it. Numbers of tasks are never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PollKey {
    pub(crate) task: u64,
    /// Which of the task's polls, from 1; or [`DROP`].
    pub(crate) poll: u64,
}

/// In place of a poll's number: the task's drop outside of any poll. It hangs as a poll does, and is seen as one.
pub(crate) const DROP: u64 = 0;

/// What either says of a long poll.
#[derive(Clone, Debug)]
pub(crate) struct LongPoll {
    pub(crate) key: PollKey,
    /// When it is said, in monotonic nanoseconds.
    pub(crate) at_ns: u64,
    pub(crate) site: SiteId,
    pub(crate) task_name: Option<Arc<str>>,
    pub(crate) created: StackId,
    pub(crate) thread: ThreadName,
    /// The test it belongs to.
    pub(crate) belongs: Belongs,
    /// How long it took; while it lasts at least, without the time the process did not run.
    pub(crate) wall_ns: u64,
    /// As it was then.
    pub(crate) threshold_ns: u64,
}

impl LongPoll {
    /// The record that it belongs to: that of its site, and of its route where it is a request's of a site of several.
    pub(crate) fn record_key(&self) -> Key {
        let site = site::get(self.site);
        let is_one_of_many = site.kind == TaskKind::Request && !site.is_of_one_name();
        match self.task_name.as_deref().filter(|_| is_one_of_many) {
            Some(route) => {
                let mut hasher = DefaultHasher::new();
                route.hash(&mut hasher);
                Key::Named(self.site, hasher.finish())
            }
            None => Key::Site(self.site),
        }
    }

    /// What both tell of it. How grave it is, and why it took so long, is not said yet.
    pub(crate) fn finding(&self) -> Finding {
        let drop = self.key.poll == DROP;
        let kind = if drop { Kind::SlowDrop } else { Kind::SlowPoll };
        let mut finding = Finding::new(kind, Source::of_site(self.site), self.at_ns);
        finding.certainty = Certainty::Definite;
        finding.task = self.key.task;
        finding.task_name.clone_from(&self.task_name);
        finding.belongs = self.belongs;
        finding.poll = (!drop).then_some(self.key.poll);
        finding.created = made(self.site, self.created);
        finding.observed.thread = Some(self.thread.clone());
        finding.wall_ns = Some(self.wall_ns);
        finding.worst_ns = Some(self.wall_ns);
        finding.threshold_ns = Some(self.threshold_ns);
        finding
    }
}

/// What the watchdog sees of a poll that lasts.
#[derive(Clone, Debug)]
pub(crate) struct Sighting {
    pub(crate) of: LongPoll,
    /// The hot path will tell its end: it was timed from its start.
    pub(crate) will_be_told: bool,
    /// CPU time of the thread since the poll was first seen.
    pub(crate) cpu_ns: Option<u64>,
    /// What it was then, since the thread began.
    pub(crate) cpu_before_ns: Option<u64>,
    /// How long the thread was kept from running since the first look at it, as far as is known.
    pub(crate) kept_ns: u64,
    /// It is excused because what is left without that is less than the threshold.
    pub(crate) spared: bool,
    /// `None`: not looked at this time.
    pub(crate) verdict: Option<Verdict>,
    /// Empty: none could be taken this time.
    pub(crate) stack: Arc<[usize]>,
    pub(crate) truncated: bool,
    pub(crate) delayed: Option<Delayed>,
}

impl Sighting {
    /// Whether what takes so long is not the poll.
    pub(crate) fn is_excused(&self) -> bool {
        self.verdict
            .is_some_and(|verdict| excuses(verdict.activity))
    }

    /// Takes a verdict into account. A thread that mostly waited for a CPU, and yet used it for as long as the
    /// threshold, is judged by what it used; and one that would have stayed below the threshold, had it had a CPU, was
    /// kept from one.
    pub(crate) fn judge(&mut self, verdict: Verdict) {
        let used = self
            .cpu_ns
            .is_some_and(|cpu| cpu >= self.of.threshold_ns.max(1));
        let computes = used && excuses(verdict.activity);
        self.spared = !used && !excuses(verdict.activity) && was_kept(&self.of, self.kept_ns);
        self.verdict = Some(if computes {
            plain(Activity::OnCpu)
        } else if self.spared {
            plain(Activity::Descheduled)
        } else {
            verdict
        });
    }
}

/// Whether a poll of whose time a thread was kept from running for so long is slow only because of that.
pub(super) fn was_kept(of: &LongPoll, kept_ns: u64) -> bool {
    of.wall_ns >= of.threshold_ns && of.wall_ns.saturating_sub(kept_ns) < of.threshold_ns
}

fn plain(activity: Activity) -> Verdict {
    Verdict {
        activity,
        syscall: None,
    }
}

pub(super) fn excuses(activity: Activity) -> bool {
    matches!(
        activity,
        Activity::Stopped | Activity::Descheduled | Activity::Throttled | Activity::LockStarved
    )
}

/// The end of a long poll, as the hot path tells it.
#[derive(Clone, Debug)]
pub(crate) struct Finished {
    /// Its time is exact.
    pub(crate) of: LongPoll,
    /// It was a `block_on` in a closure of the blocking pool, where nothing waits behind it.
    pub(crate) permitted: bool,
    /// CPU time of the thread then, since it began.
    pub(crate) cpu_ns: Option<u64>,
    /// The future within the task that accounts for it.
    pub(crate) sub: Option<Source>,
}

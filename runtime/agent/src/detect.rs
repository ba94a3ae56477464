//! From what the hot path tells to findings. One file a family; all are functions of what they are given, the time
//! included.

pub(crate) mod blocking_pool;
mod episode;
pub(crate) mod gaps;
pub(crate) mod leaked_error;
pub(crate) mod leaked_panic;
pub(crate) mod never_awaited;
pub(crate) mod note;
pub(crate) mod poll_watch;
pub(crate) mod sched_delay;
pub(crate) mod slow_poll;
pub(crate) mod starved;
pub(crate) mod task_leak;
pub(crate) mod timer_late;
pub(crate) mod worker_blocked;
pub(crate) mod worker_watch;
pub(crate) mod wrong_thread;

use std::sync::Arc;

use pollscope_capture::event::{Detail, Event, Family, PollText};
use pollscope_capture::thread::Role;
use pollscope_capture::{SiteId, StackId, TaskKind, clock, level, site};

use crate::finding::{Finding, Kind, Place, Severity, Source, ThreadName};
use crate::warnings::{Example, Found, Key, Log};

/// What becomes of it.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// A finding.
    Finding(Box<Example>),
    /// The end of a long poll, to be put together with what the watchdog saw of it.
    Poll(Box<slow_poll::Finished>),
}

/// Judges one event.
pub(crate) fn judge(event: &Event, name_of_tid: impl Fn(u32) -> Option<ThreadName>) -> Outcome {
    let now = clock::mono_of(event.at);
    let mut finding = match &event.detail {
        Detail::Poll(text) => {
            return Outcome::Poll(Box::new(finished(event, text.number, text)));
        }
        Detail::Drop(text) => {
            return Outcome::Poll(Box::new(finished(event, slow_poll::DROP, text)));
        }
        Detail::Unpolled { definite } => {
            never_awaited::finding(base(event, Kind::NeverAwaited, now), *definite)
        }
        Detail::Error(text) => leaked_error::finding(base(event, Kind::LeakedError, now), text),
        Detail::Panic(text) => leaked_panic::finding(base(event, Kind::LeakedPanic, now), text),
        Detail::Thread(text) => wrong_thread::finding(base(event, Kind::WrongThread, now), text),
        Detail::Note(family, text) => {
            note::finding(base(event, note::kind(*family), now), *family, text)
        }
    };
    if event.created_tid != 0 && finding.created.thread.is_none() {
        finding.created.thread = if event.created_tid == event.teller.tid {
            Some(teller(event))
        } else {
            name_of_tid(event.created_tid)
        };
    }
    finding.message = crate::message::line(&finding);
    Outcome::Finding(Box::new(Example {
        key: Key::Site(event.site),
        finding,
        beyond: false,
        excused: false,
        log: Log::Paced,
    }))
}

/// The end of a poll, or of a drop.
fn finished(event: &Event, poll: u64, text: &PollText) -> slow_poll::Finished {
    slow_poll::Finished {
        of: slow_poll::LongPoll {
            key: slow_poll::PollKey {
                task: event.task,
                poll,
            },
            at_ns: clock::mono_of(event.at),
            site: event.site,
            task_name: event.name(),
            created: event.created,
            thread: teller(event),
            belongs: event.teller.belongs,
            wall_ns: text.ns,
            threshold_ns: level::slow_poll_ns(),
        },
        permitted: event.teller.role == Role::Blocking
            && site::get(event.site).kind == TaskKind::BlockOn,
        cpu_ns: text.cpu_ns,
        sub: text.sub.map(Source::of_sub),
    }
}

/// What all families have in common.
fn base(event: &Event, kind: Kind, now: u64) -> Finding {
    let mut finding = Finding::new(kind, Source::of_site(event.site), now);
    finding.task = event.task;
    finding.task_name = event.name();
    finding.belongs = event.teller.belongs;
    finding.created = made(event.site, event.created);
    finding.observed = Place {
        source: event
            .place
            .map(|at| Source::at(at.file(), at.line(), at.column())),
        thread: Some(teller(event)),
        stack: Arc::from(event.observed.frames()),
        exemplar: false,
        truncated: false,
    };
    finding
}

/// The thread it was found on, which may have ended since.
fn teller(event: &Event) -> ThreadName {
    ThreadName {
        tid: event.teller.tid,
        name: event.teller.name.clone().unwrap_or_default(),
    }
}

/// Where something was made: its own backtrace, or the site's, marked so.
pub(crate) fn made(site: SiteId, own: StackId) -> Place {
    let exemplar = own.is_none();
    let stack = if exemplar {
        site::get(site).exemplar()
    } else {
        own
    };
    Place {
        source: Some(Source::of_site(site)),
        thread: None,
        stack: Arc::from(stack.frames()),
        exemplar: exemplar && !stack.is_none(),
        truncated: stack.frames().len() >= pollscope_capture::stack::MAX_FRAMES,
    }
}

/// The kinds whose findings the hot path counts, and how many of `counts` are notes and real ones.
pub(crate) fn counted(counts: &[u64; Family::COUNT]) -> [(Kind, Found); 17] {
    let of = |family: Family| counts[family as usize];
    let real = |kind, family| (kind, Found([0, of(family)]));
    let both = |kind, note, family| (kind, Found([of(note), of(family)]));
    [
        both(Kind::NeverAwaited, Family::Unpolled, Family::NeverAwaited),
        both(Kind::SlowPoll, Family::LongPoll, Family::SlowPoll),
        real(Kind::LeakedError, Family::LeakedError),
        real(Kind::LeakedPanic, Family::LeakedPanic),
        real(Kind::WrongThread, Family::WrongThread),
        both(
            Kind::PendingDestroyed,
            Family::IdleDestroyed,
            Family::PendingDestroyed,
        ),
        real(Kind::TimerLate, Family::TimerLate),
        real(Kind::NestedRuntime, Family::NestedRuntime),
        real(Kind::NoRuntime, Family::NoRuntime),
        both(
            Kind::ResourceLeak,
            Family::IdleResource,
            Family::ResourceLeak,
        ),
        real(Kind::SlowDrop, Family::SlowDrop),
        real(Kind::CallbackPanic, Family::CallbackPanic),
        real(Kind::ShutdownPanic, Family::ShutdownPanic),
        real(Kind::BlockingPoolFull, Family::BlockingPoolFull),
        real(Kind::LockAcrossAwait, Family::LockAcrossAwait),
        real(Kind::BlockingSocket, Family::BlockingSocket),
        (Kind::SlowLookup, Found([of(Family::SlowLookup), 0])),
    ]
}

/// Stands in where all examples of a site were lost.
pub(crate) fn without_example(kind: Kind, id: SiteId, severity: Severity, now: u64) -> Finding {
    let mut finding = Finding::new(kind, Source::of_site(id), now);
    finding.severity = severity;
    finding.created = made(id, StackId::NONE);
    finding.message = crate::message::line(&finding);
    finding
}

#[cfg(test)]
pub(crate) mod tests;

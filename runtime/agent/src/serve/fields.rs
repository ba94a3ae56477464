//! One task as filters, orders and rows see it: its snapshot, and what is known around it.
//!
//! A time that was not measured is `None`, here and on the wire: in quiet polls are counted and not timed, and
//! a task that is older than the switch to debug is timed from its next poll on.

use std::cell::OnceCell;
use std::sync::Arc;

use pollscope_capture::level::{self, Level};
use pollscope_capture::record::{Outcome, Record, Snapshot};
use pollscope_capture::site::{self, Site};
use pollscope_capture::task::{Extras, extras};
use pollscope_capture::{TaskKind, clock, names};
use pollscope_proto::crates;
use pollscope_proto::filter::{Fields, NumberKey, TextKey, WordKey, equals_folded};
use pollscope_proto::order::Order;

use super::world::{RunningPoll, World};
use crate::figures::TaskState;
use crate::finding::Severity;

/// A task at one moment.
pub(super) struct Task<'a> {
    pub(super) seen: &'a Snapshot,
    pub(super) site: &'static Site,
    record: &'static Record,
    world: &'a World,
    name: OnceCell<Option<Arc<str>>>,
    extras: OnceCell<Option<Arc<Extras>>>,
}

impl<'a> Task<'a> {
    pub(super) fn new(record: &'static Record, seen: &'a Snapshot, world: &'a World) -> Self {
        Self {
            seen,
            site: site::get(seen.site),
            record,
            world,
            name: OnceCell::new(),
            extras: OnceCell::new(),
        }
    }

    /// Its name, where it was given one. Takes a lock: asked for only where it is needed.
    pub(super) fn name(&self) -> Option<&Arc<str>> {
        self.name
            .get_or_init(|| names::get(self.seen.name))
            .as_ref()
    }

    /// Its labels and span, where it has any. Takes a lock for those.
    pub(super) fn extras(&self) -> Option<&Extras> {
        let of_task = || {
            self.seen
                .has_extras()
                .then(|| extras(self.seen.id))
                .flatten()
        };
        self.extras.get_or_init(of_task).as_deref()
    }

    pub(super) fn state(&self) -> TaskState {
        TaskState::of(self.seen)
    }

    pub(super) fn warned(&self) -> Option<Severity> {
        self.world.warned(self.seen.id)
    }

    /// The poll that runs and the thread it runs on.
    pub(super) fn poll(&self) -> Option<&'a RunningPoll> {
        if self.seen.is_polled() {
            self.world.poll_of(self.record)
        } else {
            None
        }
    }

    /// From the spawn to now, or to its end.
    pub(super) fn age_ns(&self) -> u64 {
        span(self.seen.created, self.ended().unwrap_or(self.world.now))
    }

    /// Ticks of its end.
    pub(super) fn ended(&self) -> Option<u64> {
        self.seen
            .is_done()
            .then_some(self.seen.edge)
            .filter(|edge| *edge != 0)
    }

    /// How long the poll that runs has run, at least.
    pub(super) fn current_ns(&self) -> Option<u64> {
        if !self.seen.is_polled() || self.seen.is_done() {
            return None;
        }
        if self.is_closure() {
            // It is not published as a poll.
            return Some(span(self.seen.edge, self.world.now));
        }
        let poll = self.poll()?;
        if poll.start != 0 {
            return Some(span(poll.start, self.world.now));
        }
        poll.at_least
            .filter(|(task, _)| *task == self.seen.id)
            .map(|(_, ns)| ns)
    }

    /// Whether polls of this task are timed. In quiet none are, and what was timed before is out of date.
    fn is_timed(&self) -> bool {
        let polled_in_debug =
            self.seen.busy_ns > 0 || (self.seen.edge != 0 && !self.seen.is_done());
        self.world.level == Level::Debug && (polled_in_debug || self.seen.seq == 0)
    }

    /// A closure is timed at any level: it runs once. It has no wakes.
    fn is_closure(&self) -> bool {
        self.seen.kind == TaskKind::Blocking
    }

    /// In polls, the one that runs included.
    pub(super) fn busy_ns(&self) -> Option<u64> {
        (self.is_timed() || (self.is_closure() && self.seen.seq > 0))
            .then(|| self.seen.busy_ns + self.current_ns().unwrap_or(0))
    }

    pub(super) fn max_poll_ns(&self) -> Option<u64> {
        (self.is_timed() || (self.is_closure() && self.seen.seq > 0))
            .then(|| self.seen.max_ns.max(self.current_ns().unwrap_or(0)))
    }

    /// From wakes to polls, a wake that waits now included.
    pub(super) fn scheduled_ns(&self) -> Option<u64> {
        /// Ticks of a wake from inside a poll that has not ended yet.
        const FROM_INSIDE: u64 = 1;
        let waits = self.state() == TaskState::Scheduled && self.seen.woken > FROM_INSIDE;
        let waited = if waits {
            span(self.seen.woken, self.world.now)
        } else {
            0
        };
        (self.is_timed() && !self.is_closure()).then(|| self.seen.scheduled_ns + waited)
    }

    /// The rest of its age since it is timed.
    pub(super) fn idle_ns(&self) -> Option<u64> {
        let begun = clock::mono_of(self.seen.created);
        let untimed = level::debug_since_ns().saturating_sub(begun);
        let spent = self.busy_ns()? + self.scheduled_ns()?;
        Some(self.age_ns().saturating_sub(untimed + spent))
    }

    pub(super) fn wakes(&self) -> Option<u64> {
        (self.is_timed() && !self.is_closure()).then_some(self.seen.wakes)
    }

    pub(super) fn self_wakes(&self) -> Option<u64> {
        (self.is_timed() && !self.is_closure()).then_some(self.seen.self_wakes)
    }

    /// Where the task stands in an order; `None` comes last, whatever the direction.
    pub(super) fn rank(&self, order: Order) -> Option<u64> {
        match order {
            Order::Id => Some(self.seen.id),
            Order::Name => self.world.name_rank(self.seen.name, self.seen.site),
            Order::State => Some(self.state() as u64),
            Order::Age => Some(self.age_ns()),
            Order::Busy => self.busy_ns(),
            Order::Max => self.max_poll_ns(),
            Order::Polls => Some(self.seen.polls()),
            Order::Wakes => self.wakes(),
            Order::SelfWakes => self.self_wakes(),
            Order::Scheduled => self.scheduled_ns(),
            Order::Idle => self.idle_ns(),
            Order::Site => Some(self.world.site_rank(self.seen.site)),
            Order::Bytes => Some(self.site.future_bytes.into()),
            Order::Runtime => Some(self.seen.runtime.into()),
            Order::Kind => Some(self.seen.kind as u64),
            Order::Warned => Some(self.warned().map_or(0, |severity| 1 + severity as u64)),
            Order::Current => self.current_ns(),
            // Columns of sites: refused when the view was read.
            Order::Live | Order::Growth | Order::Spawned | Order::Ended | Order::Lifetime => None,
        }
    }
}

/// Between two moments in ticks, in nanoseconds.
fn span(from: u64, to: u64) -> u64 {
    clock::ticks_to_ns(to.saturating_sub(from))
}

impl Fields for Task<'_> {
    fn text(&self, key: TextKey) -> Option<&str> {
        match key {
            TextKey::Name => self.name().map(AsRef::as_ref),
            TextKey::Site => Some(&self.world.site(self.seen.site).text),
            TextKey::Type => Some(self.site.type_name),
            TextKey::Span => self.extras().map(|extras| &*extras.span),
            TextKey::Thread => self.poll().map(|poll| &*poll.thread),
            TextKey::Runtime => self
                .world
                .runtime(self.seen.runtime)
                .map(|runtime| &*runtime.name),
        }
    }

    fn word(&self, key: WordKey) -> &str {
        match key {
            WordKey::State => match self.state() {
                TaskState::Running => "running",
                TaskState::Scheduled => "scheduled",
                TaskState::Idle => "idle",
                TaskState::Unpolled => "unpolled",
                TaskState::Done => "done",
            },
            WordKey::Kind => match self.seen.kind {
                TaskKind::Task => "task",
                TaskKind::Local => "local",
                TaskKind::Blocking => "blocking",
                TaskKind::BlockOn => "block_on",
                TaskKind::Request => "request",
                TaskKind::Foreign => "foreign",
            },
            WordKey::Outcome => match self.seen.outcome {
                Outcome::None => "none",
                Outcome::Ok => "ok",
                Outcome::Error => "error",
                Outcome::Panic => "panic",
                Outcome::Aborted => "aborted",
            },
            WordKey::Warned => self.warned().map_or("none", Severity::name),
        }
    }

    fn is_of_crate(&self, name: &str) -> bool {
        crates::is_same(crates::of(self.site.type_name, self.site.file), name)
    }

    fn has_label(&self, key: &str, value: Option<&str>) -> bool {
        self.extras().is_some_and(|extras| {
            extras.labels.iter().any(|(known, set)| {
                equals_folded(known, key) && value.is_none_or(|value| equals_folded(set, value))
            })
        })
    }

    fn number(&self, key: NumberKey) -> Option<u64> {
        let site = || self.world.site(self.seen.site);
        match key {
            NumberKey::Id => Some(self.seen.id),
            NumberKey::Thread => self.poll().map(|poll| poll.tid.into()),
            NumberKey::Runtime => Some(self.seen.runtime.into()),
            NumberKey::Parent => Some(self.seen.parent),
            NumberKey::Age => Some(self.age_ns()),
            NumberKey::Busy => self.busy_ns(),
            NumberKey::Max => self.max_poll_ns(),
            NumberKey::Current => self.current_ns(),
            NumberKey::Scheduled => self.scheduled_ns(),
            NumberKey::Idle => self.idle_ns(),
            NumberKey::Polls => Some(self.seen.polls()),
            NumberKey::Wakes => self.wakes(),
            NumberKey::SelfWakes => self.self_wakes(),
            NumberKey::Bytes => Some(self.site.future_bytes.into()),
            NumberKey::Live => Some(site().live),
            NumberKey::Spawned => Some(site().spawned),
            NumberKey::Ended => Some(site().ended),
        }
    }
}

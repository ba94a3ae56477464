//! What is told of a finding: a fixed-size event, rare, through the ring of the thread that made it.

use std::panic::Location;
use std::sync::Arc;

use crate::record::Record;
use crate::scope::Belongs;
use crate::sub::Sub;
use crate::thread::{Role, Thread};
use crate::{SiteId, StackId, names};

/// Families of findings that the hot path makes. The counters of a site are indexed by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Family {
    /// A tracked future was dropped before its first poll, and provably forgotten.
    NeverAwaited = 0,
    /// A poll reached the threshold.
    SlowPoll = 1,
    /// An `Err` was dropped that nobody had looked at.
    LeakedError = 2,
    /// A task panicked and nobody asked how it ended.
    LeakedPanic = 3,
    /// Something that belongs to one thread was used from another.
    WrongThread = 4,
    /// A poll took long, and stayed below the threshold.
    LongPoll = 5,
    /// A tracked future was dropped before its first poll, and may have had an owner that meant to poll it.
    Unpolled = 6,
    /// A runtime went away while a task was pending.
    PendingDestroyed = 7,
    /// A timer fired late.
    TimerLate = 8,
    /// A runtime was entered from inside a runtime.
    NestedRuntime = 9,
    /// A call that needs a runtime, outside of one.
    NoRuntime = 10,
    /// A resource was dropped without being closed.
    ResourceLeak = 11,
    /// A drop outside of any poll took long.
    SlowDrop = 12,
    /// A callback panicked.
    CallbackPanic = 13,
    /// A task panicked while its runtime shut down.
    ShutdownPanic = 14,
    /// Blocking work waits because the blocking pool is full.
    BlockingPoolFull = 15,
    /// A guard was held across an await.
    LockAcrossAwait = 16,
    /// As `PendingDestroyed`, and maybe what the program wants: it waits for its next piece of work.
    IdleDestroyed = 17,
    /// A socket in blocking mode was given to a runtime.
    BlockingSocket = 18,
    /// As `ResourceLeak`, and nothing was lost by it.
    IdleResource = 19,
    /// The addresses of a host took long to get.
    SlowLookup = 20,
}

impl Family {
    /// How many families there are.
    pub const COUNT: usize = 21;
}

/// One finding.
#[derive(Debug)]
pub struct Event {
    /// Ticks.
    pub at: u64,
    /// The site it is about: where the future, task or value was made.
    pub site: SiteId,
    /// The task it is about (leaked, slow) or in which it happened (never awaited, wrong thread); 0: none.
    pub task: u64,
    /// Name of that task; 0: none.
    pub task_name: u32,
    /// Backtrace of the creation; `NONE`: see the site's.
    pub created: StackId,
    /// Thread of the creation, where it is known to differ; 0: unknown.
    pub created_tid: u32,
    /// Who tells it; set where it is told.
    pub teller: Teller,
    /// Backtrace of the finding, taken where the event was made.
    pub observed: StackId,
    /// Place of the finding, where the compiler told it.
    pub place: Option<&'static Location<'static>>,
    /// What else there is.
    pub detail: Detail,
}

impl Event {
    /// Name of the task it is about.
    pub fn name(&self) -> Option<Arc<str>> {
        names::get(self.task_name)
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        names::release(self.task_name);
    }
}

/// The thread that told of a finding, as it was then: it may have ended, and another have its slot, before anybody
/// reads of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Teller {
    /// Its id in the system; 0: unknown.
    pub tid: u32,
    /// Its name; `None`: it has none, or it could not be had without waiting.
    pub name: Option<Arc<str>>,
    /// What it was for.
    pub role: Role,
    /// The test it worked for, where tests are told apart.
    pub belongs: Belongs,
}

impl Teller {
    /// Not known yet, of a finding about the task of `record`.
    pub(crate) fn about(record: &Record) -> Self {
        Self {
            belongs: Belongs {
                scope: 0,
                runtime: record.runtime(),
            },
            ..Self::default()
        }
    }

    /// Not known yet, of a finding about something that was made on another thread.
    pub(crate) fn made_on(maker: &Thread) -> Self {
        Self {
            belongs: crate::scope::of(maker, 0),
            ..Self::default()
        }
    }
}

/// What else there is to a finding. Boxed where it is large: rings hold events by value.
#[derive(Debug)]
pub enum Detail {
    /// A future that was never polled.
    Unpolled {
        /// Proved: made and dropped in one poll, with nothing polled between.
        definite: bool,
    },
    /// A poll that took long.
    Poll(Box<PollText>),
    /// A drop outside of any poll that took long: a poll without a number.
    Drop(Box<PollText>),
    /// An `Err` nobody saw.
    Error(Box<ErrorText>),
    /// A panic nobody saw.
    Panic(Box<PanicText>),
    /// The wrong thread.
    Thread(Box<ThreadText>),
    /// One of the families that are told in words.
    Note(Family, Box<NoteText>),
}

/// What is known of a long poll at its end.
#[derive(Clone, Copy, Debug, Default)]
pub struct PollText {
    /// How long it took, in nanoseconds.
    pub ns: u64,
    /// Which poll of its task, from 1.
    pub number: u64,
    /// CPU time of its thread at its end, since the thread began.
    pub cpu_ns: Option<u64>,
    /// The future within the task that accounts for it.
    pub sub: Option<Sub>,
}

/// What could be learnt of an error value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorText {
    /// Type name of the whole output.
    pub type_name: &'static str,
    /// Its Display text, cut at 1 KiB.
    pub display: Option<String>,
    /// Its Debug text, cut at 1 KiB.
    pub debug: Option<String>,
}

/// What could be learnt of a panic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PanicText {
    /// The message, where it is text; cut at 1 KiB.
    pub message: Option<String>,
    /// File, line and column, where our hook saw it.
    pub place: Option<(String, u32, u32)>,
    /// Backtrace of the panic.
    pub stack: StackId,
}

/// Which thread a thing belongs to, and what was done from another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ThreadText {
    /// Type name of the thing, or the name of the operation.
    pub what: String,
    /// What was done: touched, dropped, spawned.
    pub did: &'static str,
    /// The owner.
    pub owner_tid: u32,
    /// Name of the owner.
    pub owner_name: String,
}

/// What is told in words: of the rarer families, each uses what it needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NoteText {
    /// What it is about: a type, or the name of an operation; empty: see the site.
    pub what: String,
    /// What happened to it, as the end of "... was"; may be empty.
    pub did: &'static str,
    /// The message of a panic, cut at 1 KiB.
    pub message: Option<String>,
    /// Where in the source it happened, where that is no `Location` of the compiler's.
    pub place: Option<(String, u32, u32)>,
    /// Backtrace of what happened, where that was not here and now; else `NONE`.
    pub stack: StackId,
    /// How long it took, or how late it was, in nanoseconds.
    pub ns: Option<u64>,
    /// What that was held to, in nanoseconds.
    pub threshold_ns: Option<u64>,
    /// How many: polls the task had, tasks that wait.
    pub count: Option<u64>,
}

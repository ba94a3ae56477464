//! A finding as it is kept, shown and tested: one record per kind and site, with its two places.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use pollscope_capture::event::ErrorText;
use pollscope_capture::scope::Belongs;
use pollscope_capture::stack::Verdict;
use pollscope_capture::sub::Sub;
use pollscope_capture::{SiteId, TaskKind, site};
use pollscope_proto::kinds;

/// What kind of defect a finding is. Its name is the one of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A future was dropped before its first poll.
    NeverAwaited,
    /// A poll ran past the threshold, or still does.
    SlowPoll,
    /// A worker is held by something that is no task of ours.
    WorkerBlocked,
    /// An `Err` that nobody looked at.
    LeakedError,
    /// A panic that nobody looked at.
    LeakedPanic,
    /// A value was used from a thread that is not its own.
    WrongThread,
    /// A runtime went away while a task was pending.
    PendingDestroyed,
    /// A timer fired late.
    TimerLate,
    /// Woken tasks wait long for a worker, and no poll is slow.
    SchedDelay,
    /// A runtime was entered from inside a runtime.
    NestedRuntime,
    /// A call that needs a runtime, outside of one.
    NoRuntime,
    /// A resource was dropped without being closed.
    ResourceLeak,
    /// Tasks of a site outlive what is usual there, and become more.
    TaskLeak,
    /// A drop outside of any poll took long.
    SlowDrop,
    /// A callback panicked.
    CallbackPanic,
    /// A task panicked while its runtime shut down.
    ShutdownPanic,
    /// Blocking work waits because the blocking pool is full.
    BlockingPoolFull,
    /// A guard was held across an await.
    LockAcrossAwait,
    /// A socket in blocking mode was given to a runtime.
    BlockingSocket,
    /// The addresses of a host took long to get.
    SlowLookup,
}

impl Kind {
    /// Every kind, in the order of the contract.
    pub const ALL: &[Self] = &[
        Self::NeverAwaited,
        Self::SlowPoll,
        Self::WorkerBlocked,
        Self::LeakedError,
        Self::LeakedPanic,
        Self::WrongThread,
        Self::PendingDestroyed,
        Self::TimerLate,
        Self::SchedDelay,
        Self::NestedRuntime,
        Self::NoRuntime,
        Self::ResourceLeak,
        Self::TaskLeak,
        Self::SlowDrop,
        Self::CallbackPanic,
        Self::ShutdownPanic,
        Self::BlockingPoolFull,
        Self::LockAcrossAwait,
        Self::BlockingSocket,
        Self::SlowLookup,
    ];

    /// The kind of this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }

    /// Its name in reports and on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NeverAwaited => kinds::NEVER_AWAITED,
            Self::SlowPoll => kinds::SLOW_POLL,
            Self::WorkerBlocked => kinds::WORKER_BLOCKED,
            Self::LeakedError => kinds::LEAKED_ERROR,
            Self::LeakedPanic => kinds::LEAKED_PANIC,
            Self::WrongThread => kinds::WRONG_THREAD,
            Self::PendingDestroyed => kinds::PENDING_DESTROYED,
            Self::TimerLate => kinds::TIMER_LATE,
            Self::SchedDelay => kinds::SCHED_DELAY,
            Self::NestedRuntime => kinds::NESTED_RUNTIME,
            Self::NoRuntime => kinds::NO_RUNTIME,
            Self::ResourceLeak => kinds::RESOURCE_LEAK,
            Self::TaskLeak => kinds::TASK_LEAK,
            Self::SlowDrop => kinds::SLOW_DROP,
            Self::CallbackPanic => kinds::CALLBACK_PANIC,
            Self::ShutdownPanic => kinds::SHUTDOWN_PANIC,
            Self::BlockingPoolFull => kinds::BLOCKING_POOL_FULL,
            Self::LockAcrossAwait => kinds::LOCK_ACROSS_AWAIT,
            Self::BlockingSocket => kinds::BLOCKING_SOCKET,
            Self::SlowLookup => kinds::SLOW_LOOKUP,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Of interest to screens; never logged.
    Info,
    /// A defect.
    Warn,
    /// A defect that hurts now, or lost something.
    Error,
}

impl Severity {
    /// One lowercase word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Certainty {
    /// It may have an innocent reason.
    Likely,
    /// There is proof.
    Definite,
}

impl Certainty {
    /// One lowercase word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Likely => "likely",
            Self::Definite => "definite",
        }
    }
}

/// A place in the source.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Source {
    /// The spawn site it is; `SiteId::OTHER` where it is none.
    pub id: SiteId,
    /// Path as the compiler saw it; empty where it is not known.
    pub file: Cow<'static, str>,
    /// From 1; 0 where it is not known.
    pub line: u32,
    /// From 1; 0 where it is not known.
    pub column: u32,
    /// Type name of what was made there, or name of the function.
    pub type_name: Cow<'static, str>,
    /// What is made there.
    pub kind: TaskKind,
}

impl Source {
    /// The place of a spawn site.
    pub(crate) fn of_site(id: SiteId) -> Self {
        let site = site::get(id);
        Self {
            id: site.id,
            file: Cow::Borrowed(site.file),
            line: site.line,
            column: site.column,
            type_name: Cow::Borrowed(site.type_name),
            kind: site.kind,
        }
    }

    /// The place of a future within a task.
    pub(crate) fn of_sub(sub: Sub) -> Self {
        match sub {
            Sub::Tracked(id) => Self::of_site(id),
            Sub::Branch(at, type_name) => Self {
                type_name: Cow::Borrowed(type_name()),
                ..Self::at(at.file(), at.line(), at.column())
            },
        }
    }

    /// A place that is no spawn site.
    pub(crate) fn at(file: impl Into<Cow<'static, str>>, line: u32, column: u32) -> Self {
        Self {
            id: SiteId::OTHER,
            file: file.into(),
            line,
            column,
            type_name: Cow::Borrowed(""),
            kind: TaskKind::Task,
        }
    }
}

impl fmt::Display for Source {
    /// `file:line:column`, as compilers write it, or what else is known.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&*self.file, self.line, self.column) {
            ("", _, _) if self.type_name.is_empty() => f.write_str("an unknown place"),
            ("", _, _) => f.write_str(&self.type_name),
            (file, 0, _) => f.write_str(file),
            (file, line, 0) => write!(f, "{file}:{line}"),
            (file, line, column) => write!(f, "{file}:{line}:{column}"),
        }
    }
}

/// A thread, by its id in the system and its name at the time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ThreadName {
    /// 0: not known.
    pub tid: u32,
    /// May be empty.
    pub name: Arc<str>,
}

/// Where something was made, or where it went wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// In the source, where the compiler or the symbols told.
    pub source: Option<Source>,
    /// On which thread.
    pub thread: Option<ThreadName>,
    /// Addresses inside the call instructions, innermost first; empty: none was taken.
    pub stack: Arc<[usize]>,
    /// The stack is another task's of the same site: this one took none.
    pub exemplar: bool,
    /// The stack has more frames than were kept.
    pub truncated: bool,
}

/// Whom a stuck poll keeps waiting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delayed {
    /// Tasks of the same runtime that were woken and not polled yet.
    pub tasks: u64,
    /// The longest of their waits, in nanoseconds.
    pub max_ns: u64,
}

/// One record of the table: all findings of one kind at one site.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Stable for the life of the process.
    pub id: u32,
    /// What it is.
    pub kind: Kind,
    /// The worst so far.
    pub severity: Severity,
    /// The surest so far.
    pub certainty: Certainty,
    /// The poll of the example still runs.
    pub live: bool,
    /// How often; exact, also where examples were dropped.
    pub count: u64,
    /// Monotonic nanoseconds of the first.
    pub first_ns: u64,
    /// Monotonic nanoseconds of the last.
    pub last_ns: u64,
    /// One line in English.
    pub message: String,
    /// Where the task, future or value was made; of a blocked worker the user's line, where symbols told.
    pub site: Source,
    /// Our id of the task of the example; 0: none.
    pub task: u64,
    /// Its name.
    pub task_name: Option<Arc<str>>,
    /// Where it began.
    pub created: Place,
    /// Where it went wrong.
    pub observed: Place,
    /// What a stuck thread was doing.
    pub verdict: Option<Verdict>,
    /// How long the poll took, or has taken at least.
    pub wall_ns: Option<u64>,
    /// `wall_ns` is what it took at least: it lasts, or nobody timed its end.
    pub at_least: bool,
    /// CPU time of the thread in that poll, as far as it was watched.
    pub cpu_ns: Option<u64>,
    /// The threshold it was held to.
    pub threshold_ns: Option<u64>,
    /// Which poll of its task, from 1.
    pub poll: Option<u64>,
    /// The future within the task that accounts for the poll, where it is known.
    pub sub_future: Option<Source>,
    /// Whom it keeps, or kept, waiting.
    pub delayed: Option<Delayed>,
    /// What was lost.
    pub error: Option<ErrorText>,
    /// Message of the panic, where our hook saw it.
    pub panic: Option<String>,
    /// What was used from the wrong thread: a type, or an operation.
    pub subject: Option<String>,
    /// What was done to it: touched, dropped, spawned.
    pub did: Option<&'static str>,
    /// How many: polls that the task had, tasks that wait.
    pub number: Option<u64>,
    /// Of how many.
    pub of: Option<u64>,
    /// The longest of all that were counted, in nanoseconds.
    pub worst_ns: Option<u64>,
    /// Different tasks, as far as they were told apart (256).
    pub tasks: u64,
    /// The test that the example belongs to, where tests are told apart.
    pub belongs: Belongs,
}

impl Finding {
    /// An empty record of a kind at a site, first seen at `now`.
    pub(crate) fn new(kind: Kind, site: Source, now: u64) -> Self {
        Self {
            id: 0,
            kind,
            severity: Severity::Info,
            certainty: Certainty::Likely,
            live: false,
            count: 0,
            first_ns: now,
            last_ns: now,
            message: String::new(),
            site,
            task: 0,
            task_name: None,
            created: Place::default(),
            observed: Place::default(),
            verdict: None,
            wall_ns: None,
            at_least: false,
            cpu_ns: None,
            threshold_ns: None,
            poll: None,
            sub_future: None,
            delayed: None,
            error: None,
            panic: None,
            subject: None,
            did: None,
            number: None,
            of: None,
            worst_ns: None,
            tasks: 0,
            belongs: Belongs::default(),
        }
    }
}

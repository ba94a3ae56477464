//! The plain data of a live capture: what was asked for, what was found, why not.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use super::verdict::Sample;

/// The most frames a live stack keeps. Deeper ones are walked to their root, the outer frames are not kept.
pub const LIVE_FRAMES: usize = 64;

/// Two numbers a thread publishes about itself: which poll it is in and whose.
///
/// Their meaning is the caller's. `seq` must change with every poll and never come back to an old value: it is
/// what tells a stack taken inside one poll from one taken across two.
#[derive(Clone, Copy, Debug)]
pub struct Marks {
    /// Changes at every start and end of a poll.
    pub seq: &'static AtomicU64,
    /// Names the task; zero for none.
    pub task: &'static AtomicU64,
}

impl Marks {
    /// Marks of a thread that publishes nothing.
    pub fn none() -> Self {
        static ZERO: AtomicU64 = AtomicU64::new(0);
        Self {
            seq: &ZERO,
            task: &ZERO,
        }
    }

    /// Both values now.
    pub fn values(&self) -> MarkValues {
        MarkValues {
            seq: self.seq.load(Ordering::Acquire),
            task: self.task.load(Ordering::Acquire),
        }
    }
}

/// The [`Marks`] of the thread at the moment its stack was taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MarkValues {
    /// The poll.
    pub seq: u64,
    /// The task.
    pub task: u64,
}

/// How a stack was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// Read from outside while the thread slept in the kernel. The thread never noticed.
    Peek,
    /// Copied by a signal handler on the thread, which was on a CPU.
    Signal,
    /// Walked by the thread itself: the one that asked.
    Own,
}

impl Method {
    /// One lowercase word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Peek => "peek",
            Self::Signal => "signal",
            Self::Own => "own",
        }
    }
}

/// Where the walk stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// At the frame the thread started in: the stack is whole.
    Root,
    /// There is more, but the copy or the budget ended. What is there is right.
    Cut,
    /// At code without unwind tables (JIT, hand-written assembly). What is there is right.
    Lost,
}

/// The stack of another thread at one moment.
#[derive(Clone, Debug)]
pub struct LiveStack {
    pub(super) frames: [usize; LIVE_FRAMES],
    pub(super) len: usize,
    /// How many frames the walk saw, kept or not.
    pub depth: usize,
    /// Where the walk stopped.
    pub end: End,
    /// How it was taken.
    pub method: Method,
    /// Which poll it belongs to. By signal: read on the thread itself, in the handler.
    pub marks: MarkValues,
    /// The thread's scheduler state just before.
    pub sample: Sample,
}

impl LiveStack {
    /// The frames, innermost first.
    pub fn frames(&self) -> &[usize] {
        &self.frames[..self.len]
    }
}

/// Why there is no stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Missed {
    /// The thread moved on while it was looked at. Ask again if it still matters.
    Changed,
    /// The thread has ended.
    Gone,
    /// It sleeps in the kernel and the peek is off or not possible here; a signal would cut its system call
    /// short, so none was sent.
    Asleep,
    /// It runs, and signals are off or not possible here.
    Running,
    /// It did not take the signal in time: it blocks it, or got no CPU.
    Silent,
    /// Its stack could be read but no walk of it ended where the thread began.
    NoRoot,
    /// It runs on a stack that is not the thread's own (a fibre).
    ForeignStack,
    /// This platform has no live stacks, or `init` was not called.
    Unavailable,
}

impl fmt::Display for Missed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Changed => "the thread moved on while it was looked at",
            Self::Gone => "the thread has ended",
            Self::Asleep => "asleep in the kernel, and its stack cannot be read from outside here",
            Self::Running => "running, and signals are off or not possible here",
            Self::Silent => "the thread did not take the signal in time",
            Self::NoRoot => "no walk of the stack ended where the thread began",
            Self::ForeignStack => "the thread runs on a stack that is not its own",
            Self::Unavailable => "live stacks are not available on this platform",
        })
    }
}

impl std::error::Error for Missed {}

/// Which ways of taking a live stack may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Read stacks of sleeping threads from outside.
    pub peek: bool,
    /// Signal threads that run.
    pub signal: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            peek: true,
            signal: true,
        }
    }
}

/// What the self-test found to work.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// Stacks of sleeping threads.
    pub peek: bool,
    /// Stacks of running threads.
    pub signal: bool,
    /// One sentence for each that does not work; empty if both do.
    pub why_not: String,
}

/// One thread in a dump of all of them.
#[derive(Clone, Debug)]
pub struct ThreadDump {
    /// The kernel's thread id.
    pub tid: i32,
    /// The name it gave itself, at most 15 bytes.
    pub name: String,
    /// Its scheduler state.
    pub sample: Sample,
    /// Its stack, or why there is none.
    pub stack: Result<LiveStack, Missed>,
    /// Whether it had opened a [`ThreadHandle`](super::ThreadHandle). For one that had not, the root is judged
    /// by the roots of those that had.
    pub registered: bool,
}

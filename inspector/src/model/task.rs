//! Tasks.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::format;

use super::{Distribution, Place, Severity, Site, ThreadRef, Verdict};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskKind {
    #[default]
    Task,
    Local,
    Blocking,
    BlockOn,
    Request,
    Foreign,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskState {
    Running,
    Scheduled,
    #[default]
    Idle,
    Unpolled,
    Done,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Ok,
    Error,
    Panic,
    Aborted,
}

/// Who aborted a task.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Aborter {
    /// Where; `file` is empty where it is not known.
    pub site: Site,
    /// The task that asked for it.
    pub task: Option<u64>,
    pub thread: Option<ThreadRef>,
}

impl fmt::Display for Aborter {
    /// `task 3 at src/a.rs:8`, as far as it is known.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.task, &self.thread) {
            (Some(task), _) => write!(f, "task {task}")?,
            (None, Some(thread)) => write!(f, "thread {}", thread.name)?,
            (None, None) => f.write_str("something outside")?,
        }
        match self.site.short() {
            site if site.is_empty() => Ok(()),
            site => write!(f, " at {site}"),
        }
    }
}

/// One task, as the target sees it now.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Task {
    pub id: u64,
    pub tokio_id: String,
    pub runtime: u32,
    /// Empty where the task has none: screens then show the site.
    pub name: String,
    #[serde(rename = "type")]
    pub type_name: String,
    /// The crate it is of, as code writes it; empty where it is not known.
    #[serde(rename = "crate")]
    pub crate_name: String,
    pub kind: TaskKind,
    pub state: TaskState,
    pub outcome: Option<Outcome>,
    pub site: Site,
    pub parent: Option<u64>,
    pub age_ns: u64,
    pub future_bytes: u64,
    pub polls: u64,
    pub wakes: Option<u64>,
    pub self_wakes: Option<u64>,
    pub busy_ns: Option<u64>,
    pub scheduled_ns: Option<u64>,
    pub idle_ns: Option<u64>,
    pub max_poll_ns: Option<u64>,
    /// Who asked for its abort, where that was by its own handle.
    pub aborted_by: Option<Aborter>,
    /// The task that woke it last.
    pub last_waker_task: Option<u64>,
    /// The thread that woke it last, where no task did.
    pub last_waker_tid: Option<u32>,
    /// How long ago it failed, where its handle is held and nobody has asked it yet.
    pub unread_ns: Option<u64>,
    pub span: String,
    pub labels: BTreeMap<String, String>,
    /// How long the poll that runs now has run at least.
    #[serde(skip)]
    pub current_poll_ns: Option<u64>,
    /// The thread that polls it now; 0: none.
    #[serde(skip)]
    pub tid: u32,
    #[serde(skip)]
    pub warned: Option<Severity>,
}

impl Task {
    /// As a screen names it: its name, else where it was spawned, else its type.
    pub fn title(&self) -> String {
        if !self.name.is_empty() {
            return self.name.clone();
        }
        let site = self.site.short();
        if site.is_empty() {
            self.type_name.clone()
        } else {
            site
        }
    }

    /// Its labels as the program wrote them: `order=42`, or the key alone.
    pub fn labels(&self) -> impl Iterator<Item = String> {
        self.labels.iter().map(|(key, value)| match &**value {
            "" => key.clone(),
            value => format!("{key}={value}"),
        })
    }

    /// What is wrong with a task that failed and whose handle nobody has asked yet, in words.
    pub fn unread(&self) -> Option<String> {
        let ns = self.unread_ns?;
        let how = match self.outcome {
            Some(Outcome::Panic) => "ended by a panic",
            _ => "ended with an error",
        };
        Some(format!("{how}; unread for {}", format::duration(ns)))
    }
}

/// What the target tells of one task when asked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TaskDetail {
    pub task: Task,
    pub parent: Option<Task>,
    pub created: Place,
    /// The stack of the poll that runs now, and why it takes so long.
    pub now: Option<Place>,
    pub verdict: Option<Verdict>,
    pub wakers: Option<WakerFigures>,
    /// Nanoseconds since the last wake.
    pub since_wake_ns: Option<u64>,
    pub last_waker: Option<Waker>,
    /// `held`, `read` or `dropped`.
    pub handle: String,
    /// Poll times of the task's site.
    pub site_poll_ns: Option<Distribution>,
    /// Ids of the warnings on this task.
    pub warnings: Vec<u32>,
}

/// Wakers of a task, over its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WakerFigures {
    pub clones: u64,
    pub drops: u64,
}

/// Who woke a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Waker {
    Task(u64),
    /// It polled no task: a thread of the program's own, or one that drives timers and I/O.
    Thread(ThreadRef),
}

//! Threads of the target.

use serde::Serialize;

use super::{Place, TaskRef, Verdict};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct ThreadRef {
    pub tid: u32,
    pub name: String,
}

/// One thread, as the target sees it now.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Thread {
    pub tid: u32,
    pub name: String,
    pub runtime: Option<u32>,
    /// `worker`, `blocking`, `local`, `other`; `ours` for pollscope's own.
    pub role: String,
    pub busy_ratio: Option<f64>,
    pub current_task: Option<u64>,
    pub current_poll_ns: u64,
    #[serde(skip)]
    pub polls: u64,
    /// One value a second, oldest first: busy in thousandths.
    #[serde(skip)]
    pub history_busy_permille: Vec<u32>,
    /// What it does now: `parked`, `polling`, `blocking`, `sleeping`, `running`.
    #[serde(skip)]
    pub now: String,
}

/// One thread's stack, out of a dump.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ThreadStack {
    pub thread: ThreadRef,
    pub role: String,
    pub task: Option<TaskRef>,
    pub poll_ns: Option<u64>,
    /// The task's spawn site and the frames.
    pub place: Place,
    pub verdict: Option<Verdict>,
    /// Why there is no stack; empty where there is one.
    pub missing: String,
}

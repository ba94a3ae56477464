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

/// What waits for a lock is in one of these; what merely rests in one of those.
const LOCKS: &[&str] = &[
    "_contended",
    "lock_slow",
    "Mutex::lock",
    ">::lock",
    "mutex_lock",
    "lll_lock",
    "pthread_rwlock_",
];
const RESTS: &[&str] = &[
    "Parker::park",
    "Inner::park",
    "thread::park",
    "Thread::park",
    "thread_park",
    "Condvar::wait",
    "condvar::futex",
    "pthread_cond_",
    "mio::poll::Poll::poll",
];

impl ThreadStack {
    /// Tells a thread that rests from one that a lock holds: in the kernel both wait on a futex, and only their frames
    /// tell them apart. Of a thread in a poll nothing is changed: a poll that waits is held up, by whatever it is.
    pub fn tell_rest(&mut self) {
        let Some(verdict) = &mut self.verdict else {
            return;
        };
        if self.poll_ns.is_some() || !matches!(verdict.state.as_str(), "lock" | "syscall") {
            return;
        }
        let has = |words: &[&str], function: &str| words.iter().any(|word| function.contains(word));
        let frames = self.place.backtrace.iter().map(|frame| &*frame.function);
        let innermost = frames.clone().find_map(|function| {
            if has(RESTS, function) {
                Some("parked")
            } else {
                has(LOCKS, function).then_some("lock")
            }
        });
        match (innermost, verdict.state.as_str()) {
            (Some("parked"), _) => "parked".clone_into(&mut verdict.state),
            // A futex and no more is known.
            (None, "lock") => "syscall".clone_into(&mut verdict.state),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Frame;

    fn told(state: &str, poll_ns: Option<u64>, functions: &[&str]) -> String {
        let frame = |function: &&str| Frame {
            function: (*function).to_owned(),
            ..Frame::default()
        };
        let mut thread = ThreadStack {
            poll_ns,
            verdict: Some(Verdict {
                state: state.to_owned(),
                syscall: Some("futex".to_owned()),
            }),
            ..ThreadStack::default()
        };
        thread.place.backtrace = functions.iter().map(frame).collect();
        thread.tell_rest();
        thread.verdict.map(|verdict| verdict.state).unwrap()
    }

    const WORKER: &[&str] = &[
        "syscall",
        "std::sys::sync::condvar::futex::Condvar::wait_optional_timeout",
        "tokio::runtime::park::Inner::park",
        "tokio::runtime::scheduler::multi_thread::worker::Context::park",
    ];
    const LOCKED: &[&str] = &[
        "syscall",
        "std::sys::sync::mutex::futex::Mutex::lock_contended",
        "app::refill",
        "std::thread::park",
    ];

    #[test]
    fn a_thread_that_rests_waits_for_no_lock() {
        assert_eq!(told("lock", None, WORKER), "parked");
        let driver = ["epoll_wait", "mio::poll::Poll::poll"];
        assert_eq!(told("syscall", None, &driver), "parked");
        assert_eq!(told("lock", None, &["", ""]), "syscall", "nothing is known");
    }

    #[test]
    fn a_lock_stays_one() {
        assert_eq!(told("lock", None, LOCKED), "lock", "the innermost counts");
        assert_eq!(told("lock", Some(5), WORKER), "lock", "within a poll");
        assert_eq!(told("on_cpu", None, WORKER), "on_cpu");
        assert_eq!(told("syscall", None, &["read", "app::main"]), "syscall");
    }
}

//! What each kind of warning means, in words: its title, its two places, and the likely fix.

use super::WarningKind;

/// The words for one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words {
    pub title: &'static str,
    /// What happened at the first place, and at the second.
    pub created: &'static str,
    pub observed: &'static str,
    pub meaning: &'static str,
    pub fix: &'static str,
}

const fn words(
    title: &'static str,
    created: &'static str,
    observed: &'static str,
    meaning: &'static str,
    fix: &'static str,
) -> Words {
    Words {
        title,
        created,
        observed,
        meaning,
        fix,
    }
}

/// For kinds of a newer target.
const UNKNOWN: Words = words(
    "",
    "Began here",
    "Seen here",
    "This version of the inspector does not know the kind.",
    "Update pollscope to the version of the target.",
);

#[rustfmt::skip]
const KNOWN: &[(&str, Words)] = &[
    ("never_awaited", words("never awaited", "Created here", "Dropped here, never polled",
        "The call made a future and nothing awaited it, so its body never ran.",
        "Add .await, or hand the future to spawn().")),
    ("slow_poll", words("slow poll", "Spawned here", "Blocked here",
        "One poll kept its worker thread for longer than the threshold: no other task ran on it meanwhile.",
        "Use the async form of the call, move it to spawn_blocking(), or yield between pieces of work.")),
    ("worker_blocked", words("worker blocked", "Worker started here", "Blocked here",
        "A worker sleeps in the kernel under code that pollscope did not spawn.",
        "Look at the stack for the blocking call, and move it to spawn_blocking().")),
    ("leaked_error", words("leaked error", "Spawned here", "Dropped here, unread",
        "The task returned Err and nobody looked at it: the failure is lost.",
        "Await the JoinHandle and handle the error, or log it inside the task.")),
    ("leaked_panic", words("leaked panic", "Spawned here", "Panicked here",
        "The task panicked and nobody awaited its JoinHandle: the rest of the program does not know.",
        "Await the JoinHandle and look at the JoinError.")),
    ("wrong_thread", words("wrong thread", "Owner took it here", "Touched here",
        "A value that belongs to one thread was used from another. The call was refused; nothing was changed.",
        "Send a message to the owner, or keep the value behind Send + Sync types.")),
    ("pending_destroyed", words("pending destroyed", "Spawned here", "Runtime dropped here",
        "The runtime went away while the task was still pending: the rest of its body will not run.",
        "Await the task, or shut it down, before the runtime is dropped.")),
    ("timer_late", words("timer late", "Timer set here", "Fired here",
        "Timers fire later than asked: the worker that drives them is busy.",
        "Look for a slow poll at the same time.")),
    ("sched_delay", words("scheduling delay", "Spawned here", "Woken here",
        "Woken tasks wait long for a worker.",
        "Look for slow polls; else give the runtime more workers.")),
    ("lost_waker", words("lost waker", "Spawned here", "Last polled here",
        "The task is pending and no waker of it exists: nothing can wake it.",
        "A hand-written future returned Pending without keeping the waker.")),
    ("self_wakes", words("self wakes", "Spawned here", "Wakes itself here",
        "The task wakes itself over and over: it spins instead of waiting.",
        "Wait for what it polls for: a channel, a Notify, a timer.")),
    ("wake_storm", words("wake storm", "Spawned here", "Woken here",
        "The task is woken far more often than it gets anything done.",
        "Wake once per batch, or wait on fewer sources.")),
    ("nested_runtime", words("nested runtime", "Outer runtime entered here", "Inner runtime entered here",
        "A runtime was entered from inside a runtime.",
        "Await instead of block_on(), or use spawn_blocking().")),
    ("no_runtime", words("no runtime", "Created here", "Called here",
        "The call needs a runtime and there is none on this thread.",
        "Enter one: Handle::enter(), or call it from a task.")),
    ("resource_leak", words("resource leak", "Opened here", "Dropped here, not closed",
        "A resource was dropped without being closed.",
        "Close or shut it down, and await that.")),
    ("task_leak", words("task leak", "Spawned here", "Still alive, last parked here",
        "This spawn site keeps making tasks that never end: memory grows with them.",
        "Give the tasks an end: a timeout, a cancellation token, or a closed channel.")),
    ("large_future", words("large future", "Spawned here", "Grown here",
        "The future is unusually large: each spawn copies and keeps it.",
        "Box large parts, or do not hold big buffers across an await.")),
    ("slow_drop", words("slow drop", "Spawned here", "Dropped here",
        "Dropping the task's values kept its worker for longer than the threshold.",
        "Move the drop to spawn_blocking().")),
    ("callback_panic", words("callback panic", "Registered here", "Panicked here",
        "A callback panicked.",
        "Handle the failure inside of the callback.")),
    ("shutdown_panic", words("shutdown panic", "Spawned here", "Panicked here",
        "A task panicked while the runtime shut down.",
        "Check what its destructors assume of the runtime.")),
    ("blocking_pool_full", words("blocking pool full", "Spawned here", "Waiting here",
        "Blocking work waits because all threads of the blocking pool are taken.",
        "Bound the work with a semaphore, or raise max_blocking_threads.")),
    ("lock_across_await", words("lock across await", "Spawned here", "Held across this await",
        "A lock of the standard library is held while the task waits.",
        "Drop the guard before the await, or use tokio::sync::Mutex.")),
    ("deadlock", words("deadlock", "Spawned here", "Waits here",
        "Tasks wait for each other in a circle.",
        "Take locks in one order, or do not hold one while waiting for the other.")),
    ("dead_wait", words("dead wait", "Spawned here", "Waits here",
        "The task waits for something that can no longer happen.",
        "Keep the other end alive, or handle its being closed.")),
];

impl WarningKind {
    /// What it means, and what to do.
    pub fn words(&self) -> &'static Words {
        KNOWN
            .iter()
            .find(|(kind, _)| *kind == self.as_str())
            .map_or(&UNKNOWN, |(_, words)| words)
    }

    /// As screens name it: `slow poll`.
    pub fn title(&self) -> String {
        match self.words().title {
            "" => self.as_str().replace('_', " "),
            title => title.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_the_contract_has_words() {
        let known: Vec<&str> = KNOWN.iter().map(|(kind, _)| *kind).collect();
        assert_eq!(known, pollscope_proto::kinds::ALL);
    }

    #[test]
    fn an_unknown_kind_is_shown_as_its_text() {
        let kind = WarningKind("brand_new".to_owned());
        assert_eq!(kind.title(), "brand new");
        assert_eq!(kind.words(), &UNKNOWN);
    }
}

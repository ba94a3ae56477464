//! The kinds of warning that this version knows, by the names of the contract.
//!
//! A newer target may send others: they are shown as text, never refused.

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        $($(#[$doc])* pub const $name: &str = $text;)*

        /// Every kind this version knows, in the order of the contract.
        pub const ALL: &[&str] = &[$($name),*];
    };
}

kinds! {
    /// A future or a task was dropped before its first poll.
    NEVER_AWAITED = "never_awaited";
    /// A poll ran past the threshold, or still does.
    SLOW_POLL = "slow_poll";
    /// A worker is held by something that is no task of ours.
    WORKER_BLOCKED = "worker_blocked";
    /// An `Err` that nobody looked at.
    LEAKED_ERROR = "leaked_error";
    /// A panic that nobody looked at.
    LEAKED_PANIC = "leaked_panic";
    /// A value or an event loop was used from a thread that is not its own.
    WRONG_THREAD = "wrong_thread";
    /// A runtime went away while a task was pending.
    PENDING_DESTROYED = "pending_destroyed";
    /// Timers fire late.
    TIMER_LATE = "timer_late";
    /// Woken tasks wait long for a worker.
    SCHED_DELAY = "sched_delay";
    /// A pending task that nothing can wake.
    LOST_WAKER = "lost_waker";
    /// A task that wakes itself over and over.
    SELF_WAKES = "self_wakes";
    /// A task that is woken far more often than it advances.
    WAKE_STORM = "wake_storm";
    /// A runtime entered from inside a runtime.
    NESTED_RUNTIME = "nested_runtime";
    /// A call that needs a runtime, outside of one.
    NO_RUNTIME = "no_runtime";
    /// A resource that was never closed.
    RESOURCE_LEAK = "resource_leak";
    /// A spawn site whose tasks never end.
    TASK_LEAK = "task_leak";
    /// A future of unusual size.
    LARGE_FUTURE = "large_future";
    /// A drop that held a worker.
    SLOW_DROP = "slow_drop";
    /// A callback that panicked.
    CALLBACK_PANIC = "callback_panic";
    /// A panic while the runtime shut down.
    SHUTDOWN_PANIC = "shutdown_panic";
    /// Blocking work waits because the blocking pool is full.
    BLOCKING_POOL_FULL = "blocking_pool_full";
    /// A lock of the standard library held across an await.
    LOCK_ACROSS_AWAIT = "lock_across_await";
    /// Tasks that wait for each other in a circle.
    DEADLOCK = "deadlock";
    /// A task that waits for something that can no longer happen.
    DEAD_WAIT = "dead_wait";
    /// A socket in blocking mode given to a runtime.
    BLOCKING_SOCKET = "blocking_socket";
    /// The addresses of a host took long to get.
    SLOW_LOOKUP = "slow_lookup";
}

/// Whether this version knows the kind.
pub fn is_known(kind: &str) -> bool {
    ALL.contains(&kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_distinct_snake_case() {
        for (at, kind) in ALL.iter().enumerate() {
            assert!(
                kind.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'),
                "{kind}"
            );
            assert!(!ALL[..at].contains(kind), "{kind} is there twice");
        }
        assert_eq!(
            ALL.len(),
            26,
            "as many as the contract lists, and two that were added"
        );
        assert!(is_known("slow_poll"));
        assert!(!is_known("Slow_poll"));
    }
}

//! Threads that are held, and what comes late because of it.

use pollscope_proto::kinds;

use super::Words;

pub(super) const ALL: &[Words] = &[
    Words {
        kind: kinds::SLOW_POLL,
        title: "slow poll",
        created: "Spawned here",
        observed: "Blocked here",
        meaning: "One poll kept its worker thread for longer than the threshold: no other task ran on it meanwhile.",
        fix: "Use the async form of the call, move it to spawn_blocking(), or yield between pieces of work.",
        about: "\
A task gives its thread back only at an `.await` that has to wait. Until then no other task runs on
that thread, no timer of it fires and no socket of it is read. From 10 ms on it is a note, from the
threshold (100 ms unless set) a warning, from 1 s an error. A poll that still runs is marked live.",
        places: "\
created: where the task was spawned.
observed: the stack of the thread while it was stuck; your own frame is the line to look at.
The verdict says what it did there: on the CPU, in a system call, waiting for a lock, stopped by a
signal or a debugger, ready but not given a CPU, throttled by its cgroup, waiting for a thread that was.",
        remedy: "\
Sleeping: `tokio::time::sleep`. Files, DNS, C libraries: the async form, or `spawn_blocking`.
Long computation: `spawn_blocking`, or `tokio::task::yield_now().await` between pieces of it.
A lock: hold it for less, or use `tokio::sync::Mutex` where it is held across an `.await`.",
        silence: "\
Raise the threshold: `#[pollscope::main(slow_poll = \"250ms\")]`, or `pollscope set PID slow_poll=250ms`.
Work inside `tokio::task::block_in_place` is allowed to block and is not reported.",
        residue: "\
A machine without free CPUs delays every poll: the verdict then says `descheduled` or `throttled`, or
`lock_starved` where the poll waits for a lock and another thread of the process, who may hold it, got no CPU.
Such a poll is a note, never a warning.
A process that was stopped and continued shows its pause once, with the verdict `stopped`.
A panic that prints its backtrace (`RUST_BACKTRACE`) is in the poll: in a debug build that takes a tenth of a
second, and the poll is slow, whoever catches the panic.",
    },
    Words {
        kind: kinds::WORKER_BLOCKED,
        title: "worker blocked",
        created: "Worker started here",
        observed: "Blocked here",
        meaning: "A worker sleeps in the kernel under code that pollscope did not spawn.",
        fix: "Look at the stack for the blocking call, and move it to spawn_blocking().",
        about: "\
A library spawned the task with plain `tokio::spawn`, or it is the future of `block_on`: there is no task
of ours to name. The worker is not parked, and has slept in the kernel past the threshold. What that
costs is the same as with slow_poll.",
        places: "\
created: empty, for nobody saw it.
observed: the stack of the thread while it was stuck.",
        remedy: "\
The first frame of your own code, or of the library, is the line to look at; then as with slow_poll.",
        silence: "\
Raise the threshold, as with slow_poll. Move the call to `spawn_blocking`.",
        residue: "\
Of such a worker that runs on the CPU nothing is claimed: it may be many short polls.
Without names a `block_in_place` of a dependency looks the same: it is a note, unless tasks of the same runtime
wait for as long as the threshold.",
    },
    Words {
        kind: kinds::SLOW_DROP,
        title: "slow drop",
        created: "Spawned here",
        observed: "Dropped here",
        meaning: "Dropping the task's values kept its worker for longer than the threshold.",
        fix: "Move the drop to spawn_blocking().",
        about: "\
A destructor that joins a thread, flushes a file or frees a large structure holds its thread as a slow poll
does. Here that happened outside of any poll: at an abort, a shutdown, or with the output of a task.",
        places: "\
created: where the task was spawned.
observed: the stack of the thread while it was in the drop.",
        remedy: "\
Close it by an async method before it is dropped, or send it to a thread that may wait.",
        silence: "\
Raise slow_poll's threshold, which holds for drops, too.",
        residue: "\
As with slow_poll: a machine without free CPUs. Drops within a poll are part of that poll.",
    },
    Words {
        kind: kinds::TIMER_LATE,
        title: "timer late",
        created: "Timer set here",
        observed: "Fired here",
        meaning: "Timers fire later than asked: the worker that drives them is busy.",
        fix: "Look for a slow poll at the same time.",
        about: "\
A timer is looked at by the thread that drives it. While a poll holds that thread, timers that are due wait,
and all that is paced by them comes late: heartbeats, timeouts, rate limits.",
        places: "\
created: the line that made the timer, with sleep, timeout or interval of pollscope::time.
observed: the thread that polled it when it was due at last.",
        remedy: "\
The slow_poll, slow_drop or worker_blocked of the same moment is the cause: mend that.",
        silence: "\
Mend or allow what holds the worker (`pollscope::task::block_in_place`), raise slow_poll's threshold, or make
that timer with tokio::time, which is not watched.",
        residue: "\
A machine without free CPUs delays timers as well, and so does a process that was stopped.
A program that is idle is never late: nothing holds its worker.",
    },
    Words {
        kind: kinds::SCHED_DELAY,
        title: "scheduling delay",
        created: "Spawned here",
        observed: "Woken here",
        meaning: "Tasks that could run wait long for their turn, and no poll is slow: all of them together are.",
        fix: "Give the runtime more workers, or less to do at a time.",
        about: "\
From its wake, or its spawn, to its poll a task waits for a worker. Where that takes as long as the threshold
of slow_poll, while every worker of the runtime goes from one short poll to the next, there is more to poll
than workers. Seen at level debug. The columns `scheduled` show the time of each task and site.",
        places: "\
created: where the task was spawned that waits longest; how many wait beside it is in `delayed`.
observed: empty, for no single place is to blame. Sort sites by busy time to see who has the workers.",
        remedy: "\
With workers near 100 % and no slow poll there is simply too much work: spread it, or shed load.",
        silence: "\
Raise the threshold of slow_poll, which holds for this, too.",
        residue: "\
None of a machine without free CPUs: where a worker waits for one for a quarter of the time, nothing is said.
Of a runtime that our Builder did not make, and of a LocalSet's tasks, nothing is known.",
    },
    Words {
        kind: kinds::BLOCKING_POOL_FULL,
        title: "blocking pool full",
        created: "Spawned here",
        observed: "Waiting here",
        meaning: "Blocking work waits because all threads of the blocking pool are taken.",
        fix: "Bound the work with a semaphore, or raise max_blocking_threads.",
        about: "\
`spawn_blocking`, `tokio::fs` and name look-ups share a pool of 512 threads, unless set. While all of them
are taken, the next piece waits, and the task that awaits it: it looks as if the disk were slow.",
        places: "\
created: where the work was spawned that waits.
observed: where it waits.",
        remedy: "\
Work that never ends, such as a loop, wants a thread of its own, not one of the pool.",
        silence: "\
Raise `max_blocking_threads` of the runtime.",
        residue: "\
Of a runtime that our Builder did not make nobody tells how large its pool is: a much longer wait is then
`likely`. A burst that is over soon fills the pool, too: look at how long it waited.",
    },
];

//! The texts themselves.

use pollscope_proto::kinds;

use super::Explanation;

pub(super) const ALL: &[Explanation] = &[
    Explanation {
        kind: kinds::NEVER_AWAITED,
        summary: "a future or a task was dropped before it was polled once, so its body never ran",
        meaning: "\
An async function does nothing until its future is awaited or spawned. Here somebody called it and
let the future go: `work();`, `let _ = work();`, `drop(work())`, an early return. The compiler warns of
the first, clippy of the second.
`definite`: created and dropped in one poll, with nothing awaited in between.
`likely`: some other code held it meanwhile; shown as a note.",
        places: "\
created: the call that made the future.
observed: where it was dropped.",
        fix: "\
Add `.await`, or hand the future to `pollscope::spawn`.
A task that was aborted, or whose runtime shut down before its first poll, is not reported.",
        silence: "\
Drop it by `pollscope::discard(future)` where that is meant, or take `#[pollscope::tracked]` from a
function whose futures are dropped on purpose: only futures of tracked functions are followed.",
        residue: "\
A `select!` of another crate whose other arm was ready first drops the losing futures unpolled, and so
does a `FuturesUnordered`: `likely` where something tracked was polled in between, else `definite`.
`pollscope::select!`, `join!` and `try_join!` tell us, and are silent. So is what a tracked future still
held when it was dropped half-way; of a plain block dropped in its first poll nobody knows.
In a task that a library spawned, polls are not told apart except by the worker's sleep.",
    },
    Explanation {
        kind: kinds::SLOW_POLL,
        summary: "one poll of a task kept its worker thread for longer than the threshold",
        meaning: "\
A task gives its thread back only at an `.await` that has to wait. Until then no other task runs on
that thread, no timer of it fires and no socket of it is read. From 10 ms on it is a note, from the
threshold (100 ms unless set) a warning, from 1 s an error. A poll that still runs is marked live.",
        places: "\
created: where the task was spawned.
observed: the stack of the thread while it was stuck; your own frame is the line to look at.
The verdict says what it did there: on the CPU, in a system call, waiting for a lock, stopped by a
signal or a debugger, ready but not given a CPU, throttled by its cgroup.",
        fix: "\
Sleeping: `tokio::time::sleep`. Files, DNS, C libraries: the async form, or `spawn_blocking`.
Long computation: `spawn_blocking`, or `tokio::task::yield_now().await` between pieces of it.
A lock: hold it for less, or use `tokio::sync::Mutex` where it is held across an `.await`.",
        silence: "\
Raise the threshold: `#[pollscope::main(slow_poll = \"250ms\")]`, or `pollscope set PID slow_poll=250ms`.
Work inside `tokio::task::block_in_place` is allowed to block and is not reported.",
        residue: "\
A machine without free CPUs delays every poll: the verdict then says `descheduled` or `throttled`.
A process that was stopped and continued shows its pause once, with the verdict `stopped`.",
    },
    Explanation {
        kind: kinds::WORKER_BLOCKED,
        summary: "a worker thread sleeps in the kernel under code that pollscope did not spawn",
        meaning: "\
A library spawned the task with plain `tokio::spawn`, or it is the future of `block_on`: there is no task
of ours to name. The worker is not parked, and has slept in the kernel past the threshold. What that
costs is the same as with slow_poll.",
        places: "\
created: empty, for nobody saw it.
observed: the stack of the thread while it was stuck.",
        fix: "\
Find the first frame of your own code or of the library in the stack, and treat it as a slow_poll.",
        silence: "\
Raise the threshold, as with slow_poll. Move the call to `spawn_blocking`.",
        residue: "\
Of such a worker that runs on the CPU nothing is claimed: it may be many short polls.
With `--cfg tokio_unstable` the tasks of libraries are seen as tasks, and reported as slow_poll.",
    },
    Explanation {
        kind: kinds::LEAKED_ERROR,
        summary: "a task returned `Err` and nobody looked at it",
        meaning: "\
The output of a task waits in its JoinHandle. The handle was dropped, or never awaited, so the error
is gone: the program goes on as if all were well.",
        places: "\
created: where the task was spawned.
observed: where the unread result was dropped, if code of yours dropped it.",
        fix: "\
Await the handle and handle the error; or handle it inside the task and return `()`.
With a JoinSet, read `join_next()` to its end.",
        silence: "\
`let _ = handle.await;` counts as having looked.",
        residue: "\
An error that you awaited and then ignored is not seen. For a plain `spawn` the type of the error is
known and its text is not: `pollscope::spawn!` reads the text as well.",
    },
    Explanation {
        kind: kinds::LEAKED_PANIC,
        summary: "a task panicked and nobody looked at its JoinHandle",
        meaning: "\
Tokio catches the panic of a task and keeps it for whoever awaits the handle. Nobody did: the message
went to stderr, and the rest of the program does not know that this part of it is gone.",
        places: "\
created: where the task was spawned.
observed: where it panicked, if our panic hook is in place.",
        fix: "\
Await the handle and look at the JoinError: restart the task, or pass the panic on with
`std::panic::resume_unwind`. With a JoinSet, read `join_next()` to its end.",
        silence: "\
`let _ = handle.await;` counts as having looked.",
        residue: "\
Where the program installed a panic hook of its own after ours the place of the panic is unknown, and
the warning says so.",
    },
    Explanation {
        kind: kinds::WRONG_THREAD,
        summary: "something that belongs to one thread was used from another",
        meaning: "\
An `Owned<T>` was touched or dropped elsewhere than on the thread that made it, or `spawn_local` was
called outside of its LocalSet. The call was refused before anything was changed, and returned
`Err(WrongThread)`; a value dropped elsewhere was sent home to be dropped there.",
        places: "\
created: where the value was made.
observed: where the other thread touched it.",
        fix: "\
Send the owner a message and let it do the work, or share a `Send + Sync` type instead.",
        silence: "\
It cannot be switched off: it keeps the program sound, at every level.",
        residue: "\
None known: the check compares threads.",
    },
];

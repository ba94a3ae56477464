//! Work, errors and values that got lost.

use pollscope_proto::kinds;

use super::Words;

pub(super) const ALL: &[Words] = &[
    Words {
        kind: kinds::NEVER_AWAITED,
        title: "never awaited",
        created: "Created here",
        observed: "Dropped here, never polled",
        meaning: "The call made a future and nothing awaited it, so its body never ran.",
        fix: "Add .await, or hand the future to spawn().",
        about: "\
An async function does nothing until its future is awaited or spawned. Here somebody called it and
let the future go: `work();`, `let _ = work();`, `drop(work())`, an early return. The compiler warns of
the first, clippy of the second.
`definite`: created and dropped in one poll, with nothing awaited in between.
`likely`: some other code held it meanwhile; shown as a note.",
        places: "\
created: the call that made the future.
observed: where it was dropped.",
        remedy: "\
A task that was aborted, or whose runtime shut down before its first poll, is not reported.
Functions that are not tracked yet are not followed: `pollscope track PATH --write` puts the attribute
where it is missing.",
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
    Words {
        kind: kinds::LEAKED_ERROR,
        title: "leaked error",
        created: "Spawned here",
        observed: "Dropped here, unread",
        meaning: "The task returned Err and nobody looked at it: the failure is lost.",
        fix: "Await the JoinHandle and handle the error, or log it inside the task.",
        about: "\
The output of a task waits in its JoinHandle. The handle was dropped, or never awaited, so the error
is gone: the program goes on as if all were well.",
        places: "\
created: where the task was spawned.
observed: where the unread result was dropped, if code of yours dropped it.",
        remedy: "\
A task that handles its errors itself returns `()`. With a JoinSet, read `join_next()` to its end.",
        silence: "\
`let _ = handle.await;` counts as having looked. Where errors are values that may be dropped, spawn by
`task::Builder::new().expect_errors()`.",
        residue: "\
An error that you awaited and then ignored is not seen. For a plain `spawn` the type of the error is
known and its text is not: `pollscope::spawn!` reads the text as well.",
    },
    Words {
        kind: kinds::LEAKED_PANIC,
        title: "leaked panic",
        created: "Spawned here",
        observed: "Panicked here",
        meaning: "The task panicked and nobody awaited its JoinHandle: the rest of the program does not know.",
        fix: "Await the JoinHandle and look at the JoinError.",
        about: "\
Tokio catches the panic of a task and keeps it for whoever awaits the handle. Nobody did: the message
went to stderr, and the rest of the program does not know that this part of it is gone.",
        places: "\
created: where the task was spawned.
observed: where it panicked, if our panic hook is in place.",
        remedy: "\
Restart the task, or pass the panic on with `std::panic::resume_unwind`.
With a JoinSet, read `join_next()` to its end.",
        silence: "\
`let _ = handle.await;` counts as having looked.",
        residue: "\
Where the program installed a panic hook of its own after ours the place of the panic is unknown, and
the warning says so.",
    },
    Words {
        kind: kinds::PENDING_DESTROYED,
        title: "pending destroyed",
        created: "Spawned here",
        observed: "Runtime dropped here",
        meaning: "The runtime went away while the task was still pending: the rest of its body will not run.",
        fix: "Await the task, or shut it down, before the runtime is dropped.",
        about: "\
A runtime that is dropped, or shut down, drops the futures of its tasks where they wait: what came after that
`.await` is never run. A task that had not begun is a warning: it was given work that nobody did. One that
had run and waited for its next piece of work is a note: most programs end like that.",
        places: "\
created: where the task was spawned.
observed: the drop or the shutdown of the runtime, where the stack shows it.",
        remedy: "\
Where the work matters: keep the JoinHandle and await it, or use a JoinSet or a TaskTracker and wait for it.",
        silence: "\
Abort the task by its handle before the runtime goes: then its end is wanted.",
        residue: "\
Tasks that are left behind at the end of `main` or of a test are notes, whatever they had to do.
Tasks that a library spawned with plain `tokio::spawn` are not seen.",
    },
    Words {
        kind: kinds::RESOURCE_LEAK,
        title: "resource leak",
        created: "Opened here",
        observed: "Dropped here, not closed",
        meaning: "A resource was dropped without being closed.",
        fix: "Close or shut it down, and await that.",
        about: "\
A child process that nobody waits for runs on, or stays as a zombie; a stream that was marked with
`pollscope::must_finish` has not given its end; a listener of `pollscope::signal` was never polled, and the
signal, which the process now ignores, came to nobody. They were dropped as if nothing were left to do.",
        places: "\
created: where the process was started, the stream marked, or the listener made.
observed: where it was dropped.",
        remedy: "\
A process: `wait().await`, `kill().await`, or `kill_on_drop(true)`. A stream: read it until `None`.
A signal: `recv().await` in a task of its own, or in a `select!` beside the work.",
        silence: "\
A process: `kill_on_drop(true)`, or wait for it. A stream: `MustFinish::into_inner`, or do not mark it.",
        residue: "\
A process that is meant to outlive the program is reported: start it with `std::process`.
Sockets and files are not followed: their drop closes them.
A listener that was never polled, and whose signal never came, is a note.",
    },
    Words {
        kind: kinds::CALLBACK_PANIC,
        title: "callback panic",
        created: "Registered here",
        observed: "Panicked here",
        meaning: "A callback panicked.",
        fix: "Handle the failure inside of the callback.",
        about: "\
A callback of `pollscope::event_loop` panicked. The loop goes on with the next one, as asyncio's does; what the
callback should have done is not done, and nobody waits for it.",
        places: "\
created: where the callback was scheduled (`call_soon`, `call_later`, `call_at`).
observed: where it panicked, if our panic hook is in place.",
        remedy: "\
What may fail belongs into a task whose handle is awaited: `run_coroutine_threadsafe`.",
        silence: "\
Set an exception handler (`pollscope::set_exception_handler`): it is called in place of the log.",
        residue: "\
None known. Where the program replaced our panic hook the place of the panic is unknown.",
    },
    Words {
        kind: kinds::SHUTDOWN_PANIC,
        title: "shutdown panic",
        created: "Spawned here",
        observed: "Panicked here",
        meaning: "A task panicked while the runtime shut down.",
        fix: "Check what its destructors assume of the runtime.",
        about: "\
The future of a task was dropped as its runtime went away, and a destructor in it panicked. Tokio keeps such
a panic to itself: nobody can await the task any more.",
        places: "\
created: where the task was spawned.
observed: where it panicked, if our panic hook is in place.",
        remedy: "\
A destructor may not count on a runtime: use `Handle::try_current()`, or close things before the end.",
        silence: "\
Abort and await the task before the runtime goes: the panic is then in its JoinError.",
        residue: "\
None known. Where the program replaced our panic hook the place of the panic is unknown.",
    },
];

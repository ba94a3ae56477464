//! Calls from where they cannot be made, and what tasks should not be like.

use pollscope_proto::kinds;

use super::Words;

pub(super) const ALL: &[Words] = &[
    Words {
        kind: kinds::WRONG_THREAD,
        title: "wrong thread",
        created: "Owner took it here",
        observed: "Touched here",
        meaning: "A value that belongs to one thread was used from another. The call was refused; nothing was changed.",
        fix: "Send a message to the owner, or keep the value behind Send + Sync types.",
        about: "\
An `Owned<T>` was touched or dropped elsewhere than on the thread that made it, or `spawn_local` was
called outside of its LocalSet. The call was refused before anything was changed, and returned
`Err(WrongThread)`; a value dropped elsewhere was sent home to be dropped there.",
        places: "\
created: where the value was made.
observed: where the other thread touched it.",
        remedy: "\
A channel to the owner's thread carries the work to the value, which stays where it is.",
        silence: "\
It cannot be switched off: it keeps the program sound, at every level.",
        residue: "\
None known: the check compares threads.",
    },
    Words {
        kind: kinds::NESTED_RUNTIME,
        title: "nested runtime",
        created: "Outer runtime entered here",
        observed: "Inner runtime entered here",
        meaning: "A runtime was entered from inside a runtime.",
        fix: "Await instead of block_on(), or use spawn_blocking().",
        about: "\
A worker that waits inside a poll cannot run the tasks that it waits for. Tokio panics instead: that panic
is kept as it is, and noted with the line of the call. The drop of a runtime inside async code waits, too.",
        places: "\
created: where the call is, or the task in which it was made.
observed: the call, or the stack of the drop.",
        remedy: "\
In async code: `.await`. In a callback that must be synchronous: `tokio::task::block_in_place`, or a channel.
A runtime that must go inside async code: `shutdown_background()`.",
        silence: "\
The panic is Tokio's: what does not panic is not reported. Catch it, and it is reported all the same.",
        residue: "\
None known: it is read from Tokio's own panic, for the versions that are supported.
Not seen where the program replaced the panic hook after ours.",
    },
    Words {
        kind: kinds::NO_RUNTIME,
        title: "no runtime",
        created: "Created here",
        observed: "Called here",
        meaning: "The call needs a runtime and there is none on this thread.",
        fix: "Enter one: Handle::enter(), or call it from a task.",
        about: "\
Sockets, timers and spawns of Tokio need a runtime that drives them, and find it by the thread they are
made on. A thread of your own, a C callback, another executor has none; or its I/O or timers are not enabled.",
        places: "\
created: the call.
observed: the call.",
        remedy: "\
Take a `Handle` where there is a runtime, give it to the thread, and use `handle.spawn` or `handle.enter()`.
With a Builder: `enable_all()`.",
        silence: "\
The panic is Tokio's: ask with `Handle::try_current()` before where that may happen.",
        residue: "\
None known: it is read from Tokio's own panic, for the versions that are supported.
Not seen where the program replaced the panic hook after ours.",
    },
    Words {
        kind: kinds::BLOCKING_SOCKET,
        title: "blocking socket",
        created: "Given here",
        observed: "Given here",
        meaning: "A socket in blocking mode was given to the runtime: each read that has to wait holds a worker.",
        fix: "Call set_nonblocking(true) on it before from_std().",
        about: "\
`from_std` takes sockets of the standard library, which block unless they are told not to. A debug build of
Tokio panics on one that does: that panic is kept as it is, and noted with the line of the call. asyncio's
debug mode says `the socket must be non-blocking`.",
        places: "\
created: the call of `from_std`.
observed: the call.",
        remedy: "\
`socket.set_nonblocking(true)?` before `from_std(socket)`, or bind and connect with `tokio::net`.",
        silence: "\
The panic is Tokio's: what does not panic is not reported.",
        residue: "\
None known: it is read from Tokio's own panic, for the versions that are supported.
A release build of Tokio does not look: there such a socket shows itself as slow_poll, in its read.",
    },
    Words {
        kind: kinds::LOCK_ACROSS_AWAIT,
        title: "lock across await",
        created: "Spawned here",
        observed: "What it guards is made here",
        meaning: "A guard is held while the task waits: of a tracing span, as far as it can be seen.",
        fix: "Drop the guard before the await; for a span, instrument the future.",
        about: "\
A guard that lives across an `.await` belongs to a thread that does other things meanwhile. With a lock, the
next task on that thread may wait for it for ever; with the guard of a `tracing` span, what the thread runs
next is told as part of that span. Seen now: guards of spans (`span.enter()`), in debug.",
        places: "\
created: where the task was spawned.
observed: where the span is made.",
        remedy: "\
For a span: `#[tracing::instrument]`, or `future.instrument(span)`. For a lock, end its scope before the await.",
        silence: "\
`span.in_scope(|| …)` for what is not async; else instrument the future.",
        residue: "\
A lock guard of `std` leaves no trace that can be seen from outside: clippy's `await_holding_lock` sees it.
Polls are looked at by samples: a task that does it once in its life may be missed.",
    },
    Words {
        kind: kinds::TASK_LEAK,
        title: "task leak",
        created: "Spawned here",
        observed: "Still alive, and becoming more",
        meaning: "Tasks of this place outlive what is usual there, wait, and become more: memory grows with them.",
        fix: "Give the tasks an end: a timeout, a cancellation token, or a closed channel.",
        about: "\
Three things are found together: the least number of live tasks rises over five windows in a row (of ten
seconds, a minute, or ten minutes), the oldest tenth of them lives ten times as long as 99 of 100 that have
ended, and nearly none of that tenth was polled for two windows.",
        places: "\
created: the spawn, as the oldest task's backtrace has it.
observed: no place: a task that waits has no stack.",
        remedy: "\
Look at the oldest tasks of the place: what they wait for is what never comes. An answer without a timeout
and a sender that is kept somewhere are the usual ones.",
        silence: "\
Spawn tasks that are meant to stay from a place of their own: where none ends nothing is usual.",
        residue: "\
Idle connections from a place that spawns short tasks, too, look the same while they become more. Not seen:
tasks that leak and are polled all the while (a ticker that nobody stops), and a place where none ever ends.
The columns `live`, `peak` and `live/min` by site show those.",
    },
    Words {
        kind: kinds::LARGE_FUTURE,
        title: "large future",
        created: "Spawned here",
        observed: "Grown here",
        meaning: "The future is unusually large: each spawn copies and keeps it.",
        fix: "Box large parts, or do not hold big buffers across an await.",
        about: "\
A future holds whatever lives across its awaits, those of the futures within it included. Kilobytes of it
are moved at each spawn, and kept for each task. The column `size` shows it.",
        places: "\
created: the spawn.
observed: the spawn.",
        remedy: "\
`Box::pin` the largest call, keep buffers in a `Vec`, and end the scope of large values before an await.",
        silence: "\
There is nothing to silence in this version.",
        residue: "\
The runtime of this version does not look for it: nothing of this kind comes from it.",
    },
];

//! Tasks that wait for what does not come, or do not wait where they should.

use pollscope_proto::kinds;

use super::Words;

pub(super) const ALL: &[Words] = &[
    Words {
        kind: kinds::SLOW_LOOKUP,
        title: "slow lookup",
        created: "Asked here",
        observed: "Answered here",
        meaning: "The addresses of a host took long to get.",
        fix: "Look at the resolver, or at how many look-ups share the blocking pool.",
        about: "\
`pollscope::net::lookup_host` asks the system on a thread of the blocking pool: nothing else of the program is
held up, and the task that asked waits. It is a note: shown, counted, and never logged.",
        places: "\
created: the call of `lookup_host`.
observed: the task and the thread that got the answer.",
        remedy: "\
Keep the addresses instead of asking again, or use a resolver that is async and has a cache.",
        silence: "\
Raise slow_poll's threshold, which holds for look-ups, too; or ask with tokio::net, which is not watched.",
        residue: "\
The time is that until the task was polled with the answer: a busy worker or a full blocking pool is in it.
Not seen: what `connect` and `bind` look up by themselves, and look-ups that were given up.",
    },
    Words {
        kind: kinds::LOST_WAKER,
        title: "lost waker",
        created: "Spawned here",
        observed: "Last polled here",
        meaning: "The task is pending and no waker of it exists: nothing can wake it.",
        fix: "A hand-written future returned Pending without keeping the waker.",
        about: "\
A future that returns `Pending` must have left its waker with whatever ends the wait. Here every waker of
the task has been dropped, and it was not woken: it waits for ever.",
        places: "\
created: where the task was spawned.
observed: its last poll.",
        remedy: "\
In `poll`: keep `cx.waker().clone()` before returning `Pending`, and again whenever it is polled anew.",
        silence: "\
There is nothing to silence in this version.",
        residue: "\
The runtime of this version does not look for it: nothing of this kind comes from it.",
    },
    Words {
        kind: kinds::SELF_WAKES,
        title: "self wakes",
        created: "Spawned here",
        observed: "Wakes itself here",
        meaning: "The task wakes itself over and over: it spins instead of waiting.",
        fix: "Wait for what it polls for: a channel, a Notify, a timer.",
        about: "\
Each of its polls wakes it again before it returns: the task is never at rest and takes a core, however
little there is to do. The column `self wakes` shows it.",
        places: "\
created: where the task was spawned.
observed: the stack of a wake from within its own poll.",
        remedy: "\
`yield_now()` in a loop that waits for a condition is the common case: wait for the condition itself.",
        silence: "\
There is nothing to silence in this version.",
        residue: "\
The runtime of this version does not look for it: nothing of this kind comes from it.",
    },
    Words {
        kind: kinds::WAKE_STORM,
        title: "wake storm",
        created: "Spawned here",
        observed: "Woken here",
        meaning: "The task is woken far more often than it gets anything done.",
        fix: "Wake once per batch, or wait on fewer sources.",
        about: "\
Wakes are cheap and polls are not: a task that is woken for each byte, item or tick, and finds nothing
to do most times, spends its time on being polled.",
        places: "\
created: where the task was spawned.
observed: the stack of one of the wakes.",
        remedy: "\
Read what there is until it is empty before waiting again; use `recv_many`, or a buffer.",
        silence: "\
There is nothing to silence in this version.",
        residue: "\
The runtime of this version does not look for it: nothing of this kind comes from it.",
    },
    Words {
        kind: kinds::DEADLOCK,
        title: "deadlock",
        created: "Spawned here",
        observed: "Waits here",
        meaning: "Tasks wait for each other in a circle.",
        fix: "Take locks in one order, or do not hold one while waiting for the other.",
        about: "\
Each of these tasks holds what the next one waits for: none can go on.",
        places: "\
created: where one of the tasks was spawned.
observed: where it waits.",
        remedy: "\
Hold locks for less: copy what is needed, and drop the guard before the next await.",
        silence: "\
There is nothing to silence in this version.",
        residue: "\
The runtime of this version does not look for it: nothing of this kind comes from it.",
    },
    Words {
        kind: kinds::DEAD_WAIT,
        title: "dead wait",
        created: "Spawned here",
        observed: "Waits here",
        meaning: "The task waits for something that can no longer happen.",
        fix: "Keep the other end alive, or handle its being closed.",
        about: "\
The other end of what the task waits for is gone: a sender was leaked, a notifier never notifies.",
        places: "\
created: where the task was spawned.
observed: where it waits.",
        remedy: "\
Give the wait a timeout, so that it ends with an error instead of never.",
        silence: "\
There is nothing to silence in this version.",
        residue: "\
The runtime of this version does not look for it: nothing of this kind comes from it.",
    },
];

//! What a thread is while it runs a `block_on`.

use std::cell::Cell;

use crate::capture::clock;
use crate::capture::thread::{self, Role, Thread};

thread_local! {
    /// Since when this thread runs tasks, in monotonic nanoseconds; 0: it does not.
    static SINCE: Cell<u64> = const { Cell::new(0) };
}

/// Since when this thread runs the tasks of a runtime that rests otherwise, in monotonic nanoseconds.
pub(crate) fn since_ns() -> Option<u64> {
    SINCE.try_with(Cell::get).ok().filter(|since| *since != 0)
}

/// Says that this thread works for a runtime, until it is dropped.
#[derive(Debug)]
pub(crate) struct Driving(Option<Before>);

#[derive(Debug)]
struct Before {
    thread: &'static Thread,
    role: Role,
    runtime: u16,
    since_ns: u64,
}

impl Driving {
    /// The thread runs the runtime's tasks, in this role.
    pub(crate) fn of(role: Role, runtime: u16) -> Self {
        Self::begin(Some(role), runtime)
    }

    /// The thread waits for a future while others run the tasks: its role is what it was.
    pub(crate) fn beside(runtime: u16) -> Self {
        Self::begin(None, runtime)
    }

    fn begin(role: Option<Role>, runtime: u16) -> Self {
        // Level off and too many runtimes have no number: nothing to say.
        let thread = if runtime == 0 {
            None
        } else {
            thread::current()
        };
        Self(thread.map(|thread| {
            let since_ns = role.map_or(0, |_| clock::mono_ns());
            let before = Before {
                thread,
                role: thread.role(),
                runtime: thread.runtime(),
                since_ns: SINCE.try_with(|since| since.replace(since_ns)).unwrap_or(0),
            };
            thread.set_role(role.unwrap_or(before.role), runtime);
            before
        }))
    }
}

impl Drop for Driving {
    fn drop(&mut self) {
        if let Some(Before {
            thread,
            role,
            runtime,
            since_ns,
        }) = &self.0
        {
            let _ = SINCE.try_with(|since| since.set(*since_ns));
            thread.set_role(*role, *runtime);
        }
    }
}

//! What a thread is while it runs a `block_on`.

use pollscope_capture::thread::{self, Role, Thread};

/// Says that this thread works for a runtime, until it is dropped.
#[derive(Debug)]
pub(crate) struct Driving(Option<Before>);

#[derive(Debug)]
struct Before {
    thread: &'static Thread,
    role: Role,
    runtime: u16,
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
            let before = Before {
                thread,
                role: thread.role(),
                runtime: thread.runtime(),
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
        }) = &self.0
        {
            thread.set_role(*role, *runtime);
        }
    }
}

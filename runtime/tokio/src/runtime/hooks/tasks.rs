//! What a runtime tells of its tasks, under `--cfg tokio_unstable` only. The program's own hooks are called beside ours.

use std::sync::Arc;

use tokio::runtime::{Builder, TaskMeta};

#[cfg(feature = "capture")]
use super::super::foreign::{self, Tasks};

/// A hook of the program's.
pub(in crate::runtime) type TaskCallback = Arc<dyn Fn(&TaskMeta<'_>) + Send + Sync>;

/// The program's hooks. Tokio keeps one of each; so do we, and call it beside ours.
#[derive(Clone, Default)]
pub(in crate::runtime) struct TaskHooks {
    pub(in crate::runtime) spawn: Option<TaskCallback>,
    pub(in crate::runtime) before_poll: Option<TaskCallback>,
    pub(in crate::runtime) after_poll: Option<TaskCallback>,
    pub(in crate::runtime) terminate: Option<TaskCallback>,
}

impl TaskHooks {
    /// Puts the program's hooks into Tokio's builder.
    pub(super) fn install(self, builder: &mut Builder) {
        if let Some(spawn) = self.spawn {
            builder.on_task_spawn(move |task| spawn(task));
        }
        if let Some(before) = self.before_poll {
            builder.on_before_task_poll(move |task| before(task));
        }
        if let Some(after) = self.after_poll {
            builder.on_after_task_poll(move |task| after(task));
        }
        if let Some(terminate) = self.terminate {
            builder.on_task_terminate(move |task| terminate(task));
        }
    }

    /// Puts ours and the program's into Tokio's builder. A poll is ours to time from the end of the program's hook
    /// before it to the start of the one after it.
    #[cfg(feature = "capture")]
    pub(super) fn install_beside_ours(self, builder: &mut Builder, runtime: u16) {
        let Self {
            spawn,
            before_poll,
            after_poll,
            terminate,
        } = self;
        let tasks = Tasks::of(runtime);
        builder.on_task_spawn(move |task| {
            tasks.spawned(task);
            call(spawn.as_ref(), task);
        });
        builder.on_before_task_poll(move |task| {
            call(before_poll.as_ref(), task);
            foreign::poll_begins(task);
        });
        builder.on_after_task_poll(move |task| {
            foreign::poll_ends(task);
            call(after_poll.as_ref(), task);
        });
        builder.on_task_terminate(move |task| {
            foreign::ended(task);
            call(terminate.as_ref(), task);
        });
    }
}

#[cfg(feature = "capture")]
#[inline]
fn call(hook: Option<&TaskCallback>, task: &TaskMeta<'_>) {
    if let Some(hook) = hook {
        hook(task);
    }
}

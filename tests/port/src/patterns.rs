//! The ways to spawn that Tokio and tokio-util have. The line that a task must be shown with has a mark.

use std::future::pending;
use std::sync::mpsc::Receiver;

use tokio::runtime::Handle;
use tokio::task::{AbortHandle, JoinHandle, JoinSet, LocalSet};
use tokio_util::task::{AbortOnDropHandle, JoinMap, TaskTracker};

/// What must be held for the tasks to live.
pub(crate) struct Tasks {
    _handles: Vec<JoinHandle<()>>,
    _set: JoinSet<()>,
    _map: JoinMap<&'static str, ()>,
    _tracker: TaskTracker,
    _guarded: AbortOnDropHandle<()>,
    _abort: AbortHandle,
}

pub(crate) fn start(stop: Receiver<()>) -> Tasks {
    let mut handles = Vec::new();
    handles.push(tokio::spawn(pending())); // @spawn
    handles.push(tokio::task::spawn(pending())); // @task_spawn
    handles.push(Handle::current().spawn(pending())); // @handle_spawn
    handles.push(tokio::task::spawn_blocking(move || _ = stop.recv())); // @spawn_blocking
    handles.push(tokio::spawn(racing())); // @select

    let mut set = JoinSet::new();
    let abort = set.spawn(pending()); // @join_set
    let mut map = JoinMap::new();
    map.spawn("one", pending()); // @join_map
    let tracker = TaskTracker::new();
    handles.push(tracker.spawn(pending())); // @task_tracker
    let guarded = AbortOnDropHandle::new(tokio::spawn(pending())); // @abort_on_drop
    Tasks {
        _handles: handles,
        _set: set,
        _map: map,
        _tracker: tracker,
        _guarded: guarded,
        _abort: abort,
    }
}

pub(crate) fn start_local(local: &LocalSet) -> Vec<JoinHandle<()>> {
    let not_send = std::rc::Rc::new(());
    let waits = async move {
        pending::<()>().await;
        drop(not_send);
    };
    vec![local.spawn_local(waits)] // @local_set
}

async fn racing() {
    let mut ticks = 0_u32;
    loop {
        tokio::select! {
            () = pending() => return,
            () = tokio::task::yield_now(), if ticks < 3 => ticks += 1,
            else => return,
        }
    }
}

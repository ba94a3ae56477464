//! Everything known of one task, with the stack of the poll that runs now.

use std::sync::PoisonError;

use pollscope_capture::record::Snapshot;
use pollscope_capture::stack::{LiveStack, Verdict};
use pollscope_capture::thread::Thread;
use pollscope_capture::{clock, registry, site, thread};
use pollscope_proto::v1;
use tonic::Status;

use super::Server;
use super::fields::Task;
use super::{live, rows, stacks};

/// The answer but for the stack of now, and the thread to take that of. Scans.
pub(super) fn describe(server: &Server, id: u64) -> (v1::TaskReply, Option<&'static Thread>) {
    let Some((record, task)) = registry::find(id) else {
        return (v1::TaskReply::default(), None);
    };
    // Looks at all tasks, and so before anything is locked.
    let parent = if task.parent == 0 {
        None
    } else {
        registry::find(task.parent)
    };
    let mut scan = server.scan.lock().unwrap_or_else(PoisonError::into_inner);
    let state = server.agent.state();
    scan.world.look(&state);
    let site = site::get(task.site);
    let spreads = state
        .sites
        .get(task.site.0 as usize)
        .and_then(|site| site.spreads.as_deref());
    let reply = v1::TaskReply {
        task: Some(rows::task(&Task::new(record, &task, &scan.world))),
        site: Some(rows::site(site)),
        created: stacks::creation(task.stack, site),
        last_wake_ns: last_wake(&task),
        last_waker_task: task.last_waker,
        last_waker_thread: rows::waking_thread(task.last_waker_tid),
        parent: parent
            .as_ref()
            .map(|(record, task)| rows::task(&Task::new(record, task, &scan.world))),
        parent_site: parent
            .as_ref()
            .map(|(_, task)| rows::site(site::get(task.site))),
        site_poll_ns: spreads.and_then(|spreads| rows::histogram(&spreads.poll_ns)),
        warnings: state.warnings.of_task(id),
        handle: task.handle().to_owned(),
        ..v1::TaskReply::default()
    };
    let polled_on = thread::all().find(|thread| {
        thread
            .now()
            .is_some_and(|now| std::ptr::eq(now.record, record))
    });
    (reply, polled_on.filter(|_| task.is_polled()))
}

/// The wake that has not led to a poll yet. 1 stands for one from inside the poll that runs.
fn last_wake(task: &Snapshot) -> Option<u64> {
    (task.woken > 1).then(|| clock::mono_of(task.woken))
}

/// Puts in the stack of the poll that runs on `thread`, if it is still the same when it was taken.
pub(super) async fn take_stack(
    server: &Server,
    thread: &'static Thread,
    reply: &mut v1::TaskReply,
) -> Result<(), Status> {
    if let Some((stack, verdict)) = stack_of_poll(server, thread).await? {
        reply.now = Some(stacks::live(&stack));
        reply.verdict = verdict.as_ref().map(stacks::verdict);
    }
    Ok(())
}

async fn stack_of_poll(
    server: &Server,
    thread: &'static Thread,
) -> Result<Option<(LiveStack, Option<Verdict>)>, Status> {
    let (Some(now), Some(handle)) = (thread.now(), thread.handle()) else {
        return Ok(None);
    };
    let taken = server.stacks.with(move |live| {
        let before = handle.sample();
        std::thread::sleep(live::BETWEEN_LOOKS);
        let stack = live.capture(&handle, || thread.seq() == now.seq).ok()?;
        let verdict = live::verdict(Some(&before), &stack.sample);
        Some((stack, verdict))
    });
    taken.await
}

//! One task in detail, and the stacks of a dump.

use std::collections::HashMap;

use pollscope_proto::limits::MAX_FRAMES;
use pollscope_proto::v1;

use super::{RawStack, distribution, site, stack, task, text, thread_ref, verdict};
use crate::model::{
    Place, Site, Task, TaskDetail, TaskRef, ThreadRef, ThreadStack, Waker, WakerFigures,
};

/// A task's detail whose backtraces are still to be filled in.
pub(in crate::net) struct RawDetail {
    pub(in crate::net) detail: TaskDetail,
    pub(in crate::net) created: RawStack,
    pub(in crate::net) now: RawStack,
}

/// `None`: there is no such task (any more). `now_ns` is the target's clock.
pub(in crate::net) fn detail(reply: v1::TaskReply, now_ns: u64) -> Option<RawDetail> {
    let task = with_site(reply.task.as_ref()?, reply.site.as_ref(), now_ns);
    let created = reply.created.as_ref().map(stack).unwrap_or_default();
    let now = reply.now.as_ref().map(stack);
    let wakers = reply.waker_clones.map(|clones| WakerFigures {
        clones,
        drops: reply.waker_drops.unwrap_or(0),
    });
    let last_waker = match (reply.last_waker_task, &reply.last_waker_thread) {
        (0, thread) => thread
            .as_ref()
            .map(|thread| Waker::Thread(thread_ref(thread))),
        (task, _) => Some(Waker::Task(task)),
    };
    let detail = TaskDetail {
        parent: reply
            .parent
            .as_ref()
            .map(|parent| with_site(parent, reply.parent_site.as_ref(), now_ns)),
        created: Place {
            site: Some(task.site.clone()),
            thread: reply.created_on.as_ref().map(thread_ref),
            backtrace: Vec::new(),
            exemplar: created.exemplar,
        },
        now: now.as_ref().map(|_| Place {
            thread: Some(ThreadRef {
                tid: task.tid,
                name: String::new(),
            }),
            ..Place::default()
        }),
        verdict: reply.verdict.as_ref().map(verdict),
        wakers,
        since_wake_ns: reply.last_wake_ns.map(|at| now_ns.saturating_sub(at)),
        last_waker,
        handle: text(&reply.handle),
        site_poll_ns: reply.site_poll_ns.map(distribution),
        warnings: reply.warnings.into_iter().take(MAX_FRAMES).collect(),
        task,
    };
    Some(RawDetail {
        detail,
        created,
        now: now.unwrap_or_default(),
    })
}

fn with_site(row: &v1::TaskRow, of: Option<&v1::Site>, now_ns: u64) -> Task {
    let mut sites: HashMap<u32, Site> = HashMap::new();
    if let Some(of) = of {
        sites.insert(row.site, site(of));
    }
    task(row, &sites, now_ns)
}

/// A thread's stack whose frames are still to be filled in.
pub(in crate::net) struct RawThread {
    pub(in crate::net) thread: ThreadStack,
    pub(in crate::net) stack: RawStack,
}

pub(in crate::net) fn thread_stack(from: &v1::ThreadStack) -> RawThread {
    let raw = from.stack.as_ref().map(stack).unwrap_or_default();
    let task = (from.task != 0).then(|| TaskRef {
        id: from.task,
        name: text(&from.task_name),
    });
    let thread = ThreadRef {
        tid: from.tid,
        name: text(&from.name),
    };
    let thread = ThreadStack {
        place: Place {
            site: from
                .site
                .as_ref()
                .map(site)
                .filter(|site| !site.file.is_empty()),
            thread: Some(thread.clone()),
            backtrace: Vec::new(),
            exemplar: raw.exemplar,
        },
        thread,
        role: text(&from.role),
        task,
        poll_ns: from.poll_ns,
        verdict: from.verdict.as_ref().map(verdict),
        missing: text(&from.missing),
    };
    RawThread { thread, stack: raw }
}

//! The stacks of all threads of this process, known to us or not.

use std::sync::Arc;

use super::live::Live;
use super::procfs;
use super::thread::ThreadHandle;
use crate::stack::ThreadDump;

pub(super) fn run(live: &mut Live, registered: &[Arc<ThreadHandle>]) -> Vec<ThreadDump> {
    super::refresh_modules();
    procfs::tids()
        .into_iter()
        .map(
            |tid| match registered.iter().find(|handle| handle.tid() == tid) {
                Some(handle) => one(live, handle),
                None => one(live, &ThreadHandle::stranger(tid)),
            },
        )
        .collect()
}

fn one(live: &mut Live, handle: &ThreadHandle) -> ThreadDump {
    // There is no poll to hold on to here: the thread as it is now is what was asked for.
    let stack = live.capture(handle, || true);
    ThreadDump {
        tid: handle.tid(),
        name: procfs::name(handle.tid()),
        sample: stack
            .as_ref()
            .map_or_else(|_| handle.sample(), |stack| stack.sample),
        stack,
        registered: handle.is_registered(),
    }
}

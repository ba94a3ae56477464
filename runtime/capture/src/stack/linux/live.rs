//! One look at another thread: the peek if it sleeps, the signal if it runs, nothing if neither may be done.

use std::sync::Arc;

use super::modules::{self, Snapshot};
use super::peek::{Frames, Stillness, Walker, walk_asleep, walk_copied};
use super::procfs::{self, Asleep, InKernel, Look};
use super::thread::ThreadHandle;
use super::{dump, selftest, signal, unwind};
use crate::stack::{
    Capabilities, End, LIVE_FRAMES, LiveStack, MarkValues, Method, Missed, Options, Sample, State,
    ThreadDump,
};

/// How often a look is repeated when the thread moved meanwhile but is still in the same poll.
const ATTEMPTS: usize = 3;

/// Takes stacks of other threads. Make one on the thread that watches and keep it: it holds unwind rules
/// (50 KB) and the room for a stack's copy (1 MB of address space, what is used of it becomes memory).
pub struct Live {
    options: Options,
    pub(super) walker: Walker,
}

impl std::fmt::Debug for Live {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Live")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl Live {
    /// Makes the room for captures. Installs nothing: the signal handler is put in place by the first signal.
    pub fn new(options: Options) -> Self {
        super::init();
        Self {
            options,
            walker: Walker::new(),
        }
    }

    /// Which ways may be used.
    pub fn options(&self) -> Options {
        self.options
    }

    /// Changes which ways may be used.
    pub fn set_options(&mut self, options: Options) {
        self.options = options;
    }

    /// Takes the stack of `handle`'s thread, as it is now.
    ///
    /// `still` says whether the thread is still where the caller found it: the same poll. It is asked last; a
    /// stack is only returned if it says yes.
    ///
    /// About 50 µs for a sleeping thread, which notices nothing. A running one loses a few microseconds to the
    /// handler, and this call waits for a clock tick the thread runs in: mostly 1 to 10 ms, at most 300 ms.
    pub fn capture(
        &mut self,
        handle: &ThreadHandle,
        mut still: impl FnMut() -> bool,
    ) -> Result<LiveStack, Missed> {
        let snapshot = modules::current().ok_or(Missed::Unavailable)?;
        let mut result = Err(Missed::Changed);
        for _ in 0..ATTEMPTS {
            result = self.look(&snapshot, handle);
            if !still() {
                return Err(Missed::Changed);
            }
            if !matches!(result, Err(Missed::Changed)) {
                break;
            }
        }
        result
    }

    /// Tries both ways on threads of its own making and says which work. Some 10 ms, most of it waiting for a
    /// clock tick; starts and ends one thread.
    pub fn self_test(&mut self) -> Capabilities {
        selftest::run(self)
    }

    /// Every thread of this process with its stack. Threads in `registered` are taken as [`capture`](Self::capture)
    /// takes them; of the others, those that sleep give their stack if it ends where threads of this process
    /// start, those that run only where they are.
    pub fn all_threads(&mut self, registered: &[Arc<ThreadHandle>]) -> Vec<ThreadDump> {
        dump::run(self, registered)
    }

    fn look(
        &mut self,
        snapshot: &Arc<Snapshot>,
        handle: &ThreadHandle,
    ) -> Result<LiveStack, Missed> {
        let marks = handle.marks().values();
        let look = handle.look();
        if handle.tid() == procfs::current_tid() {
            return Ok(own_stack(handle, look.sample));
        }
        // `syscall` refused: the other file says less, but enough to never signal a sleeper.
        let runs = match look.in_kernel {
            InKernel::Gone => return Err(Missed::Gone),
            InKernel::Asleep(asleep) if self.options.peek => {
                return self.peek(snapshot, handle, &look, asleep, marks);
            }
            InKernel::Asleep(_) => false,
            InKernel::Running => true,
            InKernel::Refused if look.sample.state == State::Dead => return Err(Missed::Gone),
            InKernel::Refused => look.sample.state == State::Runnable,
        };
        match runs {
            true if self.options.signal => self.signal(snapshot, handle, look.sample),
            true => Err(Missed::Running),
            false => Err(Missed::Asleep),
        }
    }

    fn peek(
        &mut self,
        snapshot: &Snapshot,
        handle: &ThreadHandle,
        look: &Look,
        asleep: Asleep,
        marks: MarkValues,
    ) -> Result<LiveStack, Missed> {
        let stillness = Stillness::of(look, asleep).ok_or(Missed::Asleep)?;
        let walked = walk_asleep(&mut self.walker, snapshot, handle, &asleep);
        // A thread that moved explains a walk that failed: ask first.
        stillness.holds(handle)?;
        if handle.marks().values() != marks {
            return Err(Missed::Changed);
        }
        let (frames, end) = walked?;
        Ok(live_stack(&frames, end, Method::Peek, marks, look.sample))
    }

    pub(super) fn signal(
        &mut self,
        snapshot: &Snapshot,
        handle: &ThreadHandle,
        sample: Sample,
    ) -> Result<LiveStack, Missed> {
        let cache = &mut self.walker.cache;
        signal::ask(handle, |copied| {
            let (frames, mut end, last) =
                walk_copied(cache, snapshot, &copied.context, copied.stack(), copied.cut);
            if end == End::Root && !handle.is_root(last) {
                end = End::Lost;
            }
            live_stack(&frames, end, Method::Signal, copied.marks, sample)
        })
    }
}

fn live_stack(
    frames: &Frames,
    end: End,
    method: Method,
    marks: MarkValues,
    sample: Sample,
) -> LiveStack {
    LiveStack {
        frames: frames.kept,
        len: frames.len(),
        depth: frames.depth,
        end,
        method,
        marks,
        sample,
    }
}

/// The thread that asks is one of those that may be asked about.
fn own_stack(handle: &ThreadHandle, sample: Sample) -> LiveStack {
    let mut frames = [0; crate::stack::MAX_FRAMES];
    let len = unwind::capture(&mut frames, 0);
    let mut kept = [0; LIVE_FRAMES];
    kept[..len].copy_from_slice(&frames[..len]);
    LiveStack {
        frames: kept,
        len,
        depth: len,
        end: if len < frames.len() {
            End::Root
        } else {
            End::Cut
        },
        method: Method::Own,
        marks: handle.marks().values(),
        sample,
    }
}

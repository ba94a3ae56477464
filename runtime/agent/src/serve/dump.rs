//! The stacks of all threads now, each with the task it polls.

use std::collections::HashMap;
use std::sync::Arc;

use pollscope_capture::record::Record;
use pollscope_capture::stack::{Live, LiveStack, Missed, Sample, ThreadHandle};
use pollscope_capture::thread::{Now, Thread};
use pollscope_capture::{clock, names, site, thread};
use pollscope_proto::v1;
use tonic::Status;

use super::{live, rows, stacks};

/// Takes the stacks of all threads, or of the one that polls `task`. Waits: not for the server's thread.
///
/// # Errors
/// `NOT_FOUND` where no thread polls the task.
pub(super) fn take(
    live: &mut Live,
    task: u64,
    seen: &[Seen],
) -> Result<Vec<v1::ThreadStack>, Status> {
    let threads = thread::all().filter(|thread| thread.tid() != 0);
    let known: Vec<Known> = threads
        .filter_map(|thread| Known::new(thread, seen))
        .collect();
    if task != 0 {
        let polls = known
            .iter()
            .find(|known| known.poll.as_ref().is_some_and(|poll| poll.task == task));
        let Some(known) = polls else {
            return Err(Status::not_found(format!(
                "no thread polls task {task} now: it waits, or has ended"
            )));
        };
        std::thread::sleep(live::BETWEEN_LOOKS);
        let stack = live.capture(&known.handle, || true);
        let sample = stack
            .as_ref()
            .map_or_else(|_| known.handle.sample(), |stack| stack.sample);
        return Ok(vec![describe(
            known.thread.tid(),
            &known.thread.name(),
            Some(known),
            &stack,
            &sample,
        )]);
    }
    std::thread::sleep(live::BETWEEN_LOOKS);
    let handles: Vec<Arc<ThreadHandle>> = known
        .iter()
        .map(|known| Arc::clone(&known.handle))
        .collect();
    let by_tid: HashMap<u32, &Known> = known
        .iter()
        .map(|known| (known.handle.tid() as u32, known))
        .collect();
    let dumps = live.all_threads(&handles);
    let stacks = dumps.iter().map(|dump| {
        let known = by_tid.get(&(dump.tid as u32)).copied();
        describe(
            dump.tid as u32,
            &dump.name,
            known,
            &dump.stack,
            &dump.sample,
        )
    });
    Ok(stacks.collect())
}

/// A poll that the watchdog has seen to last: in quiet only it knows for how long at least.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) tid: u32,
    pub(super) task: u64,
    pub(super) at_least_ns: u64,
}

/// A thread of which we know more than the system does, as it was a moment ago.
struct Known {
    thread: &'static Thread,
    handle: Arc<ThreadHandle>,
    before: Sample,
    poll: Option<Poll>,
}

/// The poll that ran on it.
struct Poll {
    seq: u64,
    /// Ticks of its start; 0: not known.
    start: u64,
    record: &'static Record,
    task: u64,
    at_least_ns: Option<u64>,
}

impl Known {
    fn new(thread: &'static Thread, seen: &[Seen]) -> Option<Self> {
        let handle = thread.handle()?;
        let poll = thread.now().and_then(|Now { record, seq, start }| {
            let task = record.read()?.id;
            let seen = seen
                .iter()
                .find(|seen| seen.tid == thread.tid() && seen.task == task);
            Some(Poll {
                seq,
                start,
                record,
                task,
                at_least_ns: seen.map(|seen| seen.at_least_ns),
            })
        });
        Some(Self {
            thread,
            before: handle.sample(),
            handle,
            poll,
        })
    }

    /// The poll that the stack is of: the same before and while it was taken.
    fn poll_of(&self, stack: &Result<LiveStack, Missed>) -> Option<&Poll> {
        let seq = stack
            .as_ref()
            .map_or_else(|_| self.thread.seq(), |stack| stack.marks.seq);
        self.poll.as_ref().filter(|poll| poll.seq == seq)
    }
}

fn describe(
    tid: u32,
    system_name: &str,
    known: Option<&Known>,
    stack: &Result<LiveStack, Missed>,
    sample: &Sample,
) -> v1::ThreadStack {
    let own_name = known
        .map(|known| known.thread.name())
        .filter(|name| !name.is_empty());
    let mut told = v1::ThreadStack {
        tid,
        name: rows::text(own_name.as_deref().unwrap_or(system_name)),
        role: rows::role(known.map_or_else(Default::default, |known| known.thread.role()))
            .to_owned(),
        stack: stack.as_ref().ok().map(stacks::live),
        missing: stack
            .as_ref()
            .err()
            .map(ToString::to_string)
            .unwrap_or_default(),
        verdict: live::verdict(known.map(|known| &known.before), sample)
            .as_ref()
            .map(stacks::verdict),
        ..v1::ThreadStack::default()
    };
    if let Some(poll) = known.and_then(|known| known.poll_of(stack))
        && let Some(task) = poll.record.read().filter(|task| task.id == poll.task)
    {
        told.task = task.id;
        told.task_name = names::get(task.name)
            .map(|name| rows::text(&name))
            .unwrap_or_default();
        told.site = Some(rows::site(site::get(task.site)));
        let timed = (poll.start != 0)
            .then(|| clock::ticks_to_ns(clock::ticks().saturating_sub(poll.start)));
        told.poll_ns = timed.or(poll.at_least_ns);
    }
    told
}

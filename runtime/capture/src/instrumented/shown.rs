//! A drop outside of any poll, seen by others as a poll is: of a task that was aborted or shut down, and of an output
//! that nobody took.
//!
//! It is shown in the thread's slot like a poll, so that the watchdog finds one that hangs; in debug it is timed. A
//! drop inside a poll is part of that poll, which may be slow.

use crate::event::{Detail, Family, PollText};
use crate::record::Record;
use crate::thread::Thread;
use crate::{clock, level, task};

/// A drop that takes less is not told whatever the threshold: none at all is for polls.
const LEAST_NS: u64 = 1_000_000;

/// A drop begins: others see it from here to [`end`], unless it is inside a poll.
#[cold]
#[inline(never)]
pub(super) fn begin(record: &'static Record, thread: &'static Thread) {
    if thread.current_record().is_none() {
        let debug = thread.is_debug();
        record.edge.set(if debug { clock::ticks() } else { 0 });
        thread.begin_drop(record);
    }
}

/// The drop is over, by a return or a panic.
#[cold]
#[inline(never)]
pub(super) fn end(record: &'static Record, thread: &'static Thread) {
    let shown = |within: &Record| std::ptr::eq(within, record);
    if !thread.drops() || !thread.current_record().is_some_and(shown) {
        return;
    }
    let begun = record.edge.get();
    thread.end_drop();
    // One that unwinds is told of as a panic.
    if begun != 0 && !std::thread::panicking() {
        let ns = clock::ticks_to_ns(clock::ticks().saturating_sub(begun));
        if ns >= level::slow_poll_ns().max(LEAST_NS) {
            slow(record, thread, ns);
        }
    }
}

#[cold]
#[inline(never)]
fn slow(record: &'static Record, thread: &'static Thread, ns: u64) {
    if !clock::agrees(ns) {
        return;
    }
    thread.tally_of(record.site()).find(Family::SlowDrop);
    let text = PollText {
        ns,
        cpu_ns: clock::thread_cpu_ns(thread.tid()),
        ..PollText::default()
    };
    let detail = Detail::Drop(Box::new(text));
    thread.tell(task::finding(record, crate::StackId::NONE, detail));
}

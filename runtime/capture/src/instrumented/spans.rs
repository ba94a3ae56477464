//! A `tracing` span that is still entered when a poll returns `Pending`: its guard is held across an await.
//!
//! `tracing` documents it as a mistake: the span then seems to be around whatever the thread runs next. It can be seen
//! from outside, because the current span of the thread is another after the poll than before. Asking for it costs a
//! call into the subscriber, so only some polls are asked about: the first two of a task, and two of each 64. In debug.
//!
//! And the span that a task is made in, in debug and where anybody collects spans: else a birth pays one load for it.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::event::{Family, NoteText};
use crate::record::Record;
use crate::task;
use crate::thread::Thread;

/// Asks about the spans of this thread.
#[derive(Clone, Copy, Debug)]
pub struct SpanProbe {
    /// A number of the current span; 0: none is entered, or nobody collects spans. Must not panic.
    pub current: fn() -> u64,
    /// Name and place of the current span.
    pub describe: fn() -> Option<SpanText>,
    /// Name and fields of the current span, as a task that is made in it shows them: of the fields not many more bytes
    /// than [`LONGEST_SPAN`](crate::task::LONGEST_SPAN). Must not panic.
    pub text: fn() -> Option<String>,
}

/// What is known of a span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpanText {
    /// Its name.
    pub name: &'static str,
    /// Where it is made: file and line.
    pub place: Option<(&'static str, u32)>,
}

static PROBE: OnceLock<SpanProbe> = OnceLock::new();
/// Somebody collects spans.
static COLLECTED: AtomicBool = AtomicBool::new(false);

/// Sets who knows of spans. The first holds.
pub(crate) fn set(probe: SpanProbe) {
    let _ = PROBE.set(probe);
}

/// Says that somebody collects spans, from now on.
pub(crate) fn set_collected() {
    COLLECTED.store(true, Ordering::Relaxed);
}

/// Notes the span that a task is made in, on this thread. Not in quiet: it takes a lock and three allocations.
#[inline]
pub(crate) fn at_birth(record: &Record, thread: &Thread) {
    if thread.is_debug() && COLLECTED.load(Ordering::Relaxed) {
        note(record);
    }
}

#[cold]
#[inline(never)]
fn note(record: &Record) {
    if let Some(text) = PROBE.get().and_then(|probe| (probe.text)()) {
        task::keep_span(record, &text);
    }
}

/// Edges of the polls that are not asked about.
const PASSED_OVER: u64 = 0b111_1100;

/// Whether the poll that is about to begin is one of those asked about.
#[inline]
pub(super) fn is_asked(record: &Record) -> bool {
    record.seq.get() & PASSED_OVER == 0
}

/// The span before a poll; `None` where nobody knows of spans.
pub(super) fn before() -> Option<u64> {
    PROBE.get().map(|probe| (probe.current)())
}

/// The poll returned `Pending`.
#[cold]
#[inline(never)]
pub(super) fn after(record: &Record, before: u64) {
    let Some(probe) = PROBE.get() else { return };
    let now = (probe.current)();
    // One that was left inside is the end of an earlier mistake, not another one.
    if now == 0 || now == before {
        return;
    }
    task::note(record, Family::LockAcrossAwait, None, || {
        let span = (probe.describe)();
        NoteText {
            what: span.as_ref().map_or_else(
                || "the guard of a span".to_owned(),
                |span| format!("the guard of span \"{}\"", span.name),
            ),
            place: span
                .and_then(|span| span.place)
                .map(|(file, line)| (file.to_owned(), line, 0)),
            ..NoteText::default()
        }
    });
}

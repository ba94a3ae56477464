//! What a panic said and where, from a hook chained before whatever hook there was.
//!
//! The hook notes in which poll it ran. A poll that unwinds asks for what belongs to it: a text that an earlier,
//! caught panic left behind is not taken for its own (`resume_unwind` runs no hook). A poll inside another one
//! hands the text on to that one, which the same panic is about to reach.
//!
//! Where a panic ends the process, nothing runs after the hook: what was found is told from here.

use std::cell::RefCell;
use std::panic::{self, PanicHookInfo};
use std::sync::Once;

pub(crate) mod misuse;

use crate::event::PanicText;
use crate::record::Record;
use crate::{backtrace, clock, level, names, registry, thread};

/// Longest panic message kept, in bytes.
const LONGEST: usize = 1024;

/// Which poll: the task's id and its poll edges; zeros for none.
type Within = (u64, u64);

/// What the hook saw last.
struct Seen {
    text: PanicText,
    within: Within,
    /// Ticks.
    at: u64,
}

thread_local! {
    static LAST: RefCell<Option<Seen>> = const { RefCell::new(None) };
}

/// Chains the hook, once. Where the program sets its own hook later without chaining, places are unknown.
///
/// False, and nothing was done, on a thread that panics: there the standard library refuses by a panic, which would be the
/// process's end, and a drop that spawns a clean-up may be our first use.
pub(crate) fn install() -> bool {
    static ONCE: Once = Once::new();
    if std::thread::panicking() {
        return ONCE.is_completed();
    }
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            note(info);
            before(info);
            if ends_the_process(message(info.payload())) {
                registry::last_words();
            }
        }));
    });
    true
}

fn note(info: &PanicHookInfo<'_>) {
    if level::level() == level::Level::Off {
        return;
    }
    let text = PanicText {
        message: message(info.payload()).map(|text| cut(text).to_owned()),
        place: info
            .location()
            .map(|at| (at.file().to_owned(), at.line(), at.column())),
        stack: backtrace::here(),
    };
    misuse::look_at(&text);
    let seen = Seen {
        text,
        within: poll_of(thread::current_if_known().and_then(thread::Thread::current_record)),
        at: clock::ticks(),
    };
    with_last(|last| *last = Some(seen));
}

/// Whether nothing unwinds: built so, or out of a drop that was part of an unwinding, or of a function that may not.
fn ends_the_process(message: Option<&str>) -> bool {
    /// The words of the standard library: what tells it from the hook's argument is not stable.
    const FATAL: [&str; 2] = [
        "panic in a destructor during cleanup",
        "panic in a function that cannot unwind",
    ];
    cfg!(panic = "abort") || message.is_some_and(|message| FATAL.contains(&message))
}

fn poll_of(record: Option<&Record>) -> Within {
    record.map_or((0, 0), |record| (record.id.get(), record.seq.get()))
}

/// Not while the thread-local is gone or borrowed: then the place stays unknown.
fn with_last<R>(f: impl FnOnce(&mut Option<Seen>) -> R) -> Option<R> {
    LAST.try_with(|last| last.try_borrow_mut().ok().map(|mut last| f(&mut last)))
        .ok()
        .flatten()
}

/// What was seen of the panic that unwinds the poll of `record` (`None`: a blocking region), which runs inside
/// that of `outer`.
pub(crate) fn unwound(record: Option<&Record>, outer: Option<&Record>) -> Option<PanicText> {
    with_last(|last| {
        let seen = last
            .as_mut()
            .filter(|seen| seen.within == poll_of(record))?;
        seen.within = poll_of(outer);
        Some(seen.text.clone())
    })?
}

/// What was seen of the panic that was caught inside the poll of `record`.
pub(crate) fn caught(record: &Record) -> Option<PanicText> {
    with_last(|last| last.take_if(|seen| seen.within == poll_of(Some(record))))?
        .map(|seen| seen.text)
}

/// What was seen of the panic that unwinds a closure, begun at `start` outside any poll.
pub(crate) fn unwound_closure(start: u64) -> Option<PanicText> {
    with_last(|last| last.take_if(|seen| seen.within == (0, 0) && seen.at >= start))?
        .map(|seen| seen.text)
}

/// What was seen of the panic that unwinds a future's drop, begun at `since`.
pub(crate) fn unwound_drop(since: u64) -> Option<PanicText> {
    with_last(|last| {
        last.as_ref()
            .filter(|seen| seen.at >= since)
            .map(|seen| seen.text.clone())
    })?
}

fn message(payload: &dyn std::any::Any) -> Option<&str> {
    let owned = || payload.downcast_ref::<String>().map(String::as_str);
    payload.downcast_ref::<&str>().copied().or_else(owned)
}

/// A text cut at the limit.
pub(crate) fn cut(text: &str) -> &str {
    names::cut(text, LONGEST)
}

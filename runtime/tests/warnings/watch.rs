//! Runs something and gives what was found meanwhile.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pollscope::runtime::Builder;
use pollscope_capture::event::{Detail, ErrorText, Event, Family, NoteText, ThreadText};
use pollscope_capture::{registry, site, thread};

/// A finding, as far as tests ask.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) file: &'static str,
    pub(crate) line: u32,
    pub(crate) type_name: &'static str,
    /// Line of the second place, where the compiler told it.
    pub(crate) at_line: Option<u32>,
    /// Name of the thread that found it.
    pub(crate) by: Option<Arc<str>>,
    /// The thread that made it; 0: not known.
    pub(crate) created_tid: u32,
    pub(crate) what: What,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum What {
    NeverAwaited {
        definite: bool,
    },
    Error(ErrorText),
    Thread(ThreadText),
    Note(Family, NoteText),
    /// A poll that took this long.
    Slow(Duration),
    Other,
}

impl From<Event> for Found {
    fn from(mut event: Event) -> Self {
        let site = site::get(event.site);
        let what = match std::mem::replace(&mut event.detail, Detail::Unpolled { definite: false })
        {
            Detail::Unpolled { definite } => What::NeverAwaited { definite },
            Detail::Error(text) => What::Error(*text),
            Detail::Thread(text) => What::Thread(*text),
            Detail::Note(family, text) => What::Note(family, *text),
            Detail::Poll(text) => What::Slow(Duration::from_nanos(text.ns)),
            Detail::Drop(_) | Detail::Panic(_) => What::Other,
        };
        let at_line = event.place.map(std::panic::Location::line);
        Self {
            file: site.file,
            line: site.line,
            type_name: site.type_name,
            at_line,
            by: event.teller.name.clone(),
            created_tid: event.created_tid,
            what,
        }
    }
}

/// Runs `work`, and gives what was found while it ran. One at a time: rings are the process's.
pub(crate) fn during(work: impl FnOnce()) -> Vec<Found> {
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    // The first caller wins: the agent does not start in this process.
    registry::set_starter(|| {});
    drain();
    work();
    drain()
}

/// Runs a future on a current-thread runtime of ours.
pub(crate) fn during_task(future: impl Future<Output = ()>) -> Vec<Found> {
    during(|| {
        Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime")
            .block_on(future);
    })
}

/// Runs `work`, and gives the lines of the futures that were never awaited, each with whether it was proved.
pub(crate) fn forgotten(work: impl FnOnce()) -> Vec<(u32, bool)> {
    lines(during(work))
}

/// The same of a task.
pub(crate) fn forgotten_in(future: impl Future<Output = ()>) -> Vec<(u32, bool)> {
    lines(during_task(future))
}

fn lines(found: Vec<Found>) -> Vec<(u32, bool)> {
    let line = |found: Found| match found.what {
        What::NeverAwaited { definite } => Some((found.line, definite)),
        // What is left at a runtime's end is another matter.
        What::Note(Family::PendingDestroyed | Family::IdleDestroyed, _) => None,
        other => panic!("something else was found: {other:?}"),
    };
    found.into_iter().filter_map(line).collect()
}

fn drain() -> Vec<Found> {
    let mut events = Vec::new();
    for thread in thread::all() {
        thread.drain(|event| events.push(event));
    }
    // Rings are in the order of their threads, which is none.
    events.sort_by_key(|event| event.at);
    events.into_iter().map(Found::from).collect()
}

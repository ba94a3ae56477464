//! The process-wide registry: how the rest is started, and its reading side.

use std::panic::Location;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

pub use crate::instrumented::spans::{SpanProbe, SpanText};
pub use crate::panic::misuse::Misuse;
use crate::record::{Record, Snapshot};
use crate::{clock, level, panic, slab, thread};

/// Set at the first use, whatever the level: from then on `off` is for good.
static STARTED: AtomicBool = AtomicBool::new(false);
/// Nothing of the first use is left to be done.
static COMPLETE: AtomicBool = AtomicBool::new(false);
/// Called once at the first use that is not off: starts the agent.
static STARTER: OnceLock<fn()> = OnceLock::new();
static TASK_ID: OnceLock<fn() -> u64> = OnceLock::new();
static ABORT: OnceLock<fn(u64) -> bool> = OnceLock::new();
static UNLIST: OnceLock<fn(u64)> = OnceLock::new();
static LAST_WORDS: OnceLock<fn()> = OnceLock::new();
/// The process that this is: a forked child must not touch the parent's socket or threads.
static PID: AtomicU32 = AtomicU32::new(0);

/// Names what starts the agent. The first caller wins.
pub fn set_starter(starter: fn()) {
    let _ = STARTER.set(starter);
}

/// Names what knows the runtime's id of the task that runs now; 0: none.
pub fn set_task_id(task_id: fn() -> u64) {
    let _ = TASK_ID.set(task_id);
}

/// Names what aborts a task by our id; it says whether it knew the task.
pub fn set_abort(abort: fn(u64) -> bool) {
    let _ = ABORT.set(abort);
}

/// Names what wants to know when a task marked by `HandleShare::mark_listed` has no holder any more.
pub fn set_unlist(unlist: fn(u64)) {
    let _ = UNLIST.set(unlist);
}

/// Names what tells the rest before a panic ends the process: on the thread that panicked, which may hold any lock.
pub fn set_last_words(last_words: fn()) {
    let _ = LAST_WORDS.set(last_words);
}

/// Not in a forked child, which has nobody who could tell.
#[cold]
pub(crate) fn last_words() {
    if is_own_process()
        && let Some(last_words) = LAST_WORDS.get()
    {
        last_words();
    }
}

#[cold]
pub(crate) fn unlist(id: u64) {
    if let Some(unlist) = UNLIST.get() {
        unlist(id);
    }
}

/// Aborts a task by our id; `None` where nothing was named that can.
pub fn abort(id: u64) -> Option<bool> {
    ABORT.get().map(|abort| abort(id))
}

pub(crate) fn runtime_task_id() -> u64 {
    TASK_ID.get().map_or(0, |task_id| task_id())
}

/// Whether anything was used yet.
#[inline]
pub fn is_started() -> bool {
    STARTED.load(Ordering::Relaxed)
}

/// Whether everything was started, and is off for good.
#[inline]
pub fn is_off() -> bool {
    is_started() && level::level() == level::Level::Off
}

/// The first use: calibrates the clock, chains the panic hook, starts the agent. One load after that.
#[inline]
pub fn start() {
    if !COMPLETE.load(Ordering::Acquire) {
        first_use();
    }
}

#[cold]
#[inline(never)]
fn first_use() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    // Where the starter itself spawns, it comes here again on the same thread: once is enough, and no dead lock.
    thread_local!(static INSIDE: std::cell::Cell<bool> = const { std::cell::Cell::new(false) });
    if INSIDE.replace(true) {
        return;
    }
    ONCE.call_once(|| {
        // The level of the environment holds where the program said nothing.
        if level::source() == level::Source::Default {
            match level::from_env(|key| std::env::var(key).ok()) {
                Ok(Some(to)) => _ = level::set_level(to, level::Source::Env),
                Ok(None) => {}
                Err(wrong) => complain(&wrong),
            }
        }
        if level::level() != level::Level::Off {
            clock::init();
            PID.store(std::process::id(), Ordering::Relaxed);
            switch_off_in_forks();
        }
        STARTED.store(true, Ordering::Release);
        if level::level() != level::Level::Off
            && let Some(starter) = STARTER.get()
        {
            starter();
        }
    });
    // Of a first use by a drop that unwinds, the hook is left to the next one.
    if level::level() == level::Level::Off || panic::install() {
        COMPLETE.store(true, Ordering::Release);
    }
    INSIDE.set(false);
}

/// A forked child has none of our threads, and locks that its parent's threads held stay held: it goes without us.
#[expect(unsafe_code, reason = "pthread_atfork")]
fn switch_off_in_forks() {
    extern "C" fn in_child() {
        level::give_up();
    }
    // SAFETY: the handler stores one atomic, which a forked child may do.
    let _ = unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
}

/// A bad `POLLSCOPE` must not stop the program, and must not pass unnoticed.
fn complain(wrong: &level::UnknownLevel) {
    use std::io::Write;
    let _ = writeln!(
        std::io::stderr(),
        "pollscope: POLLSCOPE: {wrong}; going on with quiet"
    );
}

/// Says who knows the words by which the runtime panics when it is used wrongly. Before the first use.
pub fn set_misuse(classify: fn(&str) -> Option<Misuse>) {
    panic::misuse::set(classify);
}

/// Says who knows of the spans that a thread is in. Before the first use.
pub fn set_spans(probe: SpanProbe) {
    crate::instrumented::spans::set(probe);
}

/// Says that somebody collects spans: from now on tasks show the one they are made in.
pub fn spans_are_collected() {
    crate::instrumented::spans::set_collected();
}

/// Whether this is the process that started us, not a fork of it.
pub fn is_own_process() -> bool {
    PID.load(Ordering::Relaxed) == std::process::id()
}

/// Looks at every live task once. Anyone, at any time; the watched program does not notice.
pub fn tasks(mut each: impl FnMut(&'static Record, Snapshot)) {
    for number in 0..slab::len() {
        if let Some(record) = slab::get(number)
            && let Some(snapshot) = record.read()
        {
            each(record, snapshot);
        }
    }
}

/// The task with this id of ours, while it lives. Scans.
pub fn find(id: u64) -> Option<(&'static Record, Snapshot)> {
    (0..slab::len()).filter_map(slab::get).find_map(|record| {
        // One word tells most records apart before the whole is read.
        if record.id.get() != id {
            return None;
        }
        record
            .read()
            .filter(|snapshot| snapshot.id == id)
            .map(|snapshot| (record, snapshot))
    })
}

/// Tells of something that belongs to one thread and was used from another, at `place`.
///
/// `site` is where the thing was made.
#[cold]
pub fn wrong_thread(
    site: crate::SiteId,
    created: crate::StackId,
    place: Option<&'static Location<'static>>,
    text: crate::event::ThreadText,
) {
    use crate::event::{Detail, Family};
    let made = Made {
        site,
        stack: created,
        tid: text.owner_tid,
    };
    tell(Family::WrongThread, made, place, || {
        Detail::Thread(Box::new(text))
    });
}

/// Tells of one of the rarer findings, about what was `made`, that happened at `place` in the task that runs here.
/// `text` is called where this is one of those told in full: see [`Tally::found`](crate::tally::Tally::found).
///
/// Nothing at level off, and where the thread is at its end.
#[cold]
pub fn note(
    family: crate::event::Family,
    made: Made,
    place: Option<&'static Location<'static>>,
    text: impl FnOnce() -> crate::event::NoteText,
) {
    use crate::event::Detail;
    tell(family, made, place, || {
        Detail::Note(family, Box::new(text()))
    });
}

fn tell(
    family: crate::event::Family,
    made: Made,
    place: Option<&'static Location<'static>>,
    detail: impl FnOnce() -> crate::event::Detail,
) {
    use crate::event::{Event, Teller};
    if is_off() {
        return;
    }
    let Some(local) = thread::local() else { return };
    let tally = local.thread.tally_of(made.site);
    let Some(observed) = crate::backtrace::of_finding(tally, family) else {
        return;
    };
    let within = local.thread.current_record();
    local.thread.tell(Event {
        at: clock::ticks(),
        site: made.site,
        task: within.map_or(0, |record| record.id.get()),
        task_name: crate::names::share(within.map_or(0, Record::name)),
        created: made.stack,
        created_tid: made.tid,
        teller: within.map_or_else(Teller::default, Teller::about),
        observed,
        place,
        detail: detail(),
    });
}

/// A thing that belongs to one thread: what `wrong_thread` needs of its making.
#[derive(Clone, Copy, Debug)]
pub struct Made {
    /// Where it was made, and its type.
    pub site: crate::SiteId,
    /// Backtrace of the making.
    pub stack: crate::StackId,
    /// The thread that made it; 0: unknown.
    pub tid: u32,
}

/// Notes the making of a `T` at `location` by this thread.
pub fn made<T>(location: &'static Location<'static>) -> Made {
    start();
    let none = Made {
        site: crate::SiteId::OTHER,
        stack: crate::StackId::NONE,
        tid: 0,
    };
    if level::level() == level::Level::Off {
        return none;
    }
    let Some(local) = thread::local() else {
        return none;
    };
    let site = local.sites.find::<T>(location, crate::TaskKind::Task);
    let tally = local.thread.tally_of(site);
    tally.made.bump(1);
    let stack = crate::backtrace::of_creation(site, tally);
    Made {
        site,
        stack,
        tid: local.thread.tid(),
    }
}

/// A panic that was just caught inside the poll that runs here: how its task was made, and what the hook saw of it.
///
/// `None` at level off, outside any poll, and while the thread ends. Given once.
#[cold]
pub fn caught_panic() -> Option<(Made, crate::event::PanicText)> {
    let record = thread::current()?.current_record()?;
    let made = Made {
        site: record.site(),
        stack: record.stack(),
        tid: 0,
    };
    Some((made, panic::caught(record).unwrap_or_default()))
}

/// Runs blocking work inside a poll (`block_in_place`): its time is not the poll's.
pub fn blocking_region<R>(work: impl FnOnce() -> R) -> R {
    let _region = thread::current_if_known().map(Region::begin);
    work()
}

/// A blocking region, over at its end whatever the end.
struct Region {
    thread: &'static thread::Thread,
    outer: thread::Outer,
    /// Ticks.
    since: u64,
}

impl Region {
    fn begin(thread: &'static thread::Thread) -> Self {
        Self {
            thread,
            outer: thread.pause(),
            since: clock::ticks(),
        }
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        let outer = self.outer.record();
        if std::thread::panicking() {
            let _ = panic::unwound(None, outer);
        }
        self.thread.resume(self.outer);
        self.thread
            .excuse(clock::ticks().saturating_sub(self.since));
    }
}

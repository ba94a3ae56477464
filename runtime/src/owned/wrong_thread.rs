//! What is said when a value is used from another thread than its own.

use std::fmt;
use std::panic::Location;
use std::thread::Thread;

use crate::capture::event::ThreadText;
use crate::capture::level::{self, Level};
use crate::capture::registry::{self, Made};

use super::home::Home;

/// A call that was refused, because the value belongs to another thread. Nothing was touched.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct WrongThread {
    /// The thread the value belongs to.
    pub owner: Thread,
    /// The thread that called.
    pub current: Thread,
    /// Where the value was made.
    pub made_at: &'static Location<'static>,
    /// Where it was called from.
    pub touched_at: &'static Location<'static>,
    /// Name of the value's type.
    pub type_name: &'static str,
}

impl PartialEq for WrongThread {
    fn eq(&self, other: &Self) -> bool {
        let of = |it: &Self| {
            (
                it.owner.id(),
                it.current.id(),
                it.made_at,
                it.touched_at,
                it.type_name,
            )
        };
        of(self) == of(other)
    }
}

impl Eq for WrongThread {}

impl fmt::Display for WrongThread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (owner, current) = (label(&self.owner), label(&self.current));
        let (made_at, touched_at) = (self.made_at, self.touched_at);
        write!(
            f,
            "{} made at {made_at} belongs to {owner}: refused to {current} at {touched_at}",
            self.type_name
        )
    }
}

impl std::error::Error for WrongThread {}

/// A thread by its name, or by its number where it has none.
pub(super) fn label(thread: &Thread) -> String {
    match thread.name() {
        Some(name) => format!("thread `{name}`"),
        None => format!("{:?}", thread.id()),
    }
}

/// Records the finding, unless the level is off. Soundness does not depend on it.
#[cold]
pub(super) fn report(
    home: &Home,
    made: Made,
    type_name: &'static str,
    did: &'static str,
    place: Option<&'static Location<'static>>,
) {
    if level::level() == Level::Off {
        return;
    }
    let text = ThreadText {
        what: type_name.to_owned(),
        did,
        owner_tid: made.tid,
        owner_name: home.thread().name().unwrap_or_default().to_owned(),
    };
    registry::wrong_thread(made.site, made.stack, place, text);
}

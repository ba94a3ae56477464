//! Panics by which a runtime says that it was used wrongly. They stay what they are; here they are noted, with the line
//! of the call, which the runtime's `#[track_caller]` makes the place of the panic.

use std::sync::OnceLock;

use crate::event::{Family, NoteText, PanicText};
use crate::registry::{self, Made};
use crate::{StackId, site, thread};

/// What a panic's message says of how the runtime was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Misuse {
    /// The family of the finding.
    pub family: Family,
    /// What was called, in words.
    pub what: &'static str,
    /// The panic's place is inside the runtime: the call has none that is known.
    pub is_inside: bool,
}

static CLASSIFY: OnceLock<fn(&str) -> Option<Misuse>> = OnceLock::new();

/// Sets who knows the runtime's words. The first holds.
pub(crate) fn set(classify: fn(&str) -> Option<Misuse>) {
    let _ = CLASSIFY.set(classify);
}

/// In the panic hook.
pub(super) fn look_at(text: &PanicText) {
    let message = text.message.as_deref();
    let classify = CLASSIFY.get();
    if let (Some(message), Some(classify)) = (message, classify)
        && let Some(misuse) = classify(message)
    {
        tell(misuse, text);
    }
}

fn tell(misuse: Misuse, text: &PanicText) {
    let task = thread::current_if_known().and_then(thread::Thread::current_record);
    let site = match (&text.place, task) {
        (Some((file, line, column)), None) => site::intern_place(file, *line, *column, misuse.what),
        (Some((file, line, column)), _) if !misuse.is_inside => {
            site::intern_place(file, *line, *column, misuse.what)
        }
        (_, Some(task)) => task.site(),
        (None, None) => return,
    };
    let made = Made {
        site,
        stack: task.map_or(StackId::NONE, crate::record::Record::stack),
        tid: 0,
    };
    registry::note(misuse.family, made, None, || NoteText {
        what: misuse.what.to_owned(),
        message: text.message.clone(),
        place: text.place.clone().filter(|_| !misuse.is_inside),
        stack: text.stack,
        ..NoteText::default()
    });
}

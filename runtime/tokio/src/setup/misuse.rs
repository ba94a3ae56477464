//! The words in which Tokio panics when it is used where it cannot be.
//!
//! They are Tokio's own, at its oldest supported version and at its newest; a test makes each panic happen. The
//! `spawn_local` outside of a `LocalSet` is not among them: it is reported as `wrong_thread`, by the call itself.

use crate::capture::event::Family;
use crate::capture::registry::Misuse;

/// How the messages begin, and what they say.
const KNOWN: &[(&str, Misuse)] = &[
    (
        "there is no reactor running",
        at_call(Family::NoRuntime, "a call into Tokio"),
    ),
    (
        // ... timers, or I/O, are disabled; or it is being shut down.
        "A Tokio 1.x context was found, but",
        at_call(Family::NoRuntime, "a call into Tokio"),
    ),
    (
        // Said by Tokio's debug builds; without them the socket blocks its worker at its first use, which is a slow poll.
        "Registering a blocking socket with the tokio runtime",
        at_call(Family::BlockingSocket, "a blocking socket"),
    ),
    (
        "Cannot start a runtime from within a runtime",
        at_call(Family::NestedRuntime, "a call of block_on"),
    ),
    (
        "Cannot block the current thread from within a runtime",
        at_call(Family::NestedRuntime, "a blocking call"),
    ),
    (
        "Cannot drop a runtime in a context where blocking is not allowed",
        Misuse {
            family: Family::NestedRuntime,
            what: "the drop of a runtime",
            // A drop has no caller.
            is_inside: true,
        },
    ),
];

const fn at_call(family: Family, what: &'static str) -> Misuse {
    Misuse {
        family,
        what,
        is_inside: false,
    }
}

/// What a panic says of how Tokio was used; `None` of all others.
pub(super) fn of_panic(message: &str) -> Option<Misuse> {
    // `expect` puts its own words first and a colon and the error after: the beginning is what is known.
    KNOWN
        .iter()
        .find(|(begins, _)| message.starts_with(begins))
        .map(|(_, misuse)| *misuse)
}

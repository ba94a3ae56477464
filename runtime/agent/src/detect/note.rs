//! The rarer families, told in words: what each kind makes of them.

use std::sync::Arc;

use pollscope_capture::event::{Family, NoteText};

use crate::finding::{Certainty, Finding, Kind, Severity, Source};

/// From this long on a slow drop is an error, as a slow poll is.
const VERY_SLOW_NS: u64 = 1_000_000_000;

/// The kind of a family.
pub(super) const fn kind(family: Family) -> Kind {
    match family {
        Family::PendingDestroyed | Family::IdleDestroyed => Kind::PendingDestroyed,
        Family::TimerLate => Kind::TimerLate,
        Family::NestedRuntime => Kind::NestedRuntime,
        Family::NoRuntime => Kind::NoRuntime,
        Family::ResourceLeak | Family::IdleResource => Kind::ResourceLeak,
        Family::SlowDrop => Kind::SlowDrop,
        Family::CallbackPanic => Kind::CallbackPanic,
        Family::ShutdownPanic => Kind::ShutdownPanic,
        Family::BlockingPoolFull => Kind::BlockingPoolFull,
        Family::LockAcrossAwait => Kind::LockAcrossAwait,
        Family::BlockingSocket => Kind::BlockingSocket,
        Family::SlowLookup => Kind::SlowLookup,
        // Told by an event of their own.
        Family::NeverAwaited | Family::Unpolled => Kind::NeverAwaited,
        Family::SlowPoll | Family::LongPoll => Kind::SlowPoll,
        Family::LeakedError => Kind::LeakedError,
        Family::LeakedPanic => Kind::LeakedPanic,
        Family::WrongThread => Kind::WrongThread,
    }
}

/// What its kind, and how long it took, say of how bad it is.
const fn severity(family: Family, ns: Option<u64>) -> Severity {
    match family {
        Family::IdleDestroyed | Family::IdleResource | Family::SlowLookup => Severity::Info,
        Family::NestedRuntime
        | Family::BlockingSocket
        | Family::NoRuntime
        | Family::CallbackPanic
        | Family::ShutdownPanic => Severity::Error,
        Family::SlowDrop if matches!(ns, Some(VERY_SLOW_NS..)) => Severity::Error,
        _ => Severity::Warn,
    }
}

pub(super) fn finding(mut finding: Finding, family: Family, text: &NoteText) -> Finding {
    finding.severity = severity(family, text.ns);
    finding.certainty = match finding.severity {
        Severity::Info => Certainty::Likely,
        Severity::Warn | Severity::Error => Certainty::Definite,
    };
    if !text.what.is_empty() {
        finding.subject = Some(text.what.clone());
    }
    finding.did = Some(text.did).filter(|did| !did.is_empty());
    finding.panic.clone_from(&text.message);
    finding.wall_ns = text.ns;
    finding.worst_ns = text.ns;
    finding.threshold_ns = text.threshold_ns;
    finding.number = text.count;
    if let Some((file, line, column)) = &text.place {
        finding.observed.source = Some(Source::at(file.clone(), *line, *column));
    }
    if !text.stack.is_none() {
        finding.observed.stack = Arc::from(text.stack.frames());
    }
    finding
}

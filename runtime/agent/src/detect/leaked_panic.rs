//! Leaked panics: a task panicked, and nobody asked how it ended.

use std::sync::Arc;

use pollscope_capture::event::PanicText;

use crate::finding::{Certainty, Finding, Severity, Source};

pub(super) fn finding(mut finding: Finding, text: &PanicText) -> Finding {
    finding.severity = Severity::Error;
    finding.certainty = Certainty::Definite;
    finding.panic.clone_from(&text.message);
    // The panic was on the thread that polled; this was told by whoever let go of the task last.
    finding.observed.thread = None;
    finding.observed.stack = Arc::from(text.stack.frames());
    finding.observed.source = text
        .place
        .as_ref()
        .map(|(file, line, column)| Source::at(file.clone(), *line, *column));
    finding
}

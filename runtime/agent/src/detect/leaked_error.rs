//! Leaked errors: a task returned an `Err`, and the output was dropped without anybody looking at it.

use pollscope_capture::event::ErrorText;

use crate::finding::{Certainty, Finding, Severity};

pub(super) fn finding(mut finding: Finding, text: &ErrorText) -> Finding {
    finding.severity = Severity::Error;
    finding.certainty = Certainty::Definite;
    finding.error = Some(text.clone());
    finding
}

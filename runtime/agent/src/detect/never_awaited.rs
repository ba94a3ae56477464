//! Never awaited: a future that was dropped before its first poll.
//!
//! With proof that nobody could have meant to poll it, a warning; without, a note: a foreign `select!` drops the
//! arms that it never came to, and nothing at the drop tells that from a forgotten await.

use crate::finding::{Certainty, Finding, Severity};

pub(super) fn finding(mut finding: Finding, definite: bool) -> Finding {
    (finding.severity, finding.certainty) = if definite {
        (Severity::Warn, Certainty::Definite)
    } else {
        (Severity::Info, Certainty::Likely)
    };
    finding
}

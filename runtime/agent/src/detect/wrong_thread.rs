//! Wrong thread: something that belongs to one thread was touched, dropped or spawned from another, and refused.

use std::sync::Arc;

use pollscope_capture::event::ThreadText;

use crate::finding::{Certainty, Finding, Severity, ThreadName};

pub(super) fn finding(mut finding: Finding, text: &ThreadText) -> Finding {
    finding.severity = Severity::Error;
    finding.certainty = Certainty::Definite;
    finding.created.thread = Some(ThreadName {
        tid: text.owner_tid,
        name: Arc::from(&*text.owner_name),
    });
    finding.subject = Some(text.what.clone());
    finding.did = Some(text.did);
    finding
}

//! Warnings. Their frames stay as they came until somebody resolves them.

use pollscope_proto::v1;

use super::{RawStack, long_text, place, severity, site, some_text, text, verdict};
use crate::model::{Delayed, ErrorText, SubFuture, TaskRef, Warning, WarningKind};

/// A warning whose two backtraces are still to be filled in.
#[derive(Clone, Debug)]
pub(in crate::net) struct RawWarning {
    pub(in crate::net) warning: Warning,
    pub(in crate::net) created: RawStack,
    pub(in crate::net) observed: RawStack,
}

pub(in crate::net) fn warning(from: &v1::Warning) -> RawWarning {
    let severity = severity(from.severity()).unwrap_or_default();
    let (created_at, created) = from.created.as_ref().map(place).unwrap_or_default();
    let (observed_at, observed) = from.observed.as_ref().map(place).unwrap_or_default();
    let task = (from.task_id != 0).then(|| TaskRef {
        id: from.task_id,
        name: text(&from.task_name),
    });
    let delayed = from.delayed_tasks.map(|tasks| Delayed {
        tasks,
        max_ns: from.delayed_max_ns.unwrap_or(0),
    });
    let warning = Warning {
        id: from.id,
        kind: WarningKind(text(&from.kind)),
        severity,
        certainty: text(&from.certainty),
        live: from.live,
        count: from.count,
        first_ns: from.first_ns,
        last_ns: from.last_ns,
        message: long_text(&from.message),
        site: from
            .site
            .as_ref()
            .map(site)
            .filter(|site| !site.file.is_empty()),
        task,
        created: created_at,
        observed: observed_at,
        verdict: from.verdict.as_ref().map(verdict),
        wall_ns: from.wall_ns,
        cpu_ns: from.cpu_ns,
        threshold_ns: from.threshold_ns,
        poll: from.poll,
        sub_future: from.sub_future.as_ref().map(sub_future),
        delayed,
        error: from.error.as_ref().map(error),
        worst_ns: from.worst_ns,
        tasks: from.tasks,
    };
    RawWarning {
        warning,
        created,
        observed,
    }
}

fn sub_future(from: &v1::Site) -> SubFuture {
    SubFuture {
        type_name: text(&from.type_name),
        site: Some(site(from)).filter(|site| !site.file.is_empty()),
    }
}

fn error(error: &v1::ErrorText) -> ErrorText {
    ErrorText {
        type_name: text(&error.type_name),
        display: some_text(&error.display),
        debug: some_text(&error.debug),
    }
}

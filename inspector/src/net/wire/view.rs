//! What a client asks: views and changes.

use pollscope_proto::limits::{INTERVAL_MS, MAX_FILTER_BYTES, cut};
use pollscope_proto::v1;

use super::{level, text};
use crate::model::{Change, Level, View};

pub(in crate::net) fn view(id: u32, view: &View) -> v1::View {
    v1::View {
        id,
        filter: cut(&view.filter, MAX_FILTER_BYTES).to_owned(),
        order: view.order.clone(),
        descending: view.descending,
        offset: view.offset,
        limit: view.limit,
        interval_ms: view
            .interval_ms
            .clamp(*INTERVAL_MS.start(), *INTERVAL_MS.end()),
        sites: view.sites,
        threads: view.threads,
        warnings: view.warnings,
        history: view.history,
        once: false,
        done: view.done,
        site: view.site.unwrap_or(0),
    }
}

pub(in crate::net) fn change(change: &Change) -> v1::ConfigureRequest {
    let level = match change.level {
        None => v1::Level::Unspecified,
        Some(Level::Off) => v1::Level::Off,
        Some(Level::Quiet) => v1::Level::Quiet,
        Some(Level::Debug) => v1::Level::Debug,
    };
    v1::ConfigureRequest {
        level: level.into(),
        slow_poll_ns: change.slow_poll_ns,
        log_level: change.log.clone().unwrap_or_default(),
        backtrace_depth: change.depth,
        dedupe: change.dedupe,
    }
}

/// The settings in force after a change.
pub(in crate::net) fn settings(reply: &v1::ConfigureReply) -> Change {
    Change {
        level: Some(level(reply.level())),
        slow_poll_ns: Some(reply.slow_poll_ns),
        log: Some(text(&reply.log_level)),
        depth: Some(reply.backtrace_depth).filter(|depth| *depth > 0),
        dedupe: reply.dedupe,
    }
}

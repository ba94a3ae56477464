//! Stacks and verdicts as they travel: frames by module and offset, so that whoever has the file can name them.

use pollscope_capture::stack::{self, End, LiveStack, ModuleInfo};
use pollscope_capture::{StackId, site};
use pollscope_proto::limits::{MAX_FRAMES, MAX_MESSAGE_TEXT_BYTES, cut};
use pollscope_proto::v1;

use super::rows;
use crate::finding::{Finding, Place, Source, ThreadName};

/// Addresses, innermost first, as frames of the wire.
///
/// Here an address lies inside its instruction; the wire carries what is one past it.
pub(super) fn frames(addresses: &[usize]) -> Vec<v1::Frame> {
    let in_module = |address: &usize| {
        let (module, offset) = stack::locate(*address).unwrap_or((u32::MAX, *address as u64));
        v1::Frame {
            module,
            offset: offset.saturating_add(1),
        }
    };
    addresses.iter().take(MAX_FRAMES).map(in_module).collect()
}

/// The backtrace of a creation, or the one that stands in for it.
pub(super) fn creation(own: StackId, site: &site::Site) -> Option<v1::Stack> {
    let exemplar = own.is_none();
    let addresses = if exemplar {
        site.exemplar().frames()
    } else {
        own.frames()
    };
    (!addresses.is_empty()).then(|| v1::Stack {
        frames: frames(addresses),
        exemplar,
        truncated: addresses.len() >= stack::MAX_FRAMES,
    })
}

pub(super) fn live(live: &LiveStack) -> v1::Stack {
    v1::Stack {
        frames: frames(live.frames()),
        exemplar: false,
        truncated: live.end != End::Root || live.depth > live.frames().len(),
    }
}

pub(super) fn verdict(verdict: &stack::Verdict) -> v1::Verdict {
    v1::Verdict {
        state: verdict.activity.name().to_owned(),
        syscall: match (verdict.syscall_name(), verdict.syscall) {
            (Some(name), _) => name.to_owned(),
            (None, Some(number)) => number.to_string(),
            (None, None) => String::new(),
        },
    }
}

pub(super) fn module(module: &ModuleInfo) -> v1::Module {
    v1::Module {
        index: module.index,
        build_id: rows::text(&module.build_id),
        path: rows::text(&module.path),
        bias: module.base,
    }
}

pub(super) fn warning(finding: &Finding) -> v1::Warning {
    let long = |text: &str| cut(text, MAX_MESSAGE_TEXT_BYTES).to_owned();
    let error = match (&finding.error, &finding.panic) {
        (Some(error), _) => Some(v1::ErrorText {
            type_name: rows::text(error.type_name),
            display: error.display.as_deref().map(long).unwrap_or_default(),
            debug: error.debug.as_deref().map(long).unwrap_or_default(),
        }),
        (None, Some(panic)) => Some(v1::ErrorText {
            display: long(panic),
            ..v1::ErrorText::default()
        }),
        (None, None) => None,
    };
    v1::Warning {
        id: finding.id,
        kind: finding.kind.name().to_owned(),
        severity: rows::severity(Some(finding.severity)).into(),
        certainty: finding.certainty.name().to_owned(),
        live: finding.live,
        count: finding.count,
        first_ns: finding.first_ns,
        last_ns: finding.last_ns,
        message: long(&finding.message),
        site: Some(source(&finding.site)),
        task_id: finding.task,
        task_name: finding
            .task_name
            .as_deref()
            .map(rows::text)
            .unwrap_or_default(),
        created: place(&finding.created),
        observed: place(&finding.observed),
        verdict: finding.verdict.as_ref().map(verdict),
        wall_ns: finding.wall_ns,
        cpu_ns: finding.cpu_ns,
        threshold_ns: finding.threshold_ns,
        poll: finding.poll,
        delayed_tasks: finding.delayed.map(|delayed| delayed.tasks),
        delayed_max_ns: finding.delayed.map(|delayed| delayed.max_ns),
        error,
        worst_ns: finding.worst_ns,
        tasks: finding.tasks,
        sub_future: finding.sub_future.as_ref().map(source),
    }
}

/// `None` for a place of which nothing is known.
fn place(place: &Place) -> Option<v1::Place> {
    let known = place.source.is_some() || place.thread.is_some() || !place.stack.is_empty();
    known.then(|| v1::Place {
        site: place.source.as_ref().map(source),
        thread: place.thread.as_ref().map(thread),
        stack: (!place.stack.is_empty()).then(|| v1::Stack {
            frames: frames(&place.stack),
            exemplar: place.exemplar,
            truncated: place.truncated,
        }),
    })
}

fn source(source: &Source) -> v1::Site {
    v1::Site {
        id: source.id.0,
        file: rows::text(&source.file),
        line: source.line,
        column: source.column,
        type_name: rows::text(&source.type_name),
        kind: rows::kind(source.kind).into(),
        ..v1::Site::default()
    }
}

fn thread(thread: &ThreadName) -> v1::ThreadRef {
    v1::ThreadRef {
        tid: thread.tid,
        name: rows::text(&thread.name),
    }
}

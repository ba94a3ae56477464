//! Protocol messages to model and back: the one place that knows both, where every string is cleaned and every
//! number is made sane.

use pollscope_proto::limits::{MAX_FRAMES, MAX_MESSAGE_TEXT_BYTES, MAX_TEXT_BYTES};
use pollscope_proto::v1;

use super::clean;
use super::symbols::{Module, RawFrame, RawStack};
use crate::model::{
    Distribution, Frame, Level, Outcome, Place, Rights, Severity, Site, TaskKind, TaskState,
    ThreadRef, Verdict,
};

mod detail;
mod hello;
mod rows;
mod view;
mod warning;

pub(super) use detail::{detail, thread_stack};
pub(super) use hello::{Answer, answer, hello_request, seconds};
pub(super) use rows::{Numbers, runtime, site_row, task, thread, totals};
pub(super) use view::{change, settings, view};
pub(super) use warning::{RawWarning, warning};

/// A name, a path, a word.
fn text(dirty: &str) -> String {
    clean(dirty, MAX_TEXT_BYTES)
}

/// A message or the text of an error.
pub(super) fn long_text(dirty: &str) -> String {
    clean(dirty, MAX_MESSAGE_TEXT_BYTES)
}

fn some_text(dirty: &str) -> Option<String> {
    Some(long_text(dirty)).filter(|text| !text.is_empty())
}

/// A ratio or a rate: JSON knows no NaN.
fn finite(number: f64) -> f64 {
    if number.is_finite() { number } else { 0.0 }
}

fn level(level: v1::Level) -> Level {
    match level {
        v1::Level::Off => Level::Off,
        v1::Level::Debug => Level::Debug,
        v1::Level::Quiet | v1::Level::Unspecified => Level::Quiet,
    }
}

fn rights(rights: v1::Rights) -> Rights {
    match rights {
        v1::Rights::Abort => Rights::Abort,
        v1::Rights::Debug => Rights::Debug,
        v1::Rights::Read | v1::Rights::Unspecified => Rights::Read,
    }
}

fn kind(kind: v1::TaskKind) -> TaskKind {
    match kind {
        v1::TaskKind::Task | v1::TaskKind::Unspecified => TaskKind::Task,
        v1::TaskKind::Local => TaskKind::Local,
        v1::TaskKind::Blocking => TaskKind::Blocking,
        v1::TaskKind::BlockOn => TaskKind::BlockOn,
        v1::TaskKind::Request => TaskKind::Request,
        v1::TaskKind::Foreign => TaskKind::Foreign,
    }
}

fn state(state: v1::TaskState) -> TaskState {
    match state {
        v1::TaskState::Running => TaskState::Running,
        v1::TaskState::Scheduled => TaskState::Scheduled,
        v1::TaskState::Idle | v1::TaskState::Unspecified => TaskState::Idle,
        v1::TaskState::Unpolled => TaskState::Unpolled,
        v1::TaskState::Done => TaskState::Done,
    }
}

fn outcome(outcome: v1::Outcome) -> Option<Outcome> {
    match outcome {
        v1::Outcome::Unspecified => None,
        v1::Outcome::Ok => Some(Outcome::Ok),
        v1::Outcome::Error => Some(Outcome::Error),
        v1::Outcome::Panic => Some(Outcome::Panic),
        v1::Outcome::Aborted => Some(Outcome::Aborted),
    }
}

fn severity(severity: v1::Severity) -> Option<Severity> {
    match severity {
        v1::Severity::Unspecified => None,
        v1::Severity::Info => Some(Severity::Info),
        v1::Severity::Warn => Some(Severity::Warn),
        v1::Severity::Error => Some(Severity::Error),
    }
}

pub(super) fn site(site: &v1::Site) -> Site {
    Site {
        id: site.id,
        kind: kind(site.kind()),
        file: text(&site.file),
        line: site.line,
        column: site.column,
        type_name: text(&site.type_name),
        name: text(&site.name),
    }
}

fn thread_ref(thread: &v1::ThreadRef) -> ThreadRef {
    ThreadRef {
        tid: thread.tid,
        name: text(&thread.name),
    }
}

fn verdict(verdict: &v1::Verdict) -> Verdict {
    Verdict {
        state: text(&verdict.state),
        syscall: some_text(&verdict.syscall),
    }
}

fn distribution(quantiles: v1::Quantiles) -> Distribution {
    let mut buckets = quantiles.buckets;
    buckets.truncate(pollscope_proto::buckets::COUNT);
    Distribution {
        p50: quantiles.p50,
        p90: quantiles.p90,
        p99: quantiles.p99,
        max: quantiles.max,
        count: quantiles.count,
        buckets,
    }
}

pub(super) fn module(module: &v1::Module) -> Module {
    Module {
        index: module.index,
        build_id: text(&module.build_id),
        path: text(&module.path).into(),
    }
}

fn stack(stack: &v1::Stack) -> RawStack {
    let frames = stack.frames.iter().take(MAX_FRAMES);
    RawStack {
        frames: frames
            .map(|frame| RawFrame {
                module: frame.module,
                offset: frame.offset,
            })
            .collect(),
        exemplar: stack.exemplar,
    }
}

/// The place without its frames, and the frames as they came.
fn place(from: &v1::Place) -> (Place, RawStack) {
    let raw = from.stack.as_ref().map(stack).unwrap_or_default();
    let place = Place {
        site: from
            .site
            .as_ref()
            .map(site)
            .filter(|site| !site.file.is_empty()),
        thread: from.thread.as_ref().map(thread_ref),
        backtrace: Vec::new(),
        exemplar: raw.exemplar,
    };
    (place, raw)
}

/// Frames as a request of the target, which looks up the call before each.
pub(super) fn resolve_request(frames: &[RawFrame]) -> v1::ResolveRequest {
    let frames = frames.iter().map(|frame| v1::Frame {
        module: frame.module,
        offset: frame.offset,
    });
    v1::ResolveRequest {
        frames: frames.collect(),
    }
}

/// The source frames of one machine frame, as the target resolved it.
pub(super) fn resolved(frame: &v1::ResolvedFrame, module: &str, offset: u64) -> Vec<Frame> {
    let lines = frame.source.iter().take(MAX_FRAMES);
    lines
        .map(|line| {
            source_frame(
                &line.function,
                &line.file,
                line.line,
                line.inlined,
                module,
                offset,
            )
        })
        .collect()
}

/// A source frame. What an executable names its functions is as hostile as what a target sends.
pub(super) fn source_frame(
    function: &str,
    file: &str,
    line: u32,
    inlined: bool,
    module: &str,
    offset: u64,
) -> Frame {
    Frame {
        function: text(function),
        file: text(file),
        line,
        module: module.to_owned(),
        offset,
        inlined,
    }
}

//! The program's own exception handler: called in place of the log, on the log's thread.
//!
//! So a handler that blocks stalls the log and nothing else, and one that panics costs its own call: the context
//! is logged instead, with what happened. What the handler itself does wrong is found on a thread of ours, and
//! goes no further: there is no recursion.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pollscope_capture::exception::Context;
use pollscope_capture::level;
use pollscope_proto::frames::{Origin, origin};

use crate::finding::{Finding, Kind};
use crate::message::clean;
use crate::{start, symbols};

type Handler = dyn Fn(&Context) + Send + Sync;

static HANDLER: Mutex<Option<Arc<Handler>>> = Mutex::new(None);
static IS_SET: AtomicBool = AtomicBool::new(false);

/// How long names of frames are waited for. The first may take longer, where there is much debug information: then
/// that one goes without, rather than that a program ends before its handler was called.
const PATIENCE: Duration = Duration::from_millis(150);

/// Sets what is called of what went wrong unseen, in place of the log; `None`: the log again.
pub fn set_exception_handler(handler: Option<Box<Handler>>) {
    IS_SET.store(handler.is_some(), Ordering::Relaxed);
    *HANDLER.lock().unwrap_or_else(PoisonError::into_inner) = handler.map(Arc::from);
}

/// Whether a finding of this kind goes to a handler that is set: what asyncio's is called for. Other kinds are
/// warnings, and go to the log as asyncio's do.
pub(crate) fn wants(kind: Kind) -> bool {
    let unseen = matches!(
        kind,
        Kind::LeakedError
            | Kind::LeakedPanic
            | Kind::CallbackPanic
            | Kind::PendingDestroyed
            | Kind::ShutdownPanic
    );
    unseen && IS_SET.load(Ordering::Relaxed)
}

/// Calls the handler. What it said when it panicked, or that there is none any more.
pub(crate) fn call(finding: &Finding, left_out: u64) -> Result<(), Option<String>> {
    let handler = HANDLER
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    let handler = handler.ok_or(None)?;
    let context = context(finding, left_out);
    catch_unwind(AssertUnwindSafe(|| handler(&context))).map_err(|payload| {
        let text = payload
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        Some(clean(text.unwrap_or("it panicked")))
    })
}

fn context(finding: &Finding, left_out: u64) -> Context {
    let error = finding.error.as_ref();
    let text = error.and_then(|error| error.display.clone().or_else(|| error.debug.clone()));
    let mut context = Context::default();
    context.message.clone_from(&finding.message);
    context.kind = finding.kind.name();
    context.severity = finding.severity.name();
    context.task = finding.task;
    context.task_name = finding.task_name.as_deref().map(str::to_owned);
    context.exception = text.or_else(|| finding.panic.clone());
    context.exception_type = error.map(|error| error.type_name);
    context.site = finding.site.to_string();
    context.place = finding.observed.source.as_ref().map(ToString::to_string);
    context.source_backtrace = named(&finding.created.stack);
    context.count = finding.count;
    context.left_out = left_out;
    context
}

/// The user's own frames of a stack by name, where this process can name them.
fn named(stack: &[usize]) -> Vec<String> {
    let Some(agent) = start::running().filter(|_| !stack.is_empty()) else {
        return Vec::new();
    };
    let (tell, told) = sync_channel(1);
    let asked = agent.symbols.ask(symbols::frames(stack), move |answer| {
        drop(tell.try_send(answer));
    });
    let answer = asked.then(|| told.recv_timeout(PATIENCE).ok()).flatten();
    let lines = answer.unwrap_or_default().into_iter().flatten();
    lines
        .filter(|line| origin(&line.function, &line.file) == Origin::User)
        .take(level::depth() as usize)
        .map(|line| format!("{} at {}:{}", line.function, line.file, line.line))
        .collect()
}

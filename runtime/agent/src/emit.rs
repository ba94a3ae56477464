//! Logging, on a thread of its own: a subscriber that blocks stalls nobody but this thread.
//!
//! Lines go to `tracing`, target `pollscope`, with their fields; where no subscriber would take them, to stderr, one
//! line each. Which of the two is asked for every line, so that a subscriber that is set later gets what comes
//! later. The queue is bounded: what does not fit is dropped and counted.

use std::io::Write;
use std::os::fd::AsFd;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use pollscope_capture::exception::Context;

use crate::config::LogLevel;
use crate::finding::{Kind, Severity};
use crate::message::clean;
use crate::warnings::LogLine;
use crate::{handler, ours, sys};

/// Lines that wait for the subscriber.
const QUEUE: usize = 1024;

static LEVEL: AtomicU8 = AtomicU8::new(LogLevel::Warn as u8);
static DROPPED: AtomicU64 = AtomicU64::new(0);
static EMITTER: OnceLock<SyncSender<Message>> = OnceLock::new();
/// There is no thread: lines are written by whoever has them.
static HERE: AtomicBool = AtomicBool::new(false);

enum Message {
    Finding(Box<LogLine>),
    /// Something about pollscope itself.
    Note(LogLevel, String),
    /// Answered when everything before it is out.
    Flush(SyncSender<()>),
}

/// What is logged.
pub(crate) fn level() -> LogLevel {
    match LEVEL.load(Ordering::Relaxed) {
        0 => LogLevel::Off,
        1 => LogLevel::Error,
        3 => LogLevel::Info,
        4 => LogLevel::Debug,
        _ => LogLevel::Warn,
    }
}

/// Sets what is logged.
pub(crate) fn set_level(level: LogLevel) {
    LEVEL.store(level as u8, Ordering::Relaxed);
}

/// Lines that found no room.
pub(crate) fn dropped() -> u64 {
    DROPPED.load(Ordering::Relaxed)
}

/// Starts the thread.
pub(crate) fn start() {
    let (sender, receiver) = sync_channel(QUEUE);
    if ours::spawn("pollscope-log", move || run(&receiver)) {
        let _ = EMITTER.set(sender);
    }
}

/// Has lines written by whoever has them, until [`start`]: there are no threads of ours.
pub(crate) fn start_here() {
    HERE.store(true, Ordering::Relaxed);
}

/// Queues findings for the log. Never waits.
pub(crate) fn findings(lines: Vec<LogLine>) {
    for line in lines {
        if level_of(line.severity) <= level() || line.finding.is_some() {
            send(Message::Finding(Box::new(line)));
        }
    }
}

/// Queues a line about pollscope itself. Never waits.
pub(crate) fn note(at: LogLevel, text: impl Into<String>) {
    if at <= level() {
        send(Message::Note(at, text.into()));
    }
}

/// Queues a line about what pollscope cannot do here. Never waits.
pub(crate) fn say(text: &str) {
    note(LogLevel::Warn, text);
}

/// Waits until what was queued is out, or the time is over.
pub(crate) fn flush(timeout: Duration) {
    let (done, out) = sync_channel(1);
    let queued = EMITTER
        .get()
        .is_some_and(|emitter| emitter.try_send(Message::Flush(done)).is_ok());
    if queued {
        let _ = out.recv_timeout(timeout);
    }
}

fn send(message: Message) {
    if EMITTER.get().is_none() && HERE.load(Ordering::Relaxed) {
        write(message);
        return;
    }
    let sent = EMITTER
        .get()
        .is_some_and(|emitter| emitter.try_send(message).is_ok());
    if !sent {
        DROPPED.fetch_add(1, Ordering::Relaxed);
    }
}

fn level_of(severity: Severity) -> LogLevel {
    match severity {
        Severity::Error => LogLevel::Error,
        Severity::Warn => LogLevel::Warn,
        // Notes are never logged.
        Severity::Info => LogLevel::Debug,
    }
}

fn run(receiver: &Receiver<Message>) {
    while let Ok(message) = receiver.recv() {
        write(message);
    }
}

fn write(message: Message) {
    ours::guarded(|| match message {
        Message::Finding(line) => deliver(&line),
        Message::Note(at, text) => note_now(at, &text),
        Message::Flush(done) => _ = done.try_send(()),
    });
}

/// To the program's handler, where there is one that wants it; else, and where that panics, to the log.
fn deliver(line: &LogLine) {
    let handled = line
        .finding
        .as_deref()
        .map_or(Err(None), |finding| handler::call(finding, line.left_out));
    match handled {
        Err(Some(why)) => log(&LogLine {
            severity: Severity::Error,
            message: format!(
                "unhandled error in exception handler: {why}; the original context: {}",
                line.message
            ),
            finding: None,
            ..line.clone()
        }),
        Err(None) if level_of(line.severity) <= level() => log(line),
        Ok(()) | Err(None) => {}
    }
}

/// A subscriber may panic: then the line goes where it would go without one.
fn log(line: &LogLine) {
    let logged = std::panic::catch_unwind(|| {
        if is_taken(level_of(line.severity)) {
            trace(line);
            true
        } else {
            false
        }
    });
    match logged {
        Ok(true) => {}
        Ok(false) => {
            explain();
            print(line.severity.name(), &text_of(line));
        }
        Err(_) => print(
            line.severity.name(),
            &format!("the tracing subscriber panicked at: {}", text_of(line)),
        ),
    }
}

/// What is done with a context where no handler is set: it is logged. For a handler that wants that, too; to be called
/// from within one.
pub fn default_exception_handler(context: &Context) {
    let severity = if context.severity == Severity::Error.name() {
        Severity::Error
    } else {
        Severity::Warn
    };
    if level_of(severity) > level() {
        return;
    }
    log(&LogLine {
        kind: Kind::of_name(context.kind).unwrap_or(Kind::LeakedError),
        severity,
        message: context.message.clone(),
        site: context.site.clone(),
        task: context.task,
        task_name: context.task_name.as_deref().map_or_else(String::new, clean),
        count: context.count,
        left_out: context.left_out,
        finding: None,
    });
}

/// Says once why lines appear on stderr.
fn explain() {
    static SAID: AtomicBool = AtomicBool::new(false);
    if !SAID.swap(true, Ordering::Relaxed) {
        print(
            "note",
            "no tracing subscriber takes target `pollscope`: its findings are written here",
        );
    }
}

fn note_now(at: LogLevel, text: &str) {
    let text = clean(text);
    if is_taken(at) {
        match at {
            LogLevel::Off => {}
            LogLevel::Error => tracing::error!(target: "pollscope", "{text}"),
            LogLevel::Warn => tracing::warn!(target: "pollscope", "{text}"),
            LogLevel::Info => tracing::info!(target: "pollscope", "{text}"),
            LogLevel::Debug => tracing::debug!(target: "pollscope", "{text}"),
        }
    } else if at <= LogLevel::Warn {
        print(at.name(), &text);
    }
}

/// Whether a subscriber would take an event of ours.
fn is_taken(at: LogLevel) -> bool {
    match at {
        LogLevel::Off => false,
        LogLevel::Error => tracing::enabled!(target: "pollscope", tracing::Level::ERROR),
        LogLevel::Warn => tracing::enabled!(target: "pollscope", tracing::Level::WARN),
        LogLevel::Info => tracing::enabled!(target: "pollscope", tracing::Level::INFO),
        LogLevel::Debug => tracing::enabled!(target: "pollscope", tracing::Level::DEBUG),
    }
}

fn trace(line: &LogLine) {
    macro_rules! event {
        ($level:expr) => {
            tracing::event!(
                target: "pollscope",
                $level,
                kind = line.kind.name(),
                severity = line.severity.name(),
                site = line.site.as_str(),
                task = line.task,
                task_name = line.task_name.as_str(),
                count = line.count,
                left_out = line.left_out,
                "{}",
                line.message
            )
        };
    }
    if line.severity == Severity::Error {
        event!(tracing::Level::ERROR);
    } else {
        event!(tracing::Level::WARN);
    }
}

fn text_of(line: &LogLine) -> String {
    match line.left_out {
        0 => line.message.clone(),
        left_out => format!("{} (and {left_out} more since the last line)", line.message),
    }
}

/// One line to stderr. One that cannot be written at once is lost and counted: whoever waits here has the lock that
/// the program's own `eprintln!` needs.
fn print(word: &str, text: &str) {
    let stderr = std::io::stderr();
    let line = format!("pollscope: {word}: {text}\n");
    let written =
        sys::takes_a_line(stderr.as_fd()) && stderr.lock().write_all(line.as_bytes()).is_ok();
    if !written {
        DROPPED.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_never_reach_a_log_that_shows_warnings() {
        assert!(level_of(Severity::Info) > LogLevel::Warn);
        assert!(level_of(Severity::Warn) <= LogLevel::Warn);
        assert!(
            level_of(Severity::Warn) > LogLevel::Error,
            "level error hides warnings"
        );
        assert!(level_of(Severity::Error) > LogLevel::Off);
    }

    #[test]
    fn what_was_left_out_is_said() {
        let line = LogLine {
            kind: crate::finding::Kind::SlowPoll,
            severity: Severity::Warn,
            message: "Polling task 7 took 0.124 s".to_owned(),
            site: "src/a.rs:1".to_owned(),
            task: 7,
            task_name: String::new(),
            count: 12,
            left_out: 0,
            finding: None,
        };
        assert_eq!(text_of(&line), "Polling task 7 took 0.124 s");
        assert_eq!(
            text_of(&LogLine {
                left_out: 9,
                ..line
            }),
            "Polling task 7 took 0.124 s (and 9 more since the last line)"
        );
    }
}

//! Names of frames, found in this process on a thread of their own with a low priority.
//!
//! The viewer resolves frames as a rule. This is for what cannot wait for one: to tell blocked workers apart by the
//! user's line, and to answer `Resolve` where the viewer cannot read the executable. The thread starts at a question, and
//! ends when there was none for a while: all memory that names took goes with it. Without the feature `symbols` every
//! question is answered by nothing.

#[cfg(feature = "symbols")]
use std::sync::Weak;
use std::sync::mpsc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
#[cfg(feature = "symbols")]
use std::time::Duration;

use pollscope_capture::stack;

#[cfg(feature = "symbols")]
mod loaded;

/// A frame, by the module it is in and the address in that file's own tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Frame {
    /// Its number; that of no module where there is none.
    pub(crate) module: u32,
    pub(crate) offset: u64,
}

/// One function of the source at one machine frame.
#[expect(
    clippy::struct_field_names,
    reason = "the word for it, here as on the wire"
)]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) function: String,
    pub(crate) file: String,
    pub(crate) line: u32,
    pub(crate) inlined: bool,
}

/// For each frame asked for the functions it stands for, inlined ones first; none where nothing is known.
pub(crate) type Answer = Vec<Vec<Line>>;

#[cfg_attr(
    not(feature = "symbols"),
    expect(dead_code, reason = "without the feature nobody reads questions")
)]
struct Question {
    frames: Vec<Frame>,
    answer: Box<dyn FnOnce(Answer) + Send>,
}

/// Questions that wait; past it they are refused.
#[cfg(feature = "symbols")]
const QUEUE: usize = 32;
/// How long the thread waits for another question.
#[cfg(feature = "symbols")]
const IDLE: Duration = Duration::from_secs(30);

/// The frames of a stack as the symbol thread takes them; those outside of any module are left out.
pub(crate) fn frames(stack: &[usize]) -> Vec<Frame> {
    let located = stack.iter().filter_map(|frame| stack::locate(*frame));
    located
        .map(|(module, offset)| Frame { module, offset })
        .collect()
}

/// The way to the thread that resolves.
pub(crate) struct Symbols {
    /// `None`: there is no thread.
    questions: Questions,
    /// The thread ends when nobody asked for so long.
    #[cfg(feature = "symbols")]
    idle: Duration,
}

type Questions = Arc<Mutex<Option<mpsc::SyncSender<Question>>>>;

impl std::fmt::Debug for Symbols {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Symbols").finish_non_exhaustive()
    }
}

impl Symbols {
    pub(crate) fn new() -> Self {
        Self {
            questions: Questions::default(),
            #[cfg(feature = "symbols")]
            idle: IDLE,
        }
    }

    /// Whether there can be answers.
    pub(crate) fn is_there() -> bool {
        cfg!(feature = "symbols")
    }

    /// Asks for the names of frames; `answer` is called on the resolving thread. False, and no call, where the
    /// feature is out or too many wait already. Never waits.
    pub(crate) fn ask(
        &self,
        frames: Vec<Frame>,
        answer: impl FnOnce(Answer) + Send + 'static,
    ) -> bool {
        let mut questions = locked(&self.questions);
        if questions.is_none() {
            *questions = start(self);
        }
        let question = Question {
            frames,
            answer: Box::new(answer),
        };
        questions
            .as_ref()
            .is_some_and(|questions| questions.try_send(question).is_ok())
    }
}

fn locked(questions: &Questions) -> MutexGuard<'_, Option<mpsc::SyncSender<Question>>> {
    questions.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(not(feature = "symbols"))]
fn start(_: &Symbols) -> Option<mpsc::SyncSender<Question>> {
    None
}

#[cfg(feature = "symbols")]
fn start(symbols: &Symbols) -> Option<mpsc::SyncSender<Question>> {
    let (sender, receiver) = mpsc::sync_channel::<Question>(QUEUE);
    // Weak: who asks may go, and with it the way here.
    let (idle, questions) = (symbols.idle, Arc::downgrade(&symbols.questions));
    crate::ours::spawn("pollscope-sym", move || {
        crate::sys::low_priority();
        let mut names = loaded::Names::new();
        while let Some(question) = next(&receiver, idle, &questions) {
            crate::ours::guarded(|| (question.answer)(names.of(&question.frames)));
        }
    })
    .then_some(sender)
}

/// Waits for a question; `None` when the thread is to end, and the next who asks will start another.
#[cfg(feature = "symbols")]
fn next(
    receiver: &mpsc::Receiver<Question>,
    idle: Duration,
    questions: &Weak<Mutex<Option<mpsc::SyncSender<Question>>>>,
) -> Option<Question> {
    match receiver.recv_timeout(idle) {
        Ok(question) => return Some(question),
        Err(mpsc::RecvTimeoutError::Disconnected) => return None,
        Err(mpsc::RecvTimeoutError::Timeout) => {}
    }
    let questions = questions.upgrade()?;
    // Nobody can ask while this is held: what came until now is answered, and nothing comes after.
    let mut sender = locked(&questions);
    let late = receiver.try_recv().ok();
    if late.is_none() {
        *sender = None;
    }
    late
}

#[cfg(all(test, feature = "symbols"))]
mod tests;

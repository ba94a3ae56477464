//! Names of frames, found in this process on a thread of their own with the lowest priority.
//!
//! The viewer resolves frames as a rule. This is for what cannot wait for one: to tell blocked workers apart by the
//! user's line, and to answer `Resolve` where the viewer cannot read the executable. The thread starts at the first
//! question; without the feature `symbols` every question is answered by nothing.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::mpsc;

use pollscope_capture::stack;

/// A frame, by the file it is in and the address in that file's own tables.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Frame {
    pub(crate) module: PathBuf,
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

/// The frames of a stack as the symbol thread takes them; those outside of any module are left out.
pub(crate) fn frames(stack: &[usize]) -> Vec<Frame> {
    let modules: HashMap<u32, PathBuf> = stack::modules()
        .into_iter()
        .map(|module| (module.index, PathBuf::from(module.path)))
        .collect();
    stack
        .iter()
        .filter_map(|frame| stack::locate(*frame))
        .filter_map(|(index, offset)| {
            modules.get(&index).map(|path| Frame {
                module: path.clone(),
                offset,
            })
        })
        .collect()
}

/// The way to the thread that resolves.
#[derive(Default)]
pub(crate) struct Symbols {
    questions: Mutex<Option<mpsc::SyncSender<Question>>>,
}

impl std::fmt::Debug for Symbols {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Symbols").finish_non_exhaustive()
    }
}

impl Symbols {
    pub(crate) fn new() -> Self {
        Self::default()
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
        let mut questions = self
            .questions
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if questions.is_none() {
            *questions = start();
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

#[cfg(not(feature = "symbols"))]
fn start() -> Option<mpsc::SyncSender<Question>> {
    None
}

#[cfg(feature = "symbols")]
fn start() -> Option<mpsc::SyncSender<Question>> {
    let (sender, receiver) = mpsc::sync_channel::<Question>(QUEUE);
    crate::ours::spawn("pollscope-sym", move || {
        crate::sys::lowest_priority();
        let mut resolver = pollscope_proto::symbols::Resolver::new();
        while let Ok(question) = receiver.recv() {
            crate::ours::guarded(|| {
                let answer = question
                    .frames
                    .iter()
                    .map(|frame| look_up(&mut resolver, frame))
                    .collect();
                (question.answer)(answer);
            });
        }
    })
    .then_some(sender)
}

#[cfg(feature = "symbols")]
fn look_up(resolver: &mut pollscope_proto::symbols::Resolver, frame: &Frame) -> Vec<Line> {
    // Frames of `pollscope_capture::stack` lie inside the call already.
    resolver
        .resolve(
            &frame.module,
            frame.offset,
            pollscope_proto::symbols::Address::Exact,
        )
        .into_iter()
        .map(|line| Line {
            function: line.function,
            file: line.file,
            line: line.line,
            inlined: line.inlined,
        })
        .collect()
}

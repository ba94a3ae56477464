//! What asks before anything else goes on: help, confirmations, and prompts of one line.

use tui_input::Input;

use crate::model::Target;

#[derive(Clone, Debug)]
pub enum Popup {
    Help {
        query: Input,
        top: usize,
    },
    /// Abort this task?
    Abort {
        id: u64,
        name: String,
    },
    /// Another process took the place of the one that was lost: go over to it?
    Successor(Box<Target>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// The id of a task.
    TaskId,
    /// An address or a PID.
    Address,
}

/// A line to type an answer into.
#[derive(Clone, Debug)]
pub struct Prompt {
    pub question: Question,
    pub input: Input,
    pub error: Option<String>,
}

impl Prompt {
    pub fn new(question: Question) -> Self {
        Self {
            question,
            input: Input::default(),
            error: None,
        }
    }
}

//! What can happen to the inspector, and what it asks the world to do.

use std::fmt;
use std::time::Duration;

use crossterm::event::KeyEvent;

use crate::model::{Change, Found, Runtime, Snapshot, Target, TaskDetail, ThreadStack, View};

/// The time of an action. It is handed in, so that every state can be reached in a test.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Since the inspector started.
    pub since_start: Duration,
    /// What a clock on the wall shows.
    pub clock: TimeOfDay,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimeOfDay {
    pub hour: u8,
    pub minute: u8,
    pub second: u8,
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}:{:02}", self.hour, self.minute, self.second)
    }
}

/// Everything that changes the state comes in as one of these.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    Key(KeyEvent),
    /// Text the terminal pasted, in brackets.
    Paste(String),
    Resize(u16, u16),
    /// The time [`super::App::wakes_at`] asked for has come.
    Tick,
    /// The processes that discovery found.
    Found(Vec<Found>),
    /// Attached: what the hello said.
    Connected(Box<Target>, Vec<Runtime>),
    /// An answer to the view of that number.
    Snapshot(u64, Box<Snapshot>),
    /// The connection broke, or could not be made.
    Lost {
        why: String,
    },
    /// The next attempt to connect comes after `wait`.
    Reconnecting {
        attempt: u32,
        wait: Duration,
    },
    /// Another process answers where the old one was, or is the old program started anew.
    Successor(Box<Target>),
    /// Everything known of a task; `None`: there is no such task any more.
    Detail(u64, Option<Box<TaskDetail>>),
    Dump(Vec<ThreadStack>),
    /// What `report` would print now.
    Reported(Box<Snapshot>),
    /// A question that the target did not answer, and why, where nothing else will say it.
    Unanswered(Asked, Option<String>),
    /// Lines around a place in the source, as far as the file could be read here.
    Source(SourceKey, Excerpt),
    Notice(Notice),
}

/// A question whose answer a screen waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    Task(u64),
    Stacks,
}

/// A place in a source file, as frames name it.
pub type SourceKey = (String, u32);

/// Some lines of a file; none where it could not be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Excerpt {
    /// The number of the first line.
    pub first: u32,
    pub lines: Vec<String>,
}

/// A message of one line that goes away by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub bad: bool,
    pub text: String,
}

impl Notice {
    pub fn good(text: impl Into<String>) -> Self {
        Self {
            bad: false,
            text: text.into(),
        }
    }

    pub fn bad(text: impl Into<String>) -> Self {
        Self {
            bad: true,
            text: text.into(),
        }
    }
}

/// What the state asks for. The answer, if there is one, comes back as an [`Action`].
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Ask the target for this view from now on; its number comes back with each snapshot.
    SetView(u64, View),
    OpenTask(u64),
    Abort(u64),
    Configure(Change),
    /// Capture the stacks of all threads.
    Dump,
    /// Put text on the clipboard (OSC 52).
    Copy(String),
    /// Open `$EDITOR` there.
    Edit {
        file: String,
        line: u32,
    },
    ReadSource(SourceKey),
    /// Ask the target for what `report` shows: the answer is [`Action::Reported`].
    Report,
    /// Write that to a file, as `report --json` prints it.
    Write(Box<Snapshot>),
    /// Look for instrumented processes again.
    Rescan,
    /// Connect to what [`Found::address`] names.
    Attach(String),
    /// Remove the socket of a process that is gone.
    RemoveStale(String),
    /// Whether to go over to the successor.
    Switch(bool),
    Disconnect,
    /// Draw everything anew.
    Redraw,
    Suspend,
    Quit,
}

//! What lies over a screen: one task, or one warning.

use std::time::Duration;

use crate::model::TaskDetail;

#[derive(Clone, Debug)]
pub enum Page {
    Task(Box<TaskPage>),
    Warning(WarningPage),
}

/// The boxes of a task; below a certain size they become tabs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Part {
    #[default]
    Created,
    Now,
    Polls,
    Wakers,
    Warnings,
}

impl Part {
    pub const ALL: [Self; 5] = [
        Self::Created,
        Self::Now,
        Self::Polls,
        Self::Wakers,
        Self::Warnings,
    ];

    pub const fn title(self) -> &'static str {
        match self {
            Self::Created => "Created",
            Self::Now => "Now",
            Self::Polls => "Polls",
            Self::Wakers => "Wakers",
            Self::Warnings => "Warnings",
        }
    }

    #[must_use]
    pub fn step(self, by: isize) -> Self {
        let at = self as isize + by;
        Self::ALL[at.rem_euclid(Self::ALL.len() as isize) as usize]
    }
}

#[derive(Clone, Debug)]
pub struct TaskPage {
    pub id: u64,
    /// `None` until the target has answered.
    pub detail: Option<TaskDetail>,
    /// The target says there is no such task any more: what is shown is the last that was known.
    pub gone: bool,
    pub part: Part,
    /// First line shown, or the row of the warnings under the cursor, per part.
    pub scroll: [usize; Part::ALL.len()],
    /// When the target was asked last, and whether it still has to answer.
    pub(super) asked: Option<Duration>,
    pub(super) waiting: bool,
    /// It did not answer when it was asked last: it is asked again.
    pub unanswered: bool,
}

impl TaskPage {
    pub fn new(id: u64) -> Self {
        Self {
            id,
            detail: None,
            gone: false,
            part: Part::default(),
            scroll: [0; Part::ALL.len()],
            asked: None,
            waiting: false,
            unanswered: false,
        }
    }
}

#[derive(Clone, Debug, Default)]
pub struct WarningPage {
    pub id: u32,
    /// The second place has the keys.
    pub second: bool,
    pub scroll: [usize; 2],
}

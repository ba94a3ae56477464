//! What is said when a loop refuses a call, and how its argument comes back.

use std::fmt;

use crate::owned::WrongThread;

/// A call that was refused: why, and what was passed in. Nothing was changed.
///
/// The callback (or future) was not called, polled or dropped. It need not be `Send`: it never left the thread that
/// made the call.
pub struct Refused<T> {
    operation: &'static str,
    refusal: Refusal,
    argument: T,
}

/// Why a loop refused a call.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The loop belongs to another thread. A `wrong_thread` warning tells of it.
    WrongThread(Box<WrongThread>),
    /// The loop's thread is right, and the loop does not run now; or it is closed.
    NotRunning,
}

impl<T> Refused<T> {
    pub(super) fn new(operation: &'static str, refusal: Refusal, argument: T) -> Self {
        Self {
            operation,
            refusal,
            argument,
        }
    }

    /// Why.
    pub fn refusal(&self) -> &Refusal {
        &self.refusal
    }

    /// The two threads and places, where that is why.
    pub fn wrong_thread(&self) -> Option<&WrongThread> {
        match &self.refusal {
            Refusal::WrongThread(wrong) => Some(wrong),
            Refusal::NotRunning => None,
        }
    }

    /// What was passed in, unchanged.
    pub fn into_inner(self) -> T {
        self.argument
    }

    /// Why, without what was passed in: an error that can be sent.
    pub fn into_refusal(self) -> Refusal {
        self.refusal
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongThread(wrong) => wrong.fmt(f),
            Self::NotRunning => f.write_str("the event loop does not run"),
        }
    }
}

impl std::error::Error for Refusal {}

/// So that `?` works where the callback does not matter.
impl<T> From<Refused<T>> for Refusal {
    fn from(refused: Refused<T>) -> Self {
        refused.refusal
    }
}

impl<T> fmt::Display for Refused<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} was refused: {}", self.operation, self.refusal)
    }
}

impl<T> fmt::Debug for Refused<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refused")
            .field("operation", &self.operation)
            .field("refusal", &self.refusal)
            .finish_non_exhaustive()
    }
}

impl<T> std::error::Error for Refused<T> {}

//! What a task is, and how it ended.

/// What a task is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum TaskKind {
    /// Spawned onto a runtime.
    #[default]
    Task = 1,
    /// Spawned onto a `LocalSet` or a local runtime.
    Local = 2,
    /// A closure on the blocking pool.
    Blocking = 3,
    /// The root future of `block_on`.
    BlockOn = 4,
    /// Work inside a library's own task.
    Request = 5,
    /// Seen through the runtime's hooks only.
    Foreign = 6,
}

impl TaskKind {
    pub(super) fn from_u8(value: u8) -> Self {
        match value {
            2 => Self::Local,
            3 => Self::Blocking,
            4 => Self::BlockOn,
            5 => Self::Request,
            6 => Self::Foreign,
            _ => Self::Task,
        }
    }
}

/// How a task ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Outcome {
    /// It has not ended.
    #[default]
    None = 0,
    /// It returned, and not an `Err`.
    Ok = 1,
    /// It returned an `Err`.
    Error = 2,
    /// It panicked.
    Panic = 3,
    /// It was dropped before its end: aborted, or its runtime was shut down.
    Aborted = 4,
}

impl Outcome {
    pub(super) fn from_u8(value: u8) -> Self {
        match value {
            1 => Self::Ok,
            2 => Self::Error,
            3 => Self::Panic,
            4 => Self::Aborted,
            _ => Self::None,
        }
    }
}

//! What findings would be told in: never made.

use super::StackId;

/// Families of findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    TimerLate,
    ResourceLeak,
    CallbackPanic,
    IdleResource,
    SlowLookup,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorText {
    pub type_name: &'static str,
    pub display: Option<String>,
    pub debug: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PanicText {
    pub message: Option<String>,
    pub place: Option<(String, u32, u32)>,
    pub stack: StackId,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ThreadText {
    pub what: String,
    pub did: &'static str,
    pub owner_tid: u32,
    pub owner_name: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NoteText {
    pub what: String,
    pub did: &'static str,
    pub message: Option<String>,
    pub place: Option<(String, u32, u32)>,
    pub stack: StackId,
    pub ns: Option<u64>,
    pub threshold_ns: Option<u64>,
    pub count: Option<u64>,
}

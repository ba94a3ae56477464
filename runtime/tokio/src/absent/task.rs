//! Tasks without records.

use std::panic::Location;

use super::TaskKind;
use super::runtimes::closing::Way;
use super::thread::Role;

/// Who will ask how the task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    Handle,
    Caller,
}

/// What the spawner knows.
#[derive(Clone, Copy, Debug)]
pub struct Meta<'a> {
    pub location: &'static Location<'static>,
    pub kind: TaskKind,
    pub name: Option<&'a str>,
    pub runtime: u16,
    pub asks: Asks,
}

/// The poll that runs on this thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PollHere {
    pub task: u64,
    pub poll: u64,
    pub kind: TaskKind,
    pub role: Role,
}

#[inline]
pub fn poll_here() -> Option<PollHere> {
    None
}

#[inline]
pub fn label(_: &str) -> bool {
    false
}

#[inline]
pub fn still_polled(_: u16, _: Way) {}

/// The join handle's side of no record.
#[derive(Debug)]
pub struct HandleShare;

impl HandleShare {
    #[inline]
    pub fn id(&self) -> u64 {
        0
    }

    #[inline]
    pub fn mark_read(&self) {}

    #[inline]
    pub fn mark_aborted(&self, _: Option<&'static Location<'static>>) {}

    #[inline]
    pub fn expect_errors(&self) {}
}

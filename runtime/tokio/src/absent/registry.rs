//! Off, and nothing is told.

use std::panic::Location;

use super::event::{Family, NoteText, PanicText, ThreadText};
use super::{SiteId, StackId};

/// The making of a thing.
#[derive(Clone, Copy, Debug)]
pub struct Made {
    pub site: SiteId,
    pub stack: StackId,
    pub tid: u32,
}

#[inline]
pub fn is_started() -> bool {
    true
}

#[inline]
pub fn is_off() -> bool {
    true
}

#[inline]
pub fn made<T>(_: &'static Location<'static>) -> Made {
    Made {
        site: SiteId,
        stack: StackId,
        tid: 0,
    }
}

#[inline]
pub fn wrong_thread(_: SiteId, _: StackId, _: Option<&'static Location<'static>>, _: ThreadText) {}

#[inline]
pub fn note(
    _: Family,
    _: Made,
    _: Option<&'static Location<'static>>,
    _: impl FnOnce() -> NoteText,
) {
}

#[inline]
pub fn caught_panic() -> Option<(Made, PanicText)> {
    None
}

#[inline]
pub fn blocking_region<R>(work: impl FnOnce() -> R) -> R {
    work()
}

//! The place of the last panic on each thread, from a hook chained before whatever hook there was.

use std::cell::RefCell;
use std::panic::{self, PanicHookInfo};
use std::sync::Once;

use crate::event::PanicText;
use crate::{backtrace, level};

/// Longest panic message kept, in bytes.
const LONGEST: usize = 1024;

thread_local! {
    static LAST: RefCell<Option<PanicText>> = const { RefCell::new(None) };
}

/// Chains the hook, once. Where the program sets its own hook later without chaining, places are unknown.
pub(crate) fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            note(info);
            before(info);
        }));
    });
}

fn note(info: &PanicHookInfo<'_>) {
    if level::level() == level::Level::Off {
        return;
    }
    let text = PanicText {
        message: message(info.payload()).map(|text| cut(text).to_owned()),
        place: info
            .location()
            .map(|at| (at.file().to_owned(), at.line(), at.column())),
        stack: backtrace::here(),
    };
    // Not while the thread-local is gone or borrowed: then the place stays unknown.
    let _ = LAST.try_with(|last| {
        if let Ok(mut last) = last.try_borrow_mut() {
            *last = Some(text);
        }
    });
}

/// What the hook saw last on this thread, once.
pub(crate) fn take() -> Option<PanicText> {
    LAST.try_with(|last| last.try_borrow_mut().ok().and_then(|mut last| last.take()))
        .ok()
        .flatten()
}

fn message(payload: &dyn std::any::Any) -> Option<&str> {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
}

/// A text cut at the limit, on a character's boundary.
pub(crate) fn cut(text: &str) -> &str {
    let mut end = text.len().min(LONGEST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

//! Faults of our own, made on purpose: how tests see what a panic leaves behind on a real terminal.
//!
//! Only in debug builds, only where `POLLSCOPE_FAULT` says which, and only at the key F12: nothing that a target sends
//! and no release build can come here. The alternative, a program of the tests that opens our screen and panics, would
//! not show that the inspector itself has its hook, its loop and its exit code in the right order.

use crossterm::event::Event;
#[cfg(debug_assertions)]
use crossterm::event::{KeyCode, KeyEvent};

#[cfg(debug_assertions)]
const WORDS: &str = "a fault made on purpose";

#[cfg(debug_assertions)]
pub(super) fn on(event: &Event) {
    let Event::Key(KeyEvent {
        code: KeyCode::F(12),
        ..
    }) = event
    else {
        return;
    };
    match std::env::var("POLLSCOPE_FAULT").as_deref() {
        Ok("loop") => panic!("{WORDS}"),
        // Nobody looks at how these two end.
        Ok("task") => drop(tokio::task::spawn_local(async { panic!("{WORDS}") })),
        Ok("thread") => drop(tokio::task::spawn_blocking(|| panic!("{WORDS}"))),
        _ => {}
    }
}

#[cfg(not(debug_assertions))]
pub(super) const fn on(_: &Event) {}

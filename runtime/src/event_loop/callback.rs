//! Callbacks as tasks: each is a future of one poll, so that what is measured of polls is measured of callbacks.
//!
//! The task's site is the line that asked for the callback: a slow one is a `slow_poll` of that line. A panic ends the
//! callback and nothing else; it is told as `callback_panic`.

use std::any::{Any, type_name};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::capture::event::{Family, NoteText};
use crate::capture::registry;
use pollscope_tokio::time::{Instant, sleep_until};

use super::handle::Ticket;

/// A callback at its turn.
#[expect(
    clippy::unused_async,
    reason = "a future of one poll is what is wanted"
)]
pub(super) async fn soon<F: FnOnce()>(callback: F, ticket: Arc<Ticket>) {
    run(callback, &ticket);
}

/// A callback at its time.
pub(super) async fn at<F: FnOnce()>(when: Instant, callback: F, ticket: Arc<Ticket>) {
    sleep_until(when).await;
    run(callback, &ticket);
}

fn run<F: FnOnce()>(callback: F, ticket: &Ticket) {
    if !ticket.begin() {
        return;
    }
    // As in asyncio: whatever a callback does, the loop goes on.
    if let Err(payload) = catch_unwind(AssertUnwindSafe(callback)) {
        tell::<F>(&*payload);
    }
}

#[cold]
fn tell<F>(payload: &(dyn Any + Send)) {
    let Some((made, seen)) = registry::caught_panic() else {
        return;
    };
    registry::note(Family::CallbackPanic, made, None, || NoteText {
        what: format!("callback {}", type_name::<F>()),
        // Where the program replaced our hook, the payload still tells what was said.
        message: seen.message.or_else(|| message(payload)),
        place: seen.place,
        stack: seen.stack,
        ..NoteText::default()
    });
}

fn message(payload: &(dyn Any + Send)) -> Option<String> {
    let owned = || payload.downcast_ref::<String>().cloned();
    let text = payload.downcast_ref::<&str>().copied();
    text.map(str::to_owned).or_else(owned)
}

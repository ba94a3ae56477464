//! What a call of the loop gives back: by it a callback is cancelled, and shown.

use std::any::type_name;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use pollscope_tokio::time::Instant;

use crate::task::JoinHandle;

/// A callback that was asked for.
///
/// As asyncio's `Handle`. Dropping it changes nothing: the callback runs.
pub struct Handle {
    ticket: Arc<Ticket>,
    task: JoinHandle<()>,
    callback: &'static str,
    created_at: &'static Location<'static>,
}

impl Handle {
    /// The handle of a callback of type `F`, whose turn `ticket` decides on.
    pub(super) fn of<F>(
        ticket: Arc<Ticket>,
        task: JoinHandle<()>,
        created_at: &'static Location<'static>,
    ) -> Self {
        Self {
            ticket,
            task,
            callback: type_name::<F>(),
            created_at,
        }
    }

    /// Keeps the callback from running, unless it began. From any thread, the callback's own included.
    ///
    /// The callback is dropped on the loop's thread, at its next turn.
    #[track_caller]
    pub fn cancel(&self) {
        if self.ticket.cancel() {
            self.task.abort();
        }
    }

    /// Whether it was cancelled before it began: it will never run.
    ///
    /// asyncio's also says so of a callback that ran and was cancelled after.
    pub fn cancelled(&self) -> bool {
        self.ticket.is_cancelled()
    }

    /// Where it was asked for.
    pub fn created_at(&self) -> &'static Location<'static> {
        self.created_at
    }
}

impl fmt::Debug for Handle {
    /// As asyncio's: `Handle { state: pending, callback: app::main::{{closure}}, created_at: src/a.rs:11:16 }`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fields(&mut f.debug_struct("Handle"))
    }
}

impl Handle {
    fn fields(&self, line: &mut fmt::DebugStruct<'_, '_>) -> fmt::Result {
        line.field("state", &format_args!("{}", self.ticket.state()))
            .field("callback", &format_args!("{}", self.callback))
            .field("created_at", &format_args!("{}", self.created_at))
            .finish()
    }
}

/// A callback that was asked for at a time.
///
/// As asyncio's `TimerHandle`.
pub struct TimerHandle {
    handle: Handle,
    when: Instant,
    /// Since the loop was made.
    after: Duration,
}

impl TimerHandle {
    pub(super) fn new(handle: Handle, when: Instant, began: Instant) -> Self {
        Self {
            handle,
            when,
            after: when.saturating_duration_since(began),
        }
    }

    /// When it runs, by the loop's clock.
    pub fn when(&self) -> Instant {
        self.when
    }

    /// Keeps the callback from running, unless it began: see [`Handle::cancel`].
    #[track_caller]
    pub fn cancel(&self) {
        self.handle.cancel();
    }

    /// Whether it was cancelled before it began: it will never run.
    pub fn cancelled(&self) -> bool {
        self.handle.cancelled()
    }

    /// Where it was asked for.
    pub fn created_at(&self) -> &'static Location<'static> {
        self.handle.created_at
    }
}

impl fmt::Debug for TimerHandle {
    /// As asyncio's, the time counted from the making of the loop: `TimerHandle { when: 1.5s, state: …, … }`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = f.debug_struct("TimerHandle");
        line.field("when", &self.after);
        self.handle.fields(&mut line)
    }
}

const PENDING: u8 = 0;
const BEGUN: u8 = 1;
const CANCELLED: u8 = 2;

/// Decides, once, whether a callback runs or is cancelled.
#[derive(Debug)]
pub(super) struct Ticket(AtomicU8);

impl Ticket {
    pub(super) fn pending() -> Arc<Self> {
        Arc::new(Self(AtomicU8::new(PENDING)))
    }

    /// The callback's turn: whether it may run.
    pub(super) fn begin(&self) -> bool {
        self.leave_pending(BEGUN)
    }

    /// Whether that kept the callback from running.
    fn cancel(&self) -> bool {
        self.leave_pending(CANCELLED)
    }

    /// Relaxed: who comes first wins, and the callback's own memory is handed over by Tokio's queues.
    fn leave_pending(&self, to: u8) -> bool {
        self.0
            .compare_exchange(PENDING, to, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok()
    }

    fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed) == CANCELLED
    }

    /// For `Debug`.
    fn state(&self) -> &'static str {
        match self.0.load(Ordering::Relaxed) {
            PENDING => "pending",
            BEGUN => "begun",
            _ => "cancelled",
        }
    }
}

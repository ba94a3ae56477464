//! Tokio's `time`, mirrored: a timer that fires late because its worker was held is told of, the rest is Tokio's.
//!
//! asyncio's debug mode once logged every long wait of its selector, idleness included, and was told to stop. Here
//! only lateness counts: a task was due to be polled because its timer had fired, and was polled a threshold later.
//! See [`sleep`] for what that takes.
//!
//! Intervals are Tokio's own here: other crates take them by value, as `IntervalStream` does. [`watched`] has those
//! that are watched, which the crate `pollscope` names `time::interval`. Tokio's own `tokio::time` keeps working beside
//! all of it, and is not watched.

pub use tokio::time::*;

mod interval;
mod late;
mod sleep;
mod timeout;

pub use sleep::{Sleep, sleep, sleep_until};
pub use timeout::{Timeout, timeout, timeout_at};

pub mod watched {
    //! Intervals that tell when a tick was late. Their type is not Tokio's.

    pub use super::interval::{Interval, interval, interval_at};
}

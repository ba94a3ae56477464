//! Tokio's `signal`, and listeners that tell when nobody ever polled them.
//!
//! Unlike asyncio's, signals may be listened for on any thread. What can go wrong is something else: from the first
//! listener on, for as long as the process lives, the signal does no more what it did, such as ending the program. A
//! listener that is made and not polled makes a program that cannot be stopped.
//!
//! Listeners are Tokio's own here: other crates take them by value, as `SignalStream` does. [`watched`] has those that
//! are watched, which the crate `pollscope` names `signal::unix::signal`.

pub use tokio::signal::*;

#[cfg(unix)]
pub mod watched;

//! Tokio's `signal`, mirrored: a listener that nobody ever polled is told of, the rest is Tokio's.
//!
//! Unlike asyncio's, signals may be listened for on any thread. What can go wrong is something else: from the first
//! listener on, for as long as the process lives, the signal does no more what it did, such as ending the program. A
//! listener that is made and not polled makes a program that cannot be stopped.

pub use tokio::signal::*;

#[cfg(unix)]
pub mod unix;

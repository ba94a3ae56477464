//! Tokio's `time`, mirrored: a timer that fires late because its worker was held is told of, the rest is Tokio's.
//!
//! See [`sleep`] for what that takes. Tokio's own `tokio::time` keeps working beside it, and is not watched.

pub use pollscope_tokio::time::*;

#[doc(inline)]
pub use pollscope_tokio::time::watched::{Interval, interval, interval_at};

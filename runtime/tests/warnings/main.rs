//! What is warned of, and what is not: read from the threads' rings, with no agent between.
//!
//! Every test here goes through `watch`, which keeps the agent from starting: it would take the findings first.

#![cfg(feature = "capture")]

mod excused;
mod never_awaited;
mod owned;
mod spawned;
mod tracked;
mod watch;

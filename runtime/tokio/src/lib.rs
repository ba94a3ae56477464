//! Tokio's API, mirrored over pollscope's capture: replacing the path is the port.
//!
//! Whatever spawns, joins or builds a runtime is wrapped here, method by method, with Tokio's own names, bounds and
//! panics; everything else is Tokio's, re-exported. So `pollscope_tokio::task::spawn` stands where
//! `tokio::task::spawn` stood, and a manifest may even say `tokio = { package = "pollscope-tokio", … }`.
//!
//! The way of a spawn: `task` asks [`setup`] whether anything was started yet, hands the future to
//! `pollscope_capture::instrumented`, and gives the result to Tokio. Our [`JoinHandle`](task::JoinHandle) is Tokio's
//! and one word: the task's record, so that an error or a panic nobody read can be told of.
//!
//! Under feature `serve` the first runtime or spawn starts the agent. Without it nothing is started: the records are
//! kept, and nobody reads them.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub use tokio::*;

mod describe;
mod owner;
pub mod policy;
pub mod private;
#[cfg(all(feature = "process", unix))]
pub mod process;
pub mod runtime;
pub mod setup;
pub mod task;
pub mod time;

pub use task::spawn;

//! Tokio's API, mirrored over pollscope's capture, and a façade: it stands where Tokio stood.
//!
//! ```toml
//! [workspace.dependencies]
//! tokio = { package = "pollscope-tokio", version = "0.1", features = ["full"] }
//! ```
//!
//! That line is the port: `tokio::spawn`, `tokio::task`, `tokio::runtime`, `#[tokio::main]`, `#[tokio::test]`,
//! `tokio::select!`, `join!` and `try_join!` are ours then, method by method, with Tokio's own names, bounds and panics;
//! everything else is Tokio's, re-exported. Types that go from crate to crate stay Tokio's own: `AbortHandle`,
//! `JoinError`, `Id`, all of `net`, `sync`, `io` and `fs`, and `time::Interval`. Where another crate wants Tokio's type
//! and ours is another, there is a way to it: [`JoinHandle::into_tokio`](task::JoinHandle::into_tokio),
//! [`Handle::into_tokio`](runtime::Handle::into_tokio), `inner` of runtimes and sets; and Tokio itself, as [`original`].
//! For `tokio_util::task` see the crate `pollscope-tokio-util`.
//!
//! The way of a spawn: `task` asks [`setup`] whether anything was started yet, hands the future to
//! `capture::instrumented`, and gives the result to Tokio. Our [`JoinHandle`](task::JoinHandle) is Tokio's
//! and one word: the task's record, so that an error or a panic nobody read can be told of.
//!
//! # Features
//!
//! * `serve` (default): the first runtime or spawn starts the agent, so that `pollscope attach` finds the process.
//! * `symbols` (default): names and lines of frames are resolved in this process where the viewer cannot.
//! * `capture`: what is measured, without the agent: the records are kept, and nobody reads them. `serve` brings it.
//! * All of Tokio's, under Tokio's names. `rt`, `rt-multi-thread`, `sync` and `time` are always on.
//!
//! Without `capture`, that is with `default-features = false`, everything is passed through to Tokio: the same API, no
//! thread, no socket, no record, and three crates at most over Tokio's own.

#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![cfg_attr(
    not(feature = "capture"),
    expect(
        clippy::drop_non_drop,
        clippy::trivially_copy_pass_by_ref,
        clippy::zero_sized_map_values,
        reason = "what stands in for the capture has no size"
    )
)]

pub use tokio::*;

/// Tokio itself, for an interface of another crate that names its types: `original::task::JoinHandle`. What is spawned
/// through it is not seen.
pub use tokio as original;

#[cfg(not(feature = "capture"))]
#[doc(hidden)]
pub mod absent;
mod describe;
#[cfg(feature = "net")]
pub mod net;
mod owner;
pub mod policy;
pub mod private;
#[cfg(all(feature = "process", unix))]
pub mod process;
pub mod runtime;
pub mod setup;
#[cfg(feature = "signal")]
pub mod signal;
pub mod task;
pub mod time;

#[cfg(not(feature = "capture"))]
use absent as capture;
#[cfg(feature = "capture")]
use pollscope_capture as capture;

#[cfg(feature = "macros")]
#[doc(inline)]
pub use pollscope_macros::{tokio_main as main, tokio_test as test};
pub use task::spawn;

//! tokio-util, for a workspace whose `tokio` is pollscope's façade.
//!
//! ```toml
//! [workspace.dependencies]
//! tokio = { package = "pollscope-tokio", version = "0.1", features = ["full"] }
//! tokio-util = { package = "pollscope-tokio-util", version = "0.1", features = ["rt"] }
//! ```
//!
//! tokio-util's own `AbortOnDropHandle` takes Tokio's `JoinHandle`, which the façade's is not; its `TaskTracker` and
//! `JoinMap` spawn by Tokio, and so what they spawn is not seen. Here these three are written over the façade, in the
//! same place and with the same methods; everything else is tokio-util's, re-exported, features included.
//!
//! What is left of tokio-util and names a type of Tokio's that the façade has its own of: `JoinQueue` and
//! `LocalPoolHandle`, whose tasks are not seen, and `TokioContext` and `SyncIoBridge::new_with_handle`, which take
//! `handle.into_tokio()`.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub use tokio_util::*;

#[cfg(feature = "rt")]
pub mod task;

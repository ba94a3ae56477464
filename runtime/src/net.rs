//! Tokio's `net`, mirrored: a look-up of a host that takes long is told of, the rest is Tokio's.
//!
//! Tokio's own `tokio::net` keeps working beside it, and is not watched.

pub use pollscope_tokio::net::*;

#[doc(inline)]
pub use pollscope_tokio::net::watched::{ToSocketAddrs, lookup_host};

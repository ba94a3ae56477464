//! `pollscope.v1`: what the watched program and the inspector say to each other, and what both ends
//! must agree on.
//!
//! [`v1`] is the generated protocol. The other modules are plain code without a connection: bounds, the filter
//! language, columns to order by, histogram buckets, names of sockets and kinds, which crate a task is of, and which
//! frames are the user's. Features: `server` and `client` choose the generated halves, `symbols` adds a resolver of frames.

pub mod buckets;
pub mod crates;
pub mod filter;
pub mod frames;
pub mod kinds;
pub mod limits;
pub mod order;
pub mod sockets;
#[cfg(feature = "symbols")]
pub mod symbols;

/// The messages and the service, as generated from `proto/pollscope/v1/inspect.proto`.
#[allow(missing_docs, unreachable_pub, missing_debug_implementations)]
#[allow(clippy::all, clippy::pedantic, clippy::use_self)]
pub mod v1 {
    include!("generated/pollscope.v1.rs");
}

//! Tokio's `net`, mirrored: a look-up of a host that takes long is told of, the rest is Tokio's.
//!
//! In debug, asyncio logs how long each `getaddrinfo` took. What `connect` and `bind` look up by themselves is Tokio's
//! own, and not watched.

pub use tokio::net::*;

mod host;
mod lookup;

pub use host::ToSocketAddrs;
pub use lookup::lookup_host;

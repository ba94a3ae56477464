//! Tokio's `net`, and a look-up of hosts that tells where it takes long.
//!
//! Everything is Tokio's own here: other crates take it by value, or are bound by its traits. [`watched`] has what the
//! crate `pollscope` names `net::lookup_host`.

pub use tokio::net::*;

mod host;
mod lookup;

pub mod watched {
    //! Look-ups that are timed, and their trait, which says the host's name.
    //!
    //! In debug, asyncio logs how long each `getaddrinfo` took. What `connect` and `bind` look up by themselves is
    //! Tokio's own, and not watched.

    pub use super::host::ToSocketAddrs;
    pub use super::lookup::lookup_host;
}

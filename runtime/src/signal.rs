//! Tokio's `signal`, mirrored: a listener that nobody ever polled is told of, the rest is Tokio's.
//!
//! See [`unix::Signal`] for what is told. Tokio's own `tokio::signal` keeps working beside it, and is not watched.

pub use pollscope_tokio::signal::*;

#[cfg(unix)]
#[doc(inline)]
pub use pollscope_tokio::signal::watched as unix;

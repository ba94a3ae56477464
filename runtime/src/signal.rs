//! Tokio's `signal`, mirrored: a listener that nobody ever polled is told of, the rest is Tokio's.
//!
//! Tokio's own `tokio::signal` keeps working beside it, and is not watched.

pub use pollscope_tokio::signal::*;

#[cfg(unix)]
pub mod unix {
    //! Unix signals.

    pub use pollscope_tokio::signal::unix::*;

    #[doc(inline)]
    pub use pollscope_tokio::signal::watched::{Signal, signal};
}

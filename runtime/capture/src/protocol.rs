//! What threads agree on without a lock. One protocol a file, each stated at its top.
//!
//! These files take atomics from [`crate::sync`] and nothing else from this crate, so that `tests/loom.rs` can
//! compile the very same files over loom's atomics and try every interleaving.

pub(crate) mod batches;
pub(crate) mod counter;
pub(crate) mod lives;
pub(crate) mod post;
pub(crate) mod refs;
pub(crate) mod ring;
pub(crate) mod sides;

//! Tokio's `task`, mirrored: what spawns and joins is ours, the rest is Tokio's.

pub use tokio::task::*;

mod builder;
mod handle;
pub mod join_set;
mod local;
mod misuse;
mod new;
pub(crate) mod request;
mod spawn;

pub use builder::Builder;
pub use handle::JoinHandle;
#[doc(inline)]
pub use join_set::JoinSet;
pub use local::LocalSet;
pub use spawn::{block_in_place, spawn, spawn_blocking, spawn_local};

pub(crate) use new::{NewTask, blocked_on, is_large, watched};

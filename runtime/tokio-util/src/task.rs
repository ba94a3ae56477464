//! tokio-util's `task`, mirrored: what holds the façade's handles or spawns is ours, the rest is tokio-util's.

pub use tokio_util::task::*;

mod abort_on_drop;
#[cfg(feature = "join-map")]
mod join_map;
pub mod task_tracker;

pub use abort_on_drop::AbortOnDropHandle;
#[cfg(feature = "join-map")]
pub use join_map::{JoinMap, JoinMapKeys};
pub use task_tracker::TaskTracker;

//! The hot path of pollscope: what is measured of a Tokio program, and how it is read without disturbing it.
//!
//! This crate knows neither Tokio nor gRPC. `pollscope-tokio` puts futures under its eyes (`instrument`, `track`);
//! `pollscope-agent` reads what it gathered (`registry`, `thread`, `slab`, `site`, `stack`). Users of pollscope
//! need neither: see the crate `pollscope`.
//!
//! The way of a poll: [`instrumented`] publishes it in the [`thread`]'s slot, times it with [`clock`], keeps its
//! totals in the task's [`record`] and its time in the thread's [`tally`] of the [`site`]. What is rare goes as an
//! [`event`] through the thread's [`ring`].

#![deny(missing_docs)]

pub mod record;
pub mod ring;
mod sync;

#[cfg(not(loom))]
pub mod backtrace;
#[cfg(not(loom))]
pub mod clock;
#[cfg(not(loom))]
pub mod event;
#[cfg(not(loom))]
pub mod histogram;
#[cfg(not(loom))]
pub mod instrumented;
#[cfg(not(loom))]
pub mod is_err;
#[cfg(not(loom))]
pub mod level;
#[cfg(not(loom))]
pub mod names;
#[cfg(not(loom))]
mod panic;
#[cfg(not(loom))]
pub mod registry;
#[cfg(not(loom))]
pub mod runtimes;
#[cfg(not(loom))]
pub mod site;
#[cfg(not(loom))]
pub mod slab;
#[cfg(not(loom))]
pub mod stack;
#[cfg(not(loom))]
pub mod tally;
#[cfg(not(loom))]
pub mod task;
#[cfg(not(loom))]
pub mod thread;
#[cfg(not(loom))]
pub mod tracked;
#[cfg(not(loom))]
mod waker;

pub use record::TaskKind;
#[cfg(not(loom))]
pub use {level::Level, site::SiteId, stack::StackId};

/// What the model-checked part needs of the rest.
#[cfg(loom)]
mod modelled {
    /// See `site`.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct SiteId(pub u32);
    /// See `stack`.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct StackId(pub u32);
}
#[cfg(loom)]
pub use modelled::{SiteId, StackId};

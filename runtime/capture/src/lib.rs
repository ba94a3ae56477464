//! The hot path of pollscope: what is measured of a Tokio program, and how it is read without disturbing it.
//!
//! This crate knows neither Tokio nor gRPC. `pollscope-tokio` puts futures under its eyes (`instrument`, `track`);
//! `pollscope-agent` reads what it gathered (`registry`, `thread`, `slab`, `site`, `stack`). Users of pollscope
//! need neither: see the crate `pollscope`.
//!
//! The way of a poll: [`instrumented`] publishes it in the [`thread`]'s slot, times it with [`clock`], keeps its
//! totals in the task's [`record`] and its time in the thread's [`tally`] of the [`site`]. What is rare goes as an
//! [`event`] through the thread's ring. What threads agree on without a lock is in `protocol`.

#![deny(missing_docs)]

pub mod backtrace;
pub mod clock;
pub mod event;
pub mod exception;
pub mod histogram;
pub mod instrumented;
pub mod is_err;
pub mod level;
pub mod names;
mod panic;
mod protocol;
pub mod pulse;
pub mod record;
pub mod registry;
pub mod runtimes;
pub mod scope;
pub mod site;
pub mod slab;
pub mod stack;
pub mod sub;
mod sync;
pub mod tally;
pub mod task;
pub mod thread;
pub mod tracked;
mod waker;

pub use protocol::counter::Counter;
pub use {level::Level, record::TaskKind, site::SiteId, stack::StackId};

//! Targets: finding them, talking to them, and cleaning what they send.
//!
//! The public face knows model types only. `wire` alone translates protocol messages, and every string of a
//! target passes `clean` there: a target is hostile until cleaned.

mod address;
mod clean;
mod connect;
mod discover;
mod error;
mod merge;
mod passwd;
mod session;
mod symbols;
mod watch;
mod wire;

pub use address::{Address, locate};
pub use clean::clean;
pub use discover::{Reach, discover, find_under, probe, probe_all, probe_all_within, remove_stale};
pub use error::{NetError, Versions};
pub use session::{Hello, Session};
pub use symbols::SymbolsFrom;
pub use watch::Watch;

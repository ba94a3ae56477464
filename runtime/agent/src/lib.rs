//! pollscope's agent: what watches a Tokio program from inside and answers the inspector.
//!
//! It reads what `pollscope-capture` gathers, on threads of its own: the collector (`pollscope`), which also runs the
//! server and answers while every worker of the program is blocked; the watchdog (`pollscope-dog`), which finds
//! polls that hang and takes their stack; and the emitter (`pollscope-log`), so that a subscriber that blocks stalls
//! neither. Users of pollscope do not need this crate: see the crate `pollscope`.

#![deny(missing_docs)]

mod collector;
mod config;
mod detect;
mod emit;
mod figures;
mod finding;
mod fold;
mod handler;
mod history;
mod message;
mod ours;
mod pace;
mod policy;
mod self_cost;
mod serve;
mod spans;
mod start;
mod state;
mod summary;
mod symbols;
mod sys;
mod warnings;
mod watchdog;

pub use config::{LogLevel, Rights, Settings, Unreadable, parse_bind, parse_slow_poll};
pub use emit::default_exception_handler;
pub use finding::{Certainty, Delayed, Finding, Kind, Place, Severity, Source, ThreadName};
pub use handler::set_exception_handler;
pub use policy::{Deny, denied, verdict};
#[doc(hidden)]
pub use serve::Rehearsal;
pub use start::{attend, close, configure, flush, level_changed, start, warnings};

//! What the inspector knows of a target: plain data, no I/O, no protocol types.
//!
//! The field names are those of `report --json` (schema 1): the model serialises as the contract. Times are
//! nanoseconds of the target's monotonic clock; `None` is a time that was not measured.
//! Every string in here has been cleaned by `net::wire`: no control characters, bounded length.

mod found;
mod kind;
mod site;
mod snapshot;
mod target;
mod task;
mod thread;
mod view;
mod warning;

pub use found::{Found, FoundState};
pub use kind::{UNDETECTED, Words, detected};
pub use site::{Distribution, Outcomes, Site, SiteRow};
pub use snapshot::{Dropped, SelfCost, Snapshot, Totals};
pub use target::{Clock, Level, Rights, Runtime, Target};
pub use task::{Aborter, Outcome, Task, TaskDetail, TaskKind, TaskState, Waker, WakerFigures};
pub use thread::{Thread, ThreadRef, ThreadStack};
pub use view::{Change, View};
pub use warning::{
    Delayed, ErrorText, Frame, Place, Severity, SubFuture, TaskRef, Verdict, Warning, WarningKind,
};

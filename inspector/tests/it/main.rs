//! The inspector against a target that does as it is told: every answer, every silence, every lie.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cli;
mod fake;
mod help;
mod hostile;
mod session;
mod track;
mod watch;

//! The inspector against a target that does as it is told: every answer, every silence, every lie.

mod cli;
mod fake;
mod help;
mod hostile;
mod session;
mod watch;

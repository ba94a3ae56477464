//! The one file that names the faulty program.

use std::process::ExitCode;

/// Runs the faulty program in this process until it is killed.
pub(crate) fn serve(healthy: bool) -> ExitCode {
    pollscope_demo::run(pollscope_demo::Options {
        healthy,
        addr: None,
    })
}

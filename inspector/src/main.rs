//! The binary `pollscope`: everything is in the library, so that tests can reach it.

use std::process::ExitCode;

fn main() -> ExitCode {
    pollscope_cli::cli::main()
}

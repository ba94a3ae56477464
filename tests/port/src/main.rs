//! A program as somebody wrote it for Tokio: not a word of pollscope in it. It spawns in every way that programs do, and
//! waits; `tests/rows.rs` looks at it with the inspector.

#![expect(clippy::print_stdout, reason = "the test reads what it prints")]

mod indirect;
mod patterns;
#[cfg(test)]
mod tests;

use tokio::task::LocalSet;

#[tokio::main(worker_threads = 2)]
async fn main() {
    let local = LocalSet::new();
    let (_never, stop) = std::sync::mpsc::channel();
    let _tasks = patterns::start(stop);
    let _local = patterns::start_local(&local);
    let _indirect = indirect::start();
    println!("ready");
    local.run_until(std::future::pending::<()>()).await;
}

//! Does nothing: a Tokio program at rest, with tasks that wait for what never comes. For the test that counts what
//! pollscope itself costs. `idle TASKS`; ends when its standard input is closed.

#![expect(clippy::print_stdout, reason = "the test reads what it prints")]

use std::io::Read;
use std::time::Instant;

const WORKERS: usize = 2;

fn main() {
    let tasks = std::env::args()
        .nth(1)
        .and_then(|count| count.parse().ok())
        .unwrap_or(100_u32);
    let begun = Instant::now();
    let _guard = pollscope::init();
    let init = begun.elapsed();
    let runtime = pollscope::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .enable_all()
        .build()
        .expect("a runtime");
    for _ in 0..tasks {
        drop(runtime.spawn(std::future::pending::<()>()));
    }
    println!("ready, init took {} us", init.as_micros());
    // Not in a task: the main thread belongs to no runtime here.
    let _ = std::io::stdin().read(&mut [0]);
}

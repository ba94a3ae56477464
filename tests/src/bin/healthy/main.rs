//! Programs with nothing wrong in them, built on published crates and driven hard: `healthy NAME SECS`.
//!
//! Debug mode must have nothing to say of any of them, so they do all that could mislead it: timeouts that elapse,
//! futures that lose and are dropped, tasks that are aborted, sets that are dropped half full, errors that are read,
//! locks held across an await, work on the blocking pool, connections that break, and an orderly shutdown.
//!
//! It says `running` once it is under load, goes on at least until it reads a line, says `done` with how much it did when it
//! has shut down, and stays until its standard input is closed, for `tests/healthy.rs` to look at it.

#![expect(clippy::print_stdout, reason = "the tests read what it prints")]

use std::io::Read;
use std::process::ExitCode;
use std::time::Duration;

use load::{Load, Outcome};

mod cache;
mod load;
mod middleware;
mod pipes;
mod rpc;
mod web;

/// Two workers and more clients: everything waits for everything, also on a large machine.
const WORKERS: usize = 2;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [name, secs] = &args[..] else {
        return usage();
    };
    let Ok(secs) = secs.parse() else {
        return usage();
    };
    let runtime = pollscope::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .enable_all()
        .build()
        .expect("a runtime");
    let load = Load::of(Duration::from_secs(secs));
    let counted = load.clone();
    let looked = load.clone();
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_line(&mut String::new());
        looked.was_seen();
    });
    let end: Outcome = match &**name {
        "cache" => runtime.block_on(cache::run(load)),
        "middleware" => runtime.block_on(middleware::run(load)),
        "pipes" => runtime.block_on(pipes::run(load)),
        "rpc" => runtime.block_on(rpc::run(load)),
        "web" => runtime.block_on(web::run(load)),
        _ => return usage(),
    };
    drop(runtime);
    pollscope::flush();
    if let Err(why) = end {
        eprintln!("{name}: {why}");
        return ExitCode::FAILURE;
    }
    println!("done requests={} {}", counted.done(), counted.mishaps());
    let _ = std::io::stdin().read(&mut [0]);
    ExitCode::SUCCESS
}

fn usage() -> ExitCode {
    eprintln!("usage: healthy cache|middleware|pipes|rpc|web SECS");
    ExitCode::from(2)
}

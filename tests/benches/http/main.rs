//! What debug mode costs an axum service: CPU time a request under `wrk`, and instructions a request under callgrind.
//!
//! ```text
//! cargo bench -p pollscope-tests --bench http             both tables, with the reference figures' 30 pairs
//! cargo bench -p pollscope-tests --bench http -- 100      the same with 100 pairs
//! ```
//!
//! The service is `src/bin/served.rs`. axum spawns a task of its own for each connection, by `tokio::spawn`, and runs
//! the handlers in it: `/hello` is what a ported program pays for that. In `/order` each request also spawns and joins
//! a task, by our `spawn` where the program is ported.
//!
//! A pair is a plain and a watched run, one after the other, each a fresh process; which comes first takes turns.
//! CPU time is that of the whole process in user and kernel, our own threads included: others on the machine disturb it
//! less than the clock on the wall. Printed is the median of the ratios within the pairs, and its upper 95 % bound.

#![expect(clippy::print_stdout, reason = "prints two tables")]

mod counted;
mod ratio;
mod served;
mod wrk;

use served::{Kind, Served};

const ROUTES: [&str; 2] = ["/hello", "/order"];

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    // `cargo bench` says so; `cargo test --all-targets` only wants to see it run.
    let real = args.iter().any(|arg| arg == "--bench");
    let pairs = args.iter().find_map(|arg| arg.parse().ok());
    cpu_times(pairs.unwrap_or(if real { 30 } else { 1 }));
    println!();
    instructions(if real { 5_000 } else { 20 });
}

fn cpu_times(pairs: usize) {
    println!(
        "CPU time a request, debug over plain, {pairs} pairs, wrk with {} connections",
        wrk::CONNECTIONS
    );
    if !wrk::is_there() {
        println!("not measured: wrk is not installed (apt-get install wrk)");
        return;
    }
    println!(
        "{:<10}{:>12}{:>12}{:>10}{:>16}",
        "", "plain, ns", "debug, ns", "ratio", "95 % below"
    );
    for route in ROUTES {
        let measure = |kind| {
            let served = Served::start(kind, "debug");
            wrk::load(&served, route, wrk::WARM_UP_S);
            let before = served.cpu_ns();
            let requests = wrk::load(&served, route, wrk::MEASURED_S);
            (served.cpu_ns() - before) as f64 / requests as f64
        };
        let pairs: Vec<(f64, f64)> = (0..pairs)
            .map(|pair| {
                if pair % 2 == 0 {
                    let plain = measure(Kind::Plain);
                    (plain, measure(Kind::Watched))
                } else {
                    let watched = measure(Kind::Watched);
                    (measure(Kind::Plain), watched)
                }
            })
            .collect();
        let (median, upper) = ratio::bounded(&pairs);
        println!(
            "{route:<10}{:>12.0}{:>12.0}{:>+9.2} %{:>+14.2} %",
            ratio::median(pairs.iter().map(|pair| pair.0)),
            ratio::median(pairs.iter().map(|pair| pair.1)),
            (median - 1.0) * 100.0,
            (upper - 1.0) * 100.0,
        );
    }
}

fn instructions(requests: u64) {
    println!(
        "instructions a request in user space, one thread, one connection, without our own threads"
    );
    if !counted::is_there() {
        println!("not counted: valgrind is not installed (apt-get install valgrind)");
        return;
    }
    println!(
        "{:<10}{:>12}{:>16}{:>16}{:>16}",
        "", "plain", "off, over", "quiet, over", "debug, over"
    );
    for route in ROUTES {
        let plain = counted::per_request(Kind::Plain, "off", route, requests);
        let [off, quiet, debug] = ["off", "quiet", "debug"]
            .map(|level| counted::per_request(Kind::Watched, level, route, requests) - plain);
        println!("{route:<10}{plain:>12.0}{off:>+16.0}{quiet:>+16.0}{debug:>+16.0}");
    }
}

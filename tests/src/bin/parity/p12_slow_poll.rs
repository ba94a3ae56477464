//! P12: a callback that holds the loop for longer than `slow_callback_duration`.

use std::fs;
use std::hint::spin_loop;
use std::thread;
use std::time::Duration;

use pollscope::runtime::Builder;
use pollscope::task::{self, yield_now};

/// Well above the threshold, 100 ms: a busy machine must not be to blame for most of it.
const LONG: Duration = Duration::from_millis(300);

pub(crate) fn faulty() {
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let sleeper = async { thread::sleep(LONG) };
        let sleeps = task::Builder::new().name("sleeps").spawn(sleeper); // @sleeps
        sleeps.expect("never fails").await.expect("it ends");
        let spinner = async {
            yield_now().await;
            spin(LONG * 2);
        };
        let spins = task::Builder::new().name("spins").spawn(spinner); // @spins
        spins.expect("never fails").await.expect("it ends");
    });
}

/// As long in all, in polls that are short each.
pub(crate) fn healthy() {
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let short = task::Builder::new().name("short").spawn(async {
            for _ in 0..20 {
                thread::sleep(LONG / 15);
                yield_now().await;
            }
        });
        short.expect("never fails").await.expect("it ends");
    });
}

/// Computes until this thread has used so much of a CPU, however busy the machine is.
fn spin(time: Duration) {
    let end = used() + time;
    while used() < end {
        (0..10_000).for_each(|_| spin_loop());
    }
}

fn used() -> Duration {
    let schedstat = fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    let ns = schedstat.split_whitespace().next().expect("three numbers");
    Duration::from_nanos(ns.parse().expect("a number"))
}

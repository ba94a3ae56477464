//! Polls that wait for a lock: whoever holds it sleeps, computes, or would give it back and gets no CPU.
#![cfg(target_os = "linux")]
#![expect(unsafe_code, reason = "pins threads to one CPU")]

use std::hint::spin_loop;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use pollscope_agent::{Finding, Kind, Severity};
use pollscope_capture::clock;
use pollscope_capture::level::{self, Level, Source};
use pollscope_capture::stack::Activity;

#[path = "support/executor.rs"]
mod executor;
use executor::{finding, run, until};

/// One at a time: threads without a CPU are an excuse for every poll of the process.
static ONE: Mutex<()> = Mutex::new(());

fn begin() -> impl Drop {
    level::set_level(Level::Debug, Source::Explicit);
    executor::begin();
    ONE.lock().expect("no test panics with it")
}

/// Takes the lock on a thread of its own and does this with it.
fn hold(lock: &Arc<Mutex<()>>, work: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    let (lock, (has, held)) = (Arc::clone(lock), mpsc::channel());
    let holder = thread::spawn(move || {
        let _held = lock.lock().expect("nobody panics with it");
        has.send(()).expect("somebody waits");
        work();
    });
    held.recv().expect("it is taken");
    holder
}

/// A task of this name whose first poll waits for the lock.
fn wait_for(name: &'static str, lock: &Arc<Mutex<()>>) -> JoinHandle<()> {
    let lock = Arc::clone(lock);
    run(name, async move {
        drop(lock.lock().expect("nobody panics with it"));
    })
}

/// What is found of this task as a defect, while it waits.
fn defect(name: &'static str) -> Finding {
    until("a defect", || {
        finding(Kind::SlowPoll, name).filter(|found| found.severity > Severity::Info)
    })
}

#[test]
fn a_holder_that_sleeps_is_to_blame() {
    let _one = begin();
    let lock = Arc::default();
    let (release, released) = mpsc::channel::<()>();
    let holder = hold(&lock, move || _ = released.recv());
    let waiter = wait_for("behind-a-sleeper", &lock);
    let found = defect("behind-a-sleeper");
    let activity = found.verdict.map(|verdict| verdict.activity);
    assert_eq!(activity, Some(Activity::Lock), "{found:?}");
    drop(release);
    holder.join().expect("it ends");
    waiter.join().expect("it ends");
}

#[test]
fn a_holder_that_computes_is_to_blame() {
    let _one = begin();
    let lock = Arc::default();
    let stop = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&stop);
    let holder = hold(&lock, move || {
        while !told.load(Ordering::Relaxed) {
            spin_loop();
        }
    });
    let waiter = wait_for("behind-a-computer", &lock);
    // A busy machine may not give the holder a CPU at first: then it is excused, until it has used as much as the
    // threshold.
    let found = defect("behind-a-computer");
    let activity = found.verdict.map(|verdict| verdict.activity);
    assert_eq!(activity, Some(Activity::Lock), "{found:?}");
    stop.store(true, Ordering::Relaxed);
    holder.join().expect("it ends");
    waiter.join().expect("it ends");
}

#[test]
fn a_holder_that_gets_no_cpu_is_not() {
    const CROWD: usize = 8;
    let _one = begin();
    let lock = Arc::default();
    let stop = Arc::new(AtomicBool::new(false));
    let crowd: Vec<_> = (0..CROWD)
        .map(|_| {
            let stop = Arc::clone(&stop);
            thread::spawn(move || {
                pin_to_one_cpu();
                while !stop.load(Ordering::Relaxed) {
                    spin_loop();
                }
            })
        })
        .collect();
    // A third of the threshold is what it needs of a CPU that nine share.
    let holder = hold(&lock, || {
        pin_to_one_cpu();
        compute(Duration::from_millis(33));
    });
    let waiter = wait_for("behind-the-starved", &lock);
    waiter.join().expect("it ends");
    holder.join().expect("it ends");
    stop.store(true, Ordering::Relaxed);
    for one in crowd {
        one.join().expect("it ends");
    }
    pollscope_agent::flush(Duration::from_secs(5));
    let found = finding(Kind::SlowPoll, "behind-the-starved");
    // The machine may have given it a CPU all the same.
    if let Some(found) = found {
        assert_eq!(found.severity, Severity::Info, "{found:?}");
    }
}

/// Until this thread has used so much of a CPU.
fn compute(time: Duration) {
    let here = pollscope_capture::thread::current().expect("a slot").tid();
    let used = || clock::thread_cpu_ns(here).expect("it lives");
    let end = used() + time.as_nanos() as u64;
    while used() < end {
        spin_loop();
    }
}

fn pin_to_one_cpu() {
    // SAFETY: all zeroes is a set of no CPUs.
    let (mut allowed, mut one): (libc::cpu_set_t, libc::cpu_set_t) =
        unsafe { (std::mem::zeroed(), std::mem::zeroed()) };
    let size = size_of::<libc::cpu_set_t>();
    // SAFETY: fills a local of that size.
    assert_eq!(
        unsafe { libc::sched_getaffinity(0, size, &raw mut allowed) },
        0
    );
    // SAFETY: within the set.
    let first =
        (0..libc::CPU_SETSIZE as usize).find(|cpu| unsafe { libc::CPU_ISSET(*cpu, &allowed) });
    // SAFETY: the same.
    unsafe { libc::CPU_SET(first.unwrap_or(0), &mut one) };
    // SAFETY: reads a local of that size.
    assert_eq!(
        unsafe { libc::sched_setaffinity(0, size, &raw const one) },
        0
    );
}

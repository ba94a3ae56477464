//! Verdicts on real threads: crowded off its CPU, and stopped with the whole process.
#![cfg(target_os = "linux")]
#![expect(unsafe_code, reason = "pins threads, stops a child")]

use std::hint::black_box;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use pollscope_capture::stack::{Activity, Marks, ThreadHandle, judge, judge_gap};

fn pin_to_one_cpu() {
    unsafe {
        let mut allowed: libc::cpu_set_t = std::mem::zeroed();
        let size = size_of::<libc::cpu_set_t>();
        assert_eq!(libc::sched_getaffinity(0, size, &raw mut allowed), 0);
        let first = (0..libc::CPU_SETSIZE as usize).find(|cpu| libc::CPU_ISSET(*cpu, &allowed));
        let mut one: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(first.unwrap_or(0), &mut one);
        assert_eq!(libc::sched_setaffinity(0, size, &raw const one), 0);
    }
}

#[test]
fn a_thread_that_shares_its_cpu_with_many_is_descheduled() {
    let stop = &AtomicBool::new(false);
    let (send, receive) = mpsc::channel();
    let mut activity = None;
    thread::scope(|scope| {
        for _ in 0..6 {
            let send = send.clone();
            scope.spawn(move || {
                pin_to_one_cpu();
                // The receiver only goes away once it has what it wants.
                let _ = send.send(ThreadHandle::current(Marks::none()));
                while !stop.load(Ordering::Relaxed) {
                    black_box(());
                }
            });
        }
        let handles: Vec<_> = receive.iter().take(6).collect();
        let before = handles[0].sample();
        let begun = Instant::now();
        // Long enough for several turns of all six.
        while begun.elapsed() < Duration::from_secs(10) {
            let after = handles[0].sample();
            if after.at_ns - before.at_ns > 300_000_000 {
                activity = Some(judge(&before, &after).activity);
                break;
            }
            thread::yield_now();
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert_eq!(activity, Some(Activity::Descheduled));
}

/// Not a test: what the child of the next one runs.
#[test]
#[ignore = "run in a child process by: cargo test -p pollscope-capture --test stack_verdict"]
fn tells_of_gaps_in_its_own_sleep() {
    let own = ThreadHandle::current(Marks::none());
    let mut before = own.sample();
    println!("\nready");
    for _ in 0..500 {
        thread::sleep(Duration::from_millis(10));
        let after = own.sample();
        if let Some(gap) = judge_gap(&before, &after, 10_000_000, 300_000_000) {
            println!("\ngap {}", gap.name());
        }
        // Each sample ends one gap and begins the next: no moment lies between two.
        before = after;
    }
}

#[test]
fn a_stop_of_the_whole_process_is_seen_once_it_is_over() {
    let exe = std::env::current_exe().unwrap();
    let mut child = Command::new(exe)
        .args([
            "--exact",
            "tells_of_gaps_in_its_own_sleep",
            "--ignored",
            "--nocapture",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let pid = child.id() as libc::pid_t;
    let mut lines = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok);
    assert!(lines.any(|line| line == "ready"), "the child never began");
    unsafe { libc::kill(pid, libc::SIGSTOP) };
    // The stop itself has to last: this is not a wait for something to happen.
    thread::sleep(Duration::from_millis(800));
    unsafe { libc::kill(pid, libc::SIGCONT) };
    let told = lines.any(|line| line == "gap stopped");
    let _ = child.kill();
    let _ = child.wait();
    assert!(told, "the child never told of the stop");
}

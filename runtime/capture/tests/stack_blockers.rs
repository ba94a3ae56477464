//! Every way to block a thread: the user's function is on the stack that was taken, the verdict fits, and the
//! blocked call returns what and when it would have returned without us.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]
#![expect(unsafe_code, reason = "raw system calls are among the blockers")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::hint::black_box;
use std::io::{Read, Write, pipe};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use pollscope_capture::stack::{
    Activity, End, Live, LiveStack, Marks, Method, Missed, Options, State, ThreadHandle,
    function_start, init, judge,
};

/// How long each blocker blocks.
const BLOCK: Duration = Duration::from_millis(150);
/// How much later it may return on a busy machine: what is disturbed again and again never returns.
const LATE: Duration = Duration::from_secs(15);
/// How often to try where a busy machine gave the watcher no CPU in time.
const TRIES: usize = 40;

type Blocked = Result<(), String>;

#[inline(never)]
fn by_std_sleep() -> Blocked {
    thread::sleep(BLOCK);
    black_box(Ok(()))
}

#[inline(never)]
fn by_pipe_read() -> Blocked {
    let (mut reader, mut writer) = pipe().unwrap();
    let writing = thread::spawn(move || {
        thread::sleep(BLOCK);
        writer.write_all(&[7]).unwrap();
    });
    let mut byte = [0];
    let read = reader.read(&mut byte);
    writing.join().unwrap();
    black_box(match read {
        Ok(1) if byte == [7] => Ok(()),
        other => Err(format!("{other:?}")),
    })
}

#[inline(never)]
fn by_mutex() -> Blocked {
    let lock = Mutex::new(0);
    thread::scope(|scope| {
        let (held, is_held) = mpsc::channel();
        let lock = &lock;
        scope.spawn(move || {
            let _guard = lock.lock().unwrap();
            held.send(()).unwrap();
            thread::sleep(BLOCK);
        });
        is_held.recv().unwrap();
        *lock.lock().unwrap() += 1;
    });
    black_box(Ok(()))
}

#[inline(never)]
fn by_condvar() -> Blocked {
    let (lock, condition) = (Mutex::new(()), Condvar::new());
    let begun = Instant::now();
    let mut guard = lock.lock().unwrap();
    // The library allows a wake-up for nothing; waiting on is what every user does.
    while begun.elapsed() < BLOCK {
        let left = BLOCK.saturating_sub(begun.elapsed());
        guard = condition.wait_timeout(guard, left).unwrap().0;
    }
    black_box(Ok(()))
}

#[inline(never)]
fn by_park() -> Blocked {
    let begun = Instant::now();
    while begun.elapsed() < BLOCK {
        thread::park_timeout(BLOCK.saturating_sub(begun.elapsed()));
    }
    black_box(Ok(()))
}

#[inline(never)]
fn by_raw_nanosleep() -> Blocked {
    let time = libc::timespec {
        tv_sec: 0,
        tv_nsec: BLOCK.as_nanos() as libc::c_long,
    };
    let slept = unsafe { libc::nanosleep(&raw const time, std::ptr::null_mut()) };
    black_box(expect_zero(slept))
}

#[inline(never)]
fn by_raw_poll() -> Blocked {
    let ready = unsafe { libc::poll(std::ptr::null_mut(), 0, BLOCK.as_millis() as i32) };
    black_box(expect_zero(ready))
}

fn expect_zero(returned: i32) -> Blocked {
    match returned {
        0 => Ok(()),
        other => Err(format!("{other}: {}", std::io::Error::last_os_error())),
    }
}

#[inline(never)]
fn by_read_with_timeout() -> Blocked {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    stream.set_read_timeout(Some(BLOCK)).unwrap();
    let read = stream.read(&mut [0]);
    black_box(match read {
        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Ok(()),
        other => Err(format!("{other:?}")),
    })
}

#[inline(never)]
fn by_joining() -> Blocked {
    let other = thread::spawn(|| thread::sleep(BLOCK));
    black_box(
        other
            .join()
            .map_err(|_panic| "the other thread panicked".to_owned()),
    )
}

#[inline(never)]
fn by_spinning() -> Blocked {
    let begun = Instant::now();
    let mut turns = 0u64;
    while begun.elapsed() < BLOCK {
        for _ in 0..1000 {
            turns = black_box(turns.wrapping_mul(31).wrapping_add(1));
        }
    }
    black_box(Ok(()))
}

/// What one blocked call showed.
struct Seen {
    stacks: Vec<LiveStack>,
    missed: Vec<Missed>,
    activity: Option<Activity>,
    syscall: Option<&'static str>,
    /// Whether it did nothing else from one end of what was judged to the other.
    is_still: bool,
}

/// Runs `block` on a thread of its own and takes its stack again and again until it returns.
fn watch(block: fn() -> Blocked, options: Options) -> Seen {
    init();
    let mut live = Live::new(options);
    let (send_handle, handle) = mpsc::channel();
    let (send_result, result) = mpsc::channel();
    let thread = thread::spawn(move || {
        send_handle
            .send(ThreadHandle::current(Marks::none()))
            .unwrap();
        let begun = Instant::now();
        let returned = block();
        send_result.send((returned, begun.elapsed())).unwrap();
    });
    let handle = handle.recv().unwrap();
    let function = block as *const () as usize;
    let mut seen = Seen {
        stacks: Vec::new(),
        missed: Vec::new(),
        activity: None,
        syscall: None,
        is_still: false,
    };
    let (returned, took) = loop {
        match result.recv_timeout(Duration::from_millis(5)) {
            Ok(result) => break result,
            Err(RecvTimeoutError::Disconnected) => panic!("the blocker panicked"),
            Err(RecvTimeoutError::Timeout) => {}
        }
        let before = handle.sample();
        match live.capture(&handle, || true) {
            // Before and after the blocking call itself the thread is elsewhere, rightly.
            Ok(stack) if on_stack(&stack, function) => {
                if seen.activity.is_none() || stack.sample.wait != before.wait {
                    let after = handle.sample();
                    let verdict = judge(&before, &after);
                    seen.is_still = (before.state, before.slices) == (after.state, after.slices);
                    seen.activity = Some(verdict.activity);
                    seen.syscall = verdict.syscall_name();
                }
                seen.stacks.push(stack);
            }
            Ok(_) => {}
            Err(missed) => seen.missed.push(missed),
        }
    };
    thread.join().unwrap();
    assert_eq!(returned, Ok(()), "the blocked call returned something else");
    assert!(took >= BLOCK, "returned early, after {took:?}");
    assert!(took < BLOCK + LATE, "returned late, after {took:?}");
    // Joined means that its last user code ran; the kernel takes it off its list a moment later.
    let joined = Instant::now();
    while handle.sample().state != State::Unknown {
        assert!(joined.elapsed() < LATE, "{:?}", handle.sample());
        thread::yield_now();
    }
    assert_eq!(live.capture(&handle, || true).unwrap_err(), Missed::Gone);
    seen
}

fn on_stack(stack: &LiveStack, function: usize) -> bool {
    stack
        .frames()
        .iter()
        .any(|frame| function_start(*frame) == Some(function))
}

/// What one of several calls showed, the first that the watcher came in time for.
fn watch_in_time(
    block: fn() -> Blocked,
    options: Options,
    in_time: impl Fn(&Seen) -> bool,
) -> Seen {
    let mut seen = watch(block, options);
    for _ in 1..TRIES {
        if in_time(&seen) {
            break;
        }
        seen = watch(block, options);
    }
    seen
}

fn is_found(seen: &Seen) -> bool {
    !seen.stacks.is_empty()
}

/// Whether a thread that sleeps was found asleep from the first: of one that had no CPU on its way there that is told.
fn is_peeked(seen: &Seen) -> bool {
    let mut stacks = seen.stacks.iter();
    is_found(seen) && seen.is_still && stacks.all(|stack| stack.method == Method::Peek)
}

fn asleep(block: fn() -> Blocked, activity: Activity, syscalls: &[&str]) {
    let seen = watch_in_time(block, Options::default(), is_peeked);
    assert!(
        !seen.stacks.is_empty(),
        "never found on the stack; missed: {:?}",
        seen.missed
    );
    for stack in &seen.stacks {
        assert_eq!(stack.end, End::Root);
    }
    assert!(seen.stacks.iter().any(|stack| stack.method == Method::Peek));
    assert_eq!(seen.activity, Some(activity));
    let syscall = seen.syscall.unwrap();
    assert!(syscalls.contains(&syscall), "{syscall}");
}

#[test]
fn std_sleep_is_seen_asleep() {
    asleep(
        by_std_sleep,
        Activity::Syscall,
        &["clock_nanosleep", "nanosleep"],
    );
}

#[test]
fn a_pipe_read_is_seen_asleep() {
    asleep(by_pipe_read, Activity::Syscall, &["read"]);
}

#[test]
fn a_contended_mutex_is_seen_as_a_lock() {
    asleep(by_mutex, Activity::Lock, &["futex"]);
}

#[test]
fn a_condition_variable_is_seen_as_a_lock() {
    asleep(by_condvar, Activity::Lock, &["futex"]);
}

#[test]
fn a_parked_thread_is_seen_as_a_lock() {
    asleep(by_park, Activity::Lock, &["futex"]);
}

#[test]
fn a_raw_nanosleep_is_seen_and_not_cut_short() {
    asleep(
        by_raw_nanosleep,
        Activity::Syscall,
        &["clock_nanosleep", "nanosleep"],
    );
}

#[test]
fn a_raw_poll_is_seen_and_not_cut_short() {
    asleep(by_raw_poll, Activity::Syscall, &["poll", "ppoll"]);
}

#[test]
fn a_read_with_a_timeout_is_seen_and_not_cut_short() {
    asleep(
        by_read_with_timeout,
        Activity::Syscall,
        &["recvfrom", "read"],
    );
}

#[test]
fn joining_a_thread_is_seen_as_a_lock() {
    asleep(by_joining, Activity::Lock, &["futex"]);
}

#[test]
fn a_spinning_thread_is_seen_on_its_cpu() {
    let seen = watch_in_time(by_spinning, Options::default(), is_found);
    assert!(
        !seen.stacks.is_empty(),
        "never found on the stack; missed: {:?}",
        seen.missed
    );
    for stack in &seen.stacks {
        assert_eq!((stack.method, stack.end), (Method::Signal, End::Root));
    }
    assert_eq!(seen.syscall, None);
    // On a crowded machine it is right to say that it got no CPU.
    assert!(matches!(
        seen.activity,
        Some(Activity::OnCpu | Activity::Descheduled | Activity::Throttled)
    ));
}

#[test]
fn without_the_peek_a_sleeper_is_left_alone() {
    let options = Options {
        peek: false,
        signal: true,
    };
    let seen = watch_in_time(by_raw_nanosleep, options, |seen| {
        seen.missed.contains(&Missed::Asleep)
    });
    assert!(seen.missed.contains(&Missed::Asleep));
    assert!(
        seen.stacks
            .iter()
            .all(|stack| stack.method == Method::Signal)
    );
    let seen = watch_in_time(by_spinning, options, is_found);
    assert!(!seen.stacks.is_empty(), "{:?}", seen.missed);
}

#[test]
fn without_the_signal_a_runner_is_left_alone() {
    let options = Options {
        peek: true,
        signal: false,
    };
    let seen = watch_in_time(by_spinning, options, |seen| {
        seen.missed.contains(&Missed::Running)
    });
    assert!(seen.missed.contains(&Missed::Running));
    assert!(seen.stacks.iter().all(|stack| stack.method == Method::Peek));
    let seen = watch_in_time(by_raw_nanosleep, options, is_found);
    assert!(!seen.stacks.is_empty(), "{:?}", seen.missed);
}

#[test]
fn with_both_off_nothing_is_taken() {
    let options = Options {
        peek: false,
        signal: false,
    };
    for block in [by_std_sleep, by_spinning] {
        let seen = watch_in_time(block, options, |seen| !seen.missed.is_empty());
        assert!(seen.stacks.is_empty());
        assert!(!seen.missed.is_empty());
    }
}

#[test]
fn a_stack_of_another_poll_is_not_returned() {
    init();
    let mut live = Live::new(Options::default());
    let (send_handle, handle) = mpsc::channel();
    let thread = thread::spawn(move || {
        send_handle
            .send(ThreadHandle::current(Marks::none()))
            .unwrap();
        by_std_sleep()
    });
    let handle = handle.recv().unwrap();
    let missed = live.capture(&handle, || false).unwrap_err();
    assert_eq!(missed, Missed::Changed);
    thread.join().unwrap().unwrap();
}

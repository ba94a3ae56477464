//! Tries both ways of taking a live stack where they must work, and says why one does not.

use std::hint::black_box;
use std::io::{PipeReader, Read, pipe};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use super::live::Live;
use super::modules;
use super::thread::ThreadHandle;
use crate::stack::{Capabilities, End, LiveStack, Marks, Method, Missed};

/// How long the helper thread may take to fall asleep.
const PATIENCE: Duration = Duration::from_millis(100);

pub(super) fn run(live: &mut Live) -> Capabilities {
    let mut why_not = Vec::new();
    let mut judge = |way: &str, result: Result<(), String>| {
        if let Err(why) = &result {
            why_not.push(format!("{way}: {why}"));
        }
        result.is_ok()
    };
    let peek = judge("stacks of sleeping threads", peek(live));
    let signal = judge("stacks of running threads", signal(live));
    Capabilities {
        peek,
        signal,
        why_not: why_not.join("; "),
    }
}

/// The frame to be found on the helper's stack.
#[inline(never)]
fn wait_in_a_pipe(mut reader: PipeReader) {
    // Ends when the other side is dropped; whatever it returns then, the thread is done.
    let _ = black_box(&mut reader).read(&mut [0]);
    black_box(());
}

fn peek(live: &mut Live) -> Result<(), String> {
    if !live.options().peek {
        return Err("switched off".to_owned());
    }
    if cfg!(not(target_arch = "x86_64")) {
        return Err("the kernel gives no frame pointer on this architecture".to_owned());
    }
    let (reader, writer) = pipe().map_err(|error| error.to_string())?;
    let (send, receive) = mpsc::channel();
    let helper = thread::Builder::new()
        .name("pollscope-test".to_owned())
        .stack_size(256 << 10)
        .spawn(move || {
            // The receiver only goes away when it gave up on this thread.
            let _ = send.send(ThreadHandle::current(Marks::none()));
            wait_in_a_pipe(reader);
        })
        .map_err(|error| error.to_string())?;
    let result = match receive.recv_timeout(PATIENCE) {
        Ok(handle) if handle.syscall().is_none() => {
            Err("the kernel does not let this process open /proc/self/task/*/syscall".to_owned())
        }
        Ok(handle) => until_asleep(live, &handle),
        Err(_) => Err("the helper thread did not start in time".to_owned()),
    };
    drop(writer);
    // It was woken by the end of the pipe; a panic there is impossible and would change nothing here.
    let _ = helper.join();
    result
}

fn until_asleep(live: &mut Live, handle: &ThreadHandle) -> Result<(), String> {
    let options = live.options();
    live.set_options(crate::stack::Options {
        signal: false,
        ..options
    });
    let begun = Instant::now();
    let found = loop {
        match live.capture(handle, || true) {
            Err(Missed::Running | Missed::Changed) if begun.elapsed() < PATIENCE => {
                thread::sleep(Duration::from_micros(50));
            }
            // Asleep already, but before the pipe: in the channel.
            Ok(stack) if !has(&stack, reader_frame()) && begun.elapsed() < PATIENCE => {
                thread::sleep(Duration::from_micros(50));
            }
            other => break other,
        }
    };
    live.set_options(options);
    expect(found, Method::Peek, reader_frame())
}

fn reader_frame() -> *const () {
    wait_in_a_pipe as *const ()
}

fn signal(live: &mut Live) -> Result<(), String> {
    if !live.options().signal {
        return Err("switched off".to_owned());
    }
    // The thread asks itself, and waits awake for its own next tick: no second thread is needed. The frame to be
    // found is this function's.
    let handle = ThreadHandle::current(Marks::none());
    let snapshot = modules::current().ok_or("no module list")?;
    let found = live.signal(&snapshot, &handle, handle.sample());
    expect(found, Method::Signal, signal as *const ())
}

fn expect(
    found: Result<LiveStack, Missed>,
    method: Method,
    function: *const (),
) -> Result<(), String> {
    let stack = found.map_err(|missed| missed.to_string())?;
    if stack.method != method || stack.end != End::Root {
        return Err(format!(
            "the walk took {} and ended with {:?} after {} frames",
            stack.method.name(),
            stack.end,
            stack.depth
        ));
    }
    if has(&stack, function) {
        Ok(())
    } else {
        Err("the walk missed the function it started in".to_owned())
    }
}

fn has(stack: &LiveStack, function: *const ()) -> bool {
    modules::current().is_some_and(|snapshot| {
        stack
            .frames()
            .iter()
            .any(|frame| snapshot.function_start(*frame as u64) == Some(function as u64))
    })
}

#[cfg(all(test, not(miri)))]
mod tests {
    use super::*;
    use crate::stack::Options;

    #[test]
    fn both_ways_work_here_and_say_nothing() {
        let capabilities = Live::new(Options::default()).self_test();
        assert_eq!(capabilities.why_not, "");
        assert!(capabilities.signal);
        assert_eq!(capabilities.peek, cfg!(target_arch = "x86_64"));
    }

    #[test]
    fn what_is_switched_off_is_said_to_be() {
        let capabilities = Live::new(Options {
            peek: false,
            signal: false,
        })
        .self_test();
        assert!(!capabilities.peek && !capabilities.signal);
        assert_eq!(capabilities.why_not.matches("switched off").count(), 2);
    }
}

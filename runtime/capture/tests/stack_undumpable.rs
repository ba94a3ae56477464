//! A process that gave up its rights: threads that registered before are still seen. A process of its own, because
//! rights are given up for all of it.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]
#![expect(unsafe_code, reason = "prctl")]

use std::hint::black_box;
use std::io::{PipeReader, Read, pipe};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use pollscope_capture::stack::{
    End, Live, LiveStack, Marks, Method, Missed, Options, ThreadHandle, function_start, init,
};

#[inline(never)]
fn waits_here(mut reader: PipeReader) {
    let _ = black_box(&mut reader).read(&mut [0]);
    black_box(());
}

fn is_waiting(stack: &LiveStack) -> bool {
    let waits = Some(waits_here as *const () as usize);
    stack
        .frames()
        .iter()
        .any(|frame| function_start(*frame) == waits)
}

#[test]
fn registered_threads_stay_visible_after_the_process_became_undumpable() {
    init();
    let mut live = Live::new(Options::default());
    let (reader, writer) = pipe().unwrap();
    let (send, receive) = mpsc::channel();
    let waiting = thread::spawn(move || {
        send.send(ThreadHandle::current(Marks::none())).unwrap();
        waits_here(reader);
    });
    let handle = receive.recv().unwrap();
    // What `setuid` does too.
    assert_eq!(unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 0) }, 0);
    let begun = Instant::now();
    let stack = loop {
        match live.capture(&handle, || true) {
            Ok(stack) if is_waiting(&stack) => break stack,
            Ok(_) | Err(Missed::Changed) if begun.elapsed() < Duration::from_secs(10) => {}
            other => panic!("{other:?}"),
        }
    };
    assert_eq!((stack.method, stack.end), (Method::Peek, End::Root));
    drop(writer);
    waiting.join().unwrap();
}

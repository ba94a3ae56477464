//! Under a system call filter the peek reads stacks another way. A process of its own: a filter cannot be undone.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]
#![expect(unsafe_code, reason = "installs a seccomp filter")]

use std::io::{Read, pipe};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use pollscope_capture::stack::{End, Live, Marks, Method, Missed, Options, ThreadHandle, init};

/// Kills the process at `process_vm_readv`: what a hardened service does with a call it does not know.
fn forbid_process_vm_readv() {
    const ALLOW: u32 = 0x7fff_0000;
    const KILL_PROCESS: u32 = 0x8000_0000;
    let instruction = |code: u32, jt, jf, k| libc::sock_filter {
        code: code as u16,
        jt,
        jf,
        k,
    };
    let mut program = [
        // Load the number; is it the one; allow or kill.
        instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, 0),
        instruction(
            libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K,
            0,
            1,
            libc::SYS_process_vm_readv as u32,
        ),
        instruction(libc::BPF_RET | libc::BPF_K, 0, 0, KILL_PROCESS),
        instruction(libc::BPF_RET | libc::BPF_K, 0, 0, ALLOW),
    ];
    let program = libc::sock_fprog {
        len: program.len() as u16,
        filter: program.as_mut_ptr(),
    };
    unsafe {
        assert_eq!(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        let set = libc::prctl(
            libc::PR_SET_SECCOMP,
            libc::SECCOMP_MODE_FILTER,
            &raw const program,
        );
        assert_eq!(set, 0, "{}", std::io::Error::last_os_error());
    }
}

#[test]
fn a_filter_that_kills_at_process_vm_readv_costs_neither_the_process_nor_the_stack() {
    forbid_process_vm_readv();
    init();
    let (mut reader, writer) = pipe().unwrap();
    let (send, receive) = mpsc::channel();
    let waiting = thread::spawn(move || {
        send.send(ThreadHandle::current(Marks::none())).unwrap();
        reader.read(&mut [0]).unwrap()
    });
    let handle = receive.recv().unwrap();
    let mut live = Live::new(Options::default());
    let begun = Instant::now();
    let stack = loop {
        match live.capture(&handle, || true) {
            Ok(stack) if stack.method == Method::Peek => break stack,
            Ok(_) | Err(Missed::Changed) if begun.elapsed() < Duration::from_secs(10) => {}
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(stack.end, End::Root);
    drop(writer);
    waiting.join().unwrap();
}

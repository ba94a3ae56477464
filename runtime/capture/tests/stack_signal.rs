//! What the signal may cost the thread that gets it: little stack, never somebody else's handler, nothing late.
#![cfg(target_os = "linux")]
#![expect(
    unsafe_code,
    reason = "alternate signal stacks, signal masks, handlers"
)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::hint::black_box;
use std::mem::zeroed;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering};
use std::sync::mpsc;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use pollscope_capture::stack::{
    End, Live, LiveStack, Marks, Method, Missed, Options, ThreadHandle, function_start, init,
};

/// There is one signal for the whole process, and these tests take it away from each other.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

const ONLY_SIGNAL: Options = Options {
    peek: false,
    signal: true,
};

/// The frame to be found: it runs until told to stop.
#[inline(never)]
fn runs(stop: &AtomicBool) -> u64 {
    let mut turns = 0u64;
    while !stop.load(Ordering::Relaxed) {
        turns = black_box(turns + 1);
    }
    black_box(turns)
}

/// Runs `prepare` and then `runs` on a thread, with `watch` looking at it meanwhile.
fn while_running<P: Send, R>(
    prepare: impl FnOnce() -> P + Send,
    watch: impl FnOnce(&ThreadHandle, P) -> R,
) -> R {
    init();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let (send, receive) = mpsc::channel();
        let stop = &stop;
        scope.spawn(move || {
            let prepared = prepare();
            send.send((ThreadHandle::current(Marks::none()), prepared))
                .unwrap();
            runs(stop);
        });
        let (handle, prepared) = receive.recv().unwrap();
        let result =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| watch(&handle, prepared)));
        stop.store(true, Ordering::Relaxed);
        result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Looks until the thread is found in `runs`: it may still be on its way there.
fn until_found(live: &mut Live, handle: &ThreadHandle) -> LiveStack {
    for _ in 0..10_000 {
        if let Ok(stack) = live.capture(handle, || true)
            && has_runs(&stack)
        {
            return stack;
        }
    }
    panic!("never found: {:?}", live.capture(handle, || true));
}

fn has_runs(stack: &LiveStack) -> bool {
    let start = Some(runs as *const () as usize);
    stack
        .frames()
        .iter()
        .any(|frame| function_start(*frame) == start)
}

const PAINT: u8 = 0xa5;

/// Gives the calling thread a painted stack for its signal handlers. Leaked: the thread may get a late signal.
fn paint_signal_stack() -> &'static [u8] {
    let stack: &'static mut [u8] = Box::leak(vec![PAINT; 64 << 10].into_boxed_slice());
    let alternate = libc::stack_t {
        ss_sp: stack.as_mut_ptr().cast(),
        ss_flags: 0,
        ss_size: stack.len(),
    };
    assert_eq!(
        unsafe { libc::sigaltstack(&raw const alternate, null_mut()) },
        0
    );
    stack
}

/// How much of it, from the top down, was ever written to.
fn used(stack: &[u8]) -> usize {
    // Volatile: the kernel and a handler wrote here, behind the compiler's back.
    let untouched = (0..stack.len())
        .take_while(|at| unsafe { stack.as_ptr().add(*at).read_volatile() } == PAINT)
        .count();
    stack.len() - untouched
}

#[test]
fn the_handler_needs_at_most_4_kib_of_stack_with_all_that_the_kernel_puts_there() {
    extern "C" fn nothing(_: libc::c_int) {}
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let kernels_own = thread::spawn(|| {
        let stack = paint_signal_stack();
        unsafe {
            let mut action: libc::sigaction = zeroed();
            action.sa_sigaction = nothing as *const () as usize;
            action.sa_flags = libc::SA_ONSTACK;
            libc::sigaction(libc::SIGUSR2, &raw const action, null_mut());
            libc::raise(libc::SIGUSR2);
        }
        used(stack)
    })
    .join()
    .unwrap();
    let ours = while_running(paint_signal_stack, |handle, painted| {
        let mut live = Live::new(ONLY_SIGNAL);
        for _ in 0..20 {
            let stack = until_found(&mut live, handle);
            assert_eq!((stack.method, stack.end), (Method::Signal, End::Root));
        }
        used(painted)
    });
    println!("{ours} bytes, of which an empty handler needs {kernels_own}");
    assert!(kernels_own > 0 && ours > 0);
    // The kernel aligns what it saves, so either may come out a little larger.
    assert!(
        ours.saturating_sub(kernels_own) <= 512,
        "{ours} - {kernels_own}"
    );
    // What the kernel saves depends on the processor's vector registers.
    if kernels_own <= 3584 {
        assert!(ours <= 4096, "{ours}");
    }
}

#[test]
fn a_thread_that_blocks_signals_is_given_up_and_the_next_request_works() {
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let blocked = || unsafe {
        let mut all: libc::sigset_t = zeroed();
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const all, null_mut());
    };
    let mut live = Live::new(ONLY_SIGNAL);
    while_running(blocked, |handle, ()| {
        let missed = live.capture(handle, || true).unwrap_err();
        assert_eq!(missed, Missed::Silent);
    });
    // The buffer is free again for the next thread.
    while_running(|| (), |handle, ()| until_found(&mut live, handle));
}

#[test]
fn the_marks_are_those_the_thread_had_when_it_was_interrupted() {
    static SEQ: AtomicU64 = AtomicU64::new(0);
    static TASK: AtomicU64 = AtomicU64::new(0);
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    init();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let (send, receive) = mpsc::channel();
        let stop = &stop;
        scope.spawn(move || {
            let marks = Marks {
                seq: &SEQ,
                task: &TASK,
            };
            send.send(ThreadHandle::current(marks)).unwrap();
            SEQ.store(41, Ordering::Relaxed);
            TASK.store(42, Ordering::Relaxed);
            runs(stop);
        });
        let handle = receive.recv().unwrap();
        let stack = until_found(&mut Live::new(ONLY_SIGNAL), &handle);
        stop.store(true, Ordering::Relaxed);
        assert_eq!((stack.marks.seq, stack.marks.task), (41, 42));
    });
}

#[test]
fn a_handler_that_somebody_put_in_our_place_is_left_alone_and_not_called() {
    static CALLS: AtomicI32 = AtomicI32::new(0);
    extern "C" fn theirs(_: libc::c_int) {
        CALLS.fetch_add(1, Ordering::Relaxed);
    }
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    while_running(
        || (),
        |handle, ()| {
            let mut live = Live::new(ONLY_SIGNAL);
            until_found(&mut live, handle);
            let ours = our_signal();
            let mut before: libc::sigaction = unsafe { zeroed() };
            unsafe {
                let mut action: libc::sigaction = zeroed();
                action.sa_sigaction = theirs as *const () as usize;
                libc::sigaction(ours, &raw const action, &raw mut before);
            }
            let missed = live.capture(handle, || true).unwrap_err();
            let mut after: libc::sigaction = unsafe { zeroed() };
            unsafe { libc::sigaction(ours, &raw const before, &raw mut after) };
            assert_eq!(missed, Missed::Running);
            assert_eq!(after.sa_sigaction, theirs as *const () as usize);
            assert_eq!(CALLS.load(Ordering::Relaxed), 0);
            until_found(&mut live, handle);
        },
    );
}

/// The real-time signal that has a handler: nothing else in this process sets one.
fn our_signal() -> libc::c_int {
    (libc::SIGRTMIN()..=libc::SIGRTMAX())
        .find(|signal| {
            let mut action: libc::sigaction = unsafe { zeroed() };
            unsafe { libc::sigaction(*signal, null(), &raw mut action) };
            action.sa_sigaction != libc::SIG_DFL
        })
        .unwrap()
}

#[test]
fn a_signal_from_elsewhere_is_ignored() {
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    while_running(
        || (),
        |handle, ()| {
            let mut live = Live::new(ONLY_SIGNAL);
            until_found(&mut live, handle);
            let forged = libc::sigval {
                sival_ptr: 0x4141_4141 as *mut _,
            };
            unsafe {
                libc::sigqueue(libc::getpid(), our_signal(), forged);
                libc::syscall(libc::SYS_tgkill, libc::getpid(), handle.tid(), our_signal());
            }
            until_found(&mut live, handle);
        },
    );
}

#[test]
fn errno_survives() {
    static CHANGED: AtomicU64 = AtomicU64::new(0);
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    init();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let (send, receive) = mpsc::channel();
        let stop = &stop;
        scope.spawn(move || {
            send.send(ThreadHandle::current(Marks::none())).unwrap();
            unsafe {
                *libc::__errno_location() = 123;
                while !stop.load(Ordering::Relaxed) {
                    if libc::__errno_location().read_volatile() != 123 {
                        CHANGED.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
        });
        let handle = receive.recv().unwrap();
        let mut live = Live::new(ONLY_SIGNAL);
        let taken = (0..20)
            .filter(|_| live.capture(&handle, || true).is_ok())
            .count();
        stop.store(true, Ordering::Relaxed);
        assert!(taken > 0);
        assert_eq!(CHANGED.load(Ordering::Relaxed), 0);
    });
}

#[test]
fn a_thread_that_falls_asleep_just_then_is_not_interrupted() {
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    init();
    let stop = AtomicBool::new(false);
    let (calls, cut_short) = (AtomicU64::new(0), AtomicU64::new(0));
    thread::scope(|scope| {
        let (send, receive) = mpsc::channel();
        let (stop, calls, cut_short) = (&stop, &calls, &cut_short);
        scope.spawn(move || {
            send.send(ThreadHandle::current(Marks::none())).unwrap();
            let mut turns = 0;
            while !stop.load(Ordering::Relaxed) {
                // Runs for some time that is never the same, then sleeps in a call that is not restarted.
                turns = (turns * 7 + 13) % 1000;
                for _ in 0..turns * 200 {
                    black_box(turns);
                }
                let returned = unsafe { libc::poll(null_mut(), 0, 1) };
                calls.fetch_add(1, Ordering::Relaxed);
                cut_short.fetch_add(u64::from(returned != 0), Ordering::Relaxed);
            }
        });
        let handle = receive.recv().unwrap();
        let mut live = Live::new(ONLY_SIGNAL);
        let begun = Instant::now();
        let (mut asked, mut taken) = (0, 0);
        while asked < 40 && begun.elapsed() < Duration::from_secs(5) {
            match live.capture(&handle, || true) {
                Err(Missed::Asleep) => continue,
                Ok(_) => taken += 1,
                Err(_) => {}
            }
            asked += 1;
        }
        stop.store(true, Ordering::Relaxed);
        println!("{asked} asked, {taken} taken, {calls:?} calls");
        assert!(asked > 0);
    });
    assert!(calls.load(Ordering::Relaxed) > 0);
    assert_eq!(cut_short.load(Ordering::Relaxed), 0);
}

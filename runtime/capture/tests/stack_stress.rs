//! Threads that change what they do some thousand times a second, looked at all the time: every stack that is returned must be
//! exactly the right one.
//!
//! Each phase marks itself from inside, so that while its mark stands its frame is on the stack. A stack is right
//! if it holds that phase, no other, and below it the very frames the thread has below every phase.
//!
//! Runs two seconds; `POLLSCOPE_STRESS_SECS` says otherwise. The figures are printed: `-- --nocapture`.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]
#![expect(unsafe_code, reason = "raw system calls are among the phases")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::print_stdout, reason = "the figures")]

use std::cell::Cell;
use std::fmt::Write;
use std::hint::black_box;
use std::panic::catch_unwind;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::sync::{Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use pollscope_capture::stack::{
    End, Live, LiveStack, MAX_FRAMES, Marks, Method, Missed, Options, ThreadHandle, capture,
    function_start, init,
};

/// How long a phase takes. Without optimisation a look takes five times as long.
const SHORT: Duration = Duration::from_micros(if cfg!(debug_assertions) { 1000 } else { 100 });

/// What a hopping thread publishes.
struct Slot {
    seq: AtomicU64,
    phase: AtomicU64,
    /// Its frames below every phase, taken by the thread itself.
    below: Mutex<Vec<usize>>,
}

thread_local! {
    static SLOT: Cell<Option<&'static Slot>> = const { Cell::new(None) };
}

static SHARED: Mutex<u64> = Mutex::new(0);

/// Marks the phase for as long as it lives.
struct Inside(&'static Slot);

impl Inside {
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "the phase must be the frame that marks itself"
    )]
    fn new(phase: fn()) -> Self {
        let slot = SLOT.get().unwrap();
        slot.phase
            .store(phase as *const () as u64, Ordering::Release);
        slot.seq.fetch_add(1, Ordering::Release);
        Self(slot)
    }
}

impl Drop for Inside {
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "the phase must be the frame that unmarks itself"
    )]
    fn drop(&mut self) {
        self.0.seq.fetch_add(1, Ordering::Release);
        self.0.phase.store(0, Ordering::Release);
    }
}

#[inline(never)]
fn sleeps() {
    let _inside = Inside::new(sleeps);
    thread::sleep(SHORT);
}

#[inline(never)]
fn waits_on_a_condition() {
    let _inside = Inside::new(waits_on_a_condition);
    let lock = Mutex::new(());
    let guard = lock.lock().unwrap();
    drop(Condvar::new().wait_timeout(guard, SHORT).unwrap());
}

#[inline(never)]
fn polls() {
    let _inside = Inside::new(polls);
    let time = libc::timespec {
        tv_sec: 0,
        tv_nsec: SHORT.as_nanos() as libc::c_long,
    };
    let none = std::ptr::null_mut();
    black_box(unsafe { libc::ppoll(none, 0, &raw const time, std::ptr::null()) });
}

#[inline(never)]
fn contends() {
    let _inside = Inside::new(contends);
    let mut shared = SHARED.lock().unwrap();
    let until = Instant::now() + SHORT / 2;
    while Instant::now() < until {
        *shared += 1;
    }
}

#[inline(never)]
fn formats() {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    let _inside = Inside::new(formats);
    // Now and then long enough for a clock tick: that is when threads that run are asked.
    let rounds = if CALLS.fetch_add(1, Ordering::Relaxed).is_multiple_of(16) {
        10_000
    } else {
        300
    };
    let mut text = String::new();
    for n in 0..rounds {
        write!(text, "{n:>8} {:?} ", black_box(f64::from(n) / 3.0)).unwrap();
    }
    black_box(text);
}

#[inline(never)]
fn panics() {
    let _inside = Inside::new(panics);
    let caught = catch_unwind(|| std::panic::resume_unwind(Box::new(black_box(7u8))));
    assert!(caught.is_err());
}

#[inline(never)]
fn recurses() {
    let _inside = Inside::new(recurses);
    black_box(down(black_box(40)));
}

#[inline(never)]
fn down(levels: u32) -> u32 {
    let room = black_box([levels; 32]);
    if levels == 0 {
        thread::sleep(SHORT);
        return 0;
    }
    black_box(down(levels - 1)) + room[(levels % 32) as usize]
}

#[inline(never)]
fn looks_down() {
    let mut frames = [0; MAX_FRAMES];
    // Frame 0 is this function.
    let len = capture(&mut frames, 1);
    let slot = SLOT.get().unwrap();
    *slot.below.lock().unwrap() = frames[..len].to_vec();
}

const PHASES: [fn(); 7] = [
    sleeps,
    waits_on_a_condition,
    polls,
    contends,
    formats,
    panics,
    recurses,
];

/// The one place that calls phases, so that what lies below them is always the same.
#[inline(never)]
fn hop(stop: &AtomicBool, mut seed: u64) {
    let mut next: fn() = looks_down;
    while !stop.load(Ordering::Relaxed) {
        black_box(next)();
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        next = PHASES[(seed >> 33) as usize % PHASES.len()];
    }
    black_box(());
}

#[derive(Debug, Default)]
struct Figures {
    peeked: u64,
    signalled: u64,
    between_phases: u64,
    partial: u64,
    moved: u64,
    running: u64,
    silent: u64,
    no_root: u64,
    asleep: u64,
    other: u64,
    wrong: u64,
}

fn holds(stack: &LiveStack, phase: fn()) -> Option<usize> {
    let start = Some(phase as *const () as usize);
    stack
        .frames()
        .iter()
        .position(|frame| function_start(*frame) == start)
}

/// Whether this is the stack of the phase it is marked with.
fn is_right(stack: &LiveStack, below: &[usize]) -> bool {
    let phase = stack.marks.task;
    let (mut there, mut others) = (None, 0);
    for known in PHASES {
        match holds(stack, known) {
            Some(at) if known as *const () as u64 == phase => there = Some(at),
            Some(_) => others += 1,
            None => {}
        }
    }
    let whole = stack.depth <= stack.frames().len();
    let right = match there {
        Some(at) => others == 0 && (!whole || stack.frames()[at + 1..] == *below),
        // Deeper than what is kept: the phase may lie further out.
        None => others == 0 && !whole,
    };
    if !right {
        for frame in stack.frames() {
            println!("{frame:#x} in {:#x?}", function_start(*frame));
        }
        println!(
            "phase {phase:#x}, {:?}, {:?}, below {below:#x?}",
            stack.method, stack.end
        );
    }
    right
}

fn count(result: Result<LiveStack, Missed>, slot: &Slot, figures: &mut Figures) {
    match result {
        Ok(stack) if stack.marks.task == 0 || stack.marks.seq.is_multiple_of(2) => {
            figures.between_phases += 1;
        }
        Ok(stack) => {
            match stack.method {
                Method::Peek => figures.peeked += 1,
                Method::Signal | Method::Own => figures.signalled += 1,
            }
            if stack.end != End::Root {
                figures.partial += 1;
            } else if !is_right(&stack, &slot.below.lock().unwrap()) {
                figures.wrong += 1;
            }
        }
        Err(Missed::Changed) => figures.moved += 1,
        Err(Missed::Running) => figures.running += 1,
        Err(Missed::Silent) => figures.silent += 1,
        Err(Missed::NoRoot) => figures.no_root += 1,
        Err(Missed::Asleep) => figures.asleep += 1,
        Err(_) => figures.other += 1,
    }
}

type Watched = (ThreadHandle, &'static Slot);

/// Looks at all threads in turn until told to stop.
fn watch(watched: &[Watched], options: Options, stop: &AtomicBool) -> (Figures, Vec<Duration>) {
    let mut live = Live::new(options);
    let mut figures = Figures::default();
    let mut took = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        for (handle, slot) in watched {
            if slot.below.lock().unwrap().is_empty() {
                continue;
            }
            let seq = slot.seq.load(Ordering::Acquire);
            let asked = Instant::now();
            let result = live.capture(handle, || slot.seq.load(Ordering::Acquire) == seq);
            if result.is_ok() {
                took.push(asked.elapsed());
            }
            count(result, slot, &mut figures);
        }
    }
    (figures, took)
}

fn start_hopping(stop: &'static AtomicBool) -> (Vec<Watched>, Vec<thread::JoinHandle<()>>) {
    let (send, receive) = mpsc::channel();
    let threads = (1..=4)
        .map(|seed| {
            let send = send.clone();
            thread::spawn(move || {
                let slot: &'static Slot = Box::leak(Box::new(Slot {
                    seq: AtomicU64::new(0),
                    phase: AtomicU64::new(0),
                    below: Mutex::new(Vec::new()),
                }));
                SLOT.set(Some(slot));
                let marks = Marks {
                    seq: &slot.seq,
                    task: &slot.phase,
                };
                send.send((ThreadHandle::current(marks), slot)).unwrap();
                hop(stop, seed);
            })
        })
        .collect();
    (receive.iter().take(4).collect(), threads)
}

#[test]
fn no_stack_is_ever_the_wrong_one() {
    init();
    let seconds = std::env::var("POLLSCOPE_STRESS_SECS")
        .ok()
        .and_then(|seconds| seconds.parse().ok())
        .unwrap_or(2);
    let stop_hopping: &'static AtomicBool = Box::leak(Box::new(AtomicBool::new(false)));
    let stop_watching = &AtomicBool::new(false);
    let (watched, threads) = start_hopping(stop_hopping);
    // Both ways at once, and each with the other forced off. One that only peeks never waits for a clock tick and
    // comes by most often.
    let only = |peek, signal| Options { peek, signal };
    let ways = [only(true, false), only(true, true), only(false, true)];
    let results = thread::scope(|scope| {
        let watchers = ways.map(|options| {
            scope.spawn({
                let watched = &watched;
                move || watch(watched, options, stop_watching)
            })
        });
        thread::sleep(Duration::from_secs(seconds));
        stop_watching.store(true, Ordering::Relaxed);
        watchers.map(|watcher| watcher.join().unwrap())
    });
    stop_hopping.store(true, Ordering::Relaxed);
    for thread in threads {
        thread.join().unwrap();
    }
    for (options, (figures, mut took)) in ways.iter().zip(results) {
        took.sort();
        let at = |percent: usize| took.get(took.len() * percent / 100).copied();
        println!(
            "{options:?}: {figures:?}, p50 {:?}, p99 {:?}",
            at(50),
            at(99)
        );
        assert_eq!(figures.wrong + figures.other, 0, "{figures:?}");
        assert!(figures.peeked + figures.signalled > 0, "{figures:?}");
        // What is forced off is not done, and what is not forced off is.
        assert!(options.peek || figures.peeked == 0, "{figures:?}");
        assert!(options.signal || figures.signalled == 0, "{figures:?}");
        assert!(!options.peek || figures.asleep == 0, "{figures:?}");
    }
}

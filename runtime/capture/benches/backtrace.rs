//! What stacks cost: a creation backtrace (the walk, interning, both), and a look at another thread.
//!
//! Hot: the same addresses as before, which is what spawning in a loop does.

use std::hint::black_box;
use std::sync::mpsc;
use std::thread;

use criterion::{Criterion, criterion_group, criterion_main};
use pollscope_capture::stack::{
    Live, MAX_FRAMES, Marks, Options, ThreadHandle, capture, init, intern, refresh_modules,
};

/// Runs `work` under `levels` frames.
#[inline(never)]
fn under(levels: usize, work: &mut dyn FnMut()) {
    if levels == 0 {
        return work();
    }
    under(black_box(levels - 1), work);
    black_box(());
}

fn backtrace(criterion: &mut Criterion) {
    init();
    let mut group = criterion.benchmark_group("backtrace");
    for levels in [0, 24] {
        let mut frames = [0; MAX_FRAMES];
        let mut found = 0;
        under(levels, &mut || found = capture(&mut frames, 0));
        under(levels, &mut || {
            group.bench_function(format!("walk, {found} frames"), |bencher| {
                bencher.iter(|| capture(black_box(&mut frames), 0));
            });
            group.bench_function(format!("intern, {found} frames"), |bencher| {
                bencher.iter(|| intern(black_box(&frames[..found])));
            });
            group.bench_function(format!("walk and intern, {found} frames"), |bencher| {
                bencher.iter(|| {
                    let found = capture(black_box(&mut frames), 0);
                    intern(&frames[..found])
                });
            });
        });
    }
    group.finish();
}

fn another_thread(criterion: &mut Criterion) {
    init();
    let mut group = criterion.benchmark_group("another thread");
    let (send, receive) = mpsc::channel();
    let (stop, stopped) = mpsc::channel::<()>();
    let asleep = thread::spawn(move || {
        // The other end waits for it.
        let _ = send.send(ThreadHandle::current(Marks::none()));
        under(10, &mut || {
            // An error is what is waited for: the other end was dropped.
            let _ = stopped.recv();
        });
    });
    if let Ok(handle) = receive.recv() {
        let mut live = Live::new(Options::default());
        group.bench_function("peek at a sleeping thread", |bencher| {
            bencher.iter(|| live.capture(&handle, || true).is_ok());
        });
        group.bench_function("sample", |bencher| bencher.iter(|| handle.sample()));
    }
    drop(stop);
    drop(asleep.join());
    group.bench_function("register a thread", |bencher| {
        bencher.iter(|| ThreadHandle::current(Marks::none()));
    });
    group.bench_function("modules, unchanged", |bencher| {
        bencher.iter(refresh_modules);
    });
    group.finish();
}

criterion_group!(benches, backtrace, another_thread);
criterion_main!(benches);

//! What a creation backtrace costs: the walk, interning, both.
//!
//! Hot: the same addresses as before, which is what spawning in a loop does.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use pollscope_capture::stack::{MAX_FRAMES, capture, init, intern};

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

criterion_group!(benches, backtrace);
criterion_main!(benches);

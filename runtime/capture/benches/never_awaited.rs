//! What a tracked future costs its thread: made and polled, made and discarded, made and forgotten in a storm.
//!
//! The storm is the worst that `never_awaited` can do: every call is a finding. The budget is 150 ns each, after the
//! first few of a site, whatever the level; a thread beside it empties the rings, as the collector does.

use std::future::{Ready, ready};
use std::hint::black_box;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Waker};
use std::thread as threads;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use pollscope_capture::level::{Source, set_level};
use pollscope_capture::tracked::{Tracked, track};
use pollscope_capture::{Level, registry, thread};

/// Ten sites, as ten types.
fn storm() {
    macro_rules! forget {
        ($($held:expr,)*) => { $(drop(black_box(track(ready($held))));)* };
    }
    forget!(
        0_u8, 0_u16, 0_u32, 0_u64, 0_u128, 0_i8, 0_i16, 0_i32, 0_i64, 0_i128,
    );
}

fn made() -> Tracked<Ready<u64>> {
    black_box(track(ready(black_box(7))))
}

fn tracked(criterion: &mut Criterion) {
    registry::set_starter(|| {});
    let stop = AtomicBool::new(false);
    threads::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                thread::all().for_each(|thread| thread.drain(drop));
                threads::sleep(Duration::from_millis(20));
            }
        });
        for level in [Level::Quiet, Level::Debug] {
            assert!(set_level(level, Source::Code));
            let mut group = criterion.benchmark_group(format!("tracked, {level:?}"));
            group.bench_function("polled once", |bencher| {
                let mut cx = Context::from_waker(Waker::noop());
                bencher.iter(|| pin!(made()).poll(&mut cx).is_ready());
            });
            group.bench_function("discarded", |bencher| bencher.iter(|| made().discard()));
            group.bench_function("forgotten, of one site", |bencher| {
                bencher.iter(|| drop(made()));
            });
            group.bench_function("forgotten, ten of ten sites", |bencher| {
                bencher.iter(storm);
            });
            group.finish();
        }
        stop.store(true, Ordering::Relaxed);
    });
}

criterion_group!(benches, tracked);
criterion_main!(benches);

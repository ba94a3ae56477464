//! What an update costs the watched process: one scan of all tasks, the filter, the order, and 50 rows.
//!
//! The tasks are records like any other's, spawned at eight sites, a third of them named, each polled once or not.

use std::hint::black_box;
use std::panic::Location;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use pollscope_agent::Rehearsal;
use pollscope_capture::TaskKind;
use pollscope_capture::instrumented::instrument;
use pollscope_capture::level::{self, Level, Source};
use pollscope_capture::task::{Asks, Meta};
use pollscope_proto::v1;

/// Spawns a task at the site that the type parameter makes, and leaves it.
fn leave<const SITE: usize>(number: usize) {
    let name = number
        .is_multiple_of(3)
        .then(|| format!("connection-{number}"));
    let meta = Meta {
        location: Location::caller(),
        kind: TaskKind::Task,
        name: name.as_deref(),
        runtime: 0,
        asks: Asks::Caller,
    };
    let body = async {
        let state = [0_u8; SITE];
        std::future::pending::<()>().await;
        black_box(state);
    };
    let (task, _) = instrument(body, pollscope_capture::instrumented::Untold, &meta);
    let mut task = Box::pin(task);
    if !number.is_multiple_of(7) {
        assert!(
            pin!(&mut task)
                .poll(&mut Context::from_waker(Waker::noop()))
                .is_pending()
        );
    }
    std::mem::forget(task);
}

fn fill(from: usize, to: usize) {
    for number in from..to {
        [
            leave::<1>, leave::<2>, leave::<3>, leave::<4>, leave::<5>, leave::<6>, leave::<7>,
            leave::<8>,
        ][number % 8](number);
    }
}

fn views() -> [(&'static str, v1::View); 6] {
    let view = |filter: &str, order: &str, offset| v1::View {
        filter: filter.into(),
        order: order.into(),
        descending: true,
        offset,
        limit: 50,
        sites: true,
        threads: true,
        warnings: true,
        ..v1::View::default()
    };
    [
        ("newest", view("", "id", 0)),
        ("busiest", view("", "busy", 0)),
        ("busiest, far down", view("", "busy", 9_000)),
        ("by name", view("", "name", 0)),
        ("text", view("connection-77", "busy", 0)),
        ("state and time", view("state:idle age>1ms", "idle", 0)),
    ]
}

fn update(c: &mut Criterion) {
    level::set_level(Level::Debug, Source::Explicit);
    let mut rehearsal = Rehearsal::new();
    let mut filled = 0;
    for tasks in [1_000, 10_000, 100_000] {
        fill(filled, tasks);
        filled = tasks;
        let mut group = c.benchmark_group(format!("update of {tasks} tasks"));
        group
            .sample_size(20)
            .measurement_time(Duration::from_secs(2));
        for (name, view) in views() {
            let matched = rehearsal.update(&view)[0].matched;
            assert!(matched > 0, "{name} shows nothing");
            group.bench_function(name, |b| {
                b.iter(|| black_box(rehearsal.update(&view)));
            });
        }
        group.finish();
    }
}

criterion_group!(benches, update);
criterion_main!(benches);

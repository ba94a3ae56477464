//! A blocking pool of which every thread is taken, and a closure that waits for one. asyncio's default executor has as
//! many threads at most, and says nothing.

use std::io;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use pollscope::runtime::{Builder, Runtime};

const LONG: Duration = Duration::from_millis(300);
const THREADS: usize = 2;

/// Two closures hold both threads until a line comes in, and a third waits.
pub(crate) fn faulty() {
    let runtime = runtime();
    let (begun, begins) = mpsc::channel();
    let held: Vec<_> = (0..THREADS)
        .map(|_| {
            let (release, released) = mpsc::channel::<()>();
            let begun = begun.clone();
            let holds = runtime.spawn_blocking(move || {
                begun.send(()).expect("somebody waits");
                // Until the sender is gone.
                let _ = released.recv();
            });
            (release, holds)
        })
        .collect();
    for _ in 0..THREADS {
        begins.recv().expect("it begins");
    }
    let third = runtime.spawn_blocking(|| 3); // @waits
    println!("full");
    io::stdin().read_line(&mut String::new()).expect("a line");
    for (release, holds) in held {
        drop(release);
        runtime.block_on(holds).expect("it ends");
    }
    assert_eq!(runtime.block_on(third).expect("it ends"), 3);
}

/// One thread is held for long while short closures take turns on the other; then both are, and nobody waits.
pub(crate) fn healthy() {
    let runtime = runtime();
    runtime.block_on(async {
        let long = pollscope::task::spawn_blocking(|| thread::sleep(LONG));
        for _ in 0..20 {
            let short = pollscope::task::spawn_blocking(|| thread::sleep(LONG / 30));
            short.await.expect("it ends");
        }
        long.await.expect("it ends");
        let both = [(); THREADS].map(|()| pollscope::task::spawn_blocking(|| thread::sleep(LONG)));
        for one in both {
            one.await.expect("it ends");
        }
    });
}

fn runtime() -> Runtime {
    let mut builder = Builder::new_current_thread();
    let runtime = builder.max_blocking_threads(THREADS).build();
    runtime.expect("a runtime")
}

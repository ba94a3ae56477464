//! The first use of all, out of a drop that is part of an unwinding. A process of its own, because there is one first use.

#![cfg(feature = "capture")]

#[path = "support/findings.rs"]
mod findings;

use std::panic::{AssertUnwindSafe, catch_unwind};

use findings::only;
use pollscope_capture::event::Family;
use pollscope_tokio::{original, task};

/// Spawns what cleans up, as connections and temporary directories do.
struct Cleaned;

impl Drop for Cleaned {
    fn drop(&mut self) {
        drop(task::spawn(async {}));
    }
}

#[test]
fn the_first_spawn_of_a_process_may_be_by_a_drop_that_unwinds() {
    let runtime = original::runtime::Builder::new_current_thread().build();
    runtime.expect("a runtime").block_on(async {
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _cleaned = Cleaned;
            panic!("caught, on purpose");
        }));
        assert!(panicked.is_err(), "and the process lives");

        // What could not be done then is done by the next use: the place of a panic is known.
        let lost = task::spawn(async { panic!("lost, on purpose") });
        task::yield_now().await;
        drop(lost);
        let found = only("the_first_spawn_of_a_process");
        assert_eq!(found.family, Family::LeakedPanic);
        let panic = found.panic.expect("a panic");
        assert_eq!(panic.message.as_deref(), Some("lost, on purpose"));
        let (file, _, _) = panic.place.expect("our hook saw it");
        assert!(file.ends_with("unwinding.rs"), "{file}");
    });
}

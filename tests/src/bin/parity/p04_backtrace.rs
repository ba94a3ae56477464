//! P4: where a coroutine was created, twenty calls deep.

use std::hint::black_box;

use pollscope::Tracked;
use pollscope::runtime::Runtime;

/// Frames that the compiler keeps.
#[inline(never)]
fn deep(calls: u32) -> Tracked<impl Future<Output = ()>> {
    if calls == 0 {
        return pollscope::track(async {}); // @created
    }
    let made = deep(black_box(calls - 1)); // @through
    black_box(made)
}

pub(crate) fn faulty() {
    Runtime::new().expect("a runtime").block_on(async {
        let forgotten = deep(20);
        drop(forgotten);
    });
}

pub(crate) fn healthy() {
    Runtime::new().expect("a runtime").block_on(async {
        deep(20).await;
    });
}

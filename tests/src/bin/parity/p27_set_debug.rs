//! P27: debug switched on while the program runs.

use pollscope::Tracked;
use pollscope::runtime::Runtime;

/// The same place both times.
fn before(held: u8) -> Tracked<impl Future<Output = u8>> {
    pollscope::track(async move { held }) // @before
}

fn after(held: u8) -> Tracked<impl Future<Output = u8>> {
    pollscope::track(async move { held }) // @after
}

pub(crate) fn faulty() {
    Runtime::new().expect("a runtime").block_on(async {
        // The first of a place has a backtrace in quiet, too.
        pollscope::discard(before(0));
        pollscope::discard(after(0));
        let made_before = before(1);
        pollscope::set_debug(true);
        let made_after = after(1);
        drop((made_before, made_after));
    });
}

pub(crate) fn healthy() {
    Runtime::new().expect("a runtime").block_on(async {
        let made_before = before(1);
        pollscope::set_debug(true);
        assert_eq!(made_before.await + after(1).await, 2);
    });
}

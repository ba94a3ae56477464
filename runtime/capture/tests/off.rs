//! Level off: the same types, and nothing else. One test: the level is the process's.

#[path = "executor/by_hand.rs"]
#[expect(dead_code, reason = "another test needs the rest")]
mod executor;

use std::sync::atomic::{AtomicBool, Ordering};

use executor::{Pending, run, spawn};
use pollscope_capture::level::{Source, set_level};
use pollscope_capture::{Level, registry, slab, thread, tracked};

static STARTED: AtomicBool = AtomicBool::new(false);

#[test]
fn nothing_is_made_and_nothing_is_started() {
    assert!(set_level(Level::Off, Source::Explicit));
    registry::set_starter(|| STARTED.store(true, Ordering::Relaxed));
    let (task, mut share) = spawn(Pending(3));
    assert_eq!((task.id(), share.id()), (0, 0));
    run(task).join(&mut share);
    let (aborted, _share) = spawn(Pending(3));
    drop(aborted);
    drop(tracked::track(Pending(0)));
    assert!(
        registry::is_started(),
        "off is for good from the first use on"
    );
    assert!(!set_level(Level::Debug, Source::Code));
    assert!(!STARTED.load(Ordering::Relaxed));
    assert_eq!(slab::len(), 0);
    assert_eq!(thread::all().count(), 0);
}

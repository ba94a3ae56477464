//! What is told of an `Owned` value used elsewhere. That it is refused is tested beside it.

use std::rc::Rc;
use std::thread;

use pollscope::Owned;

use crate::watch::{Found, What, during};

fn text(found: &Found) -> (&str, &str, &str) {
    let What::Thread(text) = &found.what else {
        panic!("{found:?}")
    };
    assert_ne!(text.owner_tid, 0);
    (&text.what, text.did, &text.owner_name)
}

#[test]
fn touching_and_dropping_elsewhere_are_told_with_both_places() {
    let owner = thread::Builder::new().name("the owner".to_owned());
    let (made, touched) = (line!() + 3, line!() + 5);
    let work = move || {
        let found = during(|| {
            let owned = Owned::new(Rc::new(1));
            let owned = thread::spawn(move || {
                assert!(owned.with(|value| **value).is_err());
                owned
            });
            let owned = owned.join().expect("no panic");
            thread::spawn(move || drop(owned)).join().expect("no panic");
        });
        let [first, second] = &found[..] else {
            panic!("{found:?}")
        };
        assert_eq!(text(first), ("alloc::rc::Rc<i32>", "touched", "the owner"));
        assert_eq!((first.line, first.at_line), (made, Some(touched)));
        assert_eq!(text(second), ("alloc::rc::Rc<i32>", "dropped", "the owner"));
        assert_eq!((second.line, second.at_line), (made, None));
    };
    owner
        .spawn(work)
        .expect("a thread")
        .join()
        .expect("no panic");
}

#[test]
fn its_own_thread_is_silent() {
    let found = during(|| {
        let owned = Owned::new(Rc::new(1));
        assert!(owned.with(|value| **value).is_ok());
        assert!(owned.with_mut(|value| *Rc::make_mut(value) += 1).is_ok());
        // Neither asking nor carrying it about is using it.
        let owned = thread::scope(|scope| {
            let carried = scope.spawn(move || {
                assert!(!owned.is_here());
                owned
            });
            carried.join().expect("no panic")
        });
        assert!(owned.into_inner().is_ok());
    });
    assert_eq!(found, []);
}

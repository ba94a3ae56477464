//! Owned values at home, elsewhere, lent twice, and after their thread.

use std::cell::RefCell;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread::{self, ThreadId};

use super::*;

/// Notes the thread it was dropped on.
struct Noted(mpsc::Sender<ThreadId>);

impl Drop for Noted {
    fn drop(&mut self) {
        let _ = self.0.send(thread::current().id());
    }
}

fn elsewhere<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    thread::scope(|scope| scope.spawn(work).join().expect("no panic elsewhere"))
}

#[test]
fn it_is_send_and_sync_whatever_is_inside() {
    fn check<T: Send + Sync>() {}
    check::<Owned<Rc<RefCell<*mut u8>>>>();
    // As its documentation says; less where there is nothing to tell of its making.
    #[cfg(feature = "capture")]
    assert_eq!(size_of::<Owned<u64>>(), 8 + 40);
}

#[test]
fn its_own_thread_gets_the_value() {
    let owned = Owned::new(Rc::new(5));
    assert_eq!(owned.with(|value| **value), Ok(5));
    assert_eq!(owned.with_mut(|value| *Rc::make_mut(value) += 1), Ok(()));
    assert_eq!(format!("{owned:?}"), "Owned(6)");
    assert_eq!(
        owned.into_inner().map_err(|(_, refused)| refused),
        Ok(Rc::new(6))
    );
}

#[test]
fn others_are_refused_before_anything_is_touched() {
    let (made, owned) = (line!(), Owned::new(Rc::new(5)));
    let called = AtomicUsize::new(0);
    elsewhere(|| {
        let line = line!() + 1;
        let refused = owned.with(|_| called.fetch_add(1, Ordering::Relaxed));
        let refused = refused.unwrap_err();
        assert_eq!(
            (refused.made_at.line(), refused.touched_at.line()),
            (made, line)
        );
        assert_eq!(refused.touched_at.file(), file!());
        assert_eq!(refused.current.id(), thread::current().id());
        assert_ne!(refused.owner.id(), refused.current.id());
        assert_eq!(refused.type_name, "alloc::rc::Rc<i32>");
        assert!(
            refused.to_string().contains("belongs to thread `"),
            "{refused}"
        );
        assert!(
            owned
                .with_mut(|_| called.fetch_add(1, Ordering::Relaxed))
                .is_err()
        );
        assert!(
            owned
                .try_with(|_| called.fetch_add(1, Ordering::Relaxed))
                .is_err()
        );
        assert!(
            owned
                .try_with_mut(|_| called.fetch_add(1, Ordering::Relaxed))
                .is_err()
        );
        assert!(
            format!("{owned:?}").starts_with("Owned(<of thread `"),
            "{owned:?}"
        );
        assert!(!owned.is_here());
    });
    assert_eq!(called.load(Ordering::Relaxed), 0);
    assert_eq!(owned.with(Rc::strong_count), Ok(1));
}

#[test]
fn into_inner_elsewhere_gives_it_back_unchanged() {
    let owned = Owned::new(Rc::new(5));
    let owned = elsewhere(move || {
        let (owned, refused) = owned.into_inner().unwrap_err();
        assert_eq!(refused.touched_at.file(), file!());
        owned
    });
    assert_eq!(owned.with(|value| **value), Ok(5));
}

#[test]
fn dropped_at_home_it_is_dropped_at_once() {
    let (tell, told) = mpsc::channel();
    drop(Owned::new(Noted(tell)));
    assert_eq!(told.try_recv(), Ok(thread::current().id()));
}

#[test]
fn dropped_elsewhere_it_is_sent_home_and_dropped_at_the_next_call() {
    let (tell, told) = mpsc::channel();
    let (owned, other) = (Owned::new(Noted(tell.clone())), Owned::new(Noted(tell)));
    elsewhere(move || drop(owned));
    assert!(
        told.try_recv().is_err(),
        "not before its thread calls an `Owned`"
    );
    assert_eq!(other.with(|_| ()), Ok(()));
    assert_eq!(told.try_recv(), Ok(thread::current().id()));
    assert!(told.try_recv().is_err(), "dropped once");
}

#[test]
fn what_came_home_is_dropped_in_the_order_it_was_sent_and_by_making_another() {
    struct Ordered(usize, Rc<RefCell<Vec<usize>>>);
    impl Drop for Ordered {
        fn drop(&mut self) {
            self.1.borrow_mut().push(self.0);
        }
    }
    let order = Rc::new(RefCell::new(Vec::new()));
    let sent: Vec<_> = (0..3)
        .map(|number| Owned::new(Ordered(number, Rc::clone(&order))))
        .collect();
    elsewhere(move || drop(sent));
    assert_eq!(*order.borrow(), [0; 0]);
    let _another = Owned::new(());
    assert_eq!(*order.borrow(), [0, 1, 2]);
    assert_eq!(Rc::strong_count(&order), 1);
}

#[test]
fn what_never_came_to_a_call_is_dropped_at_its_thread_s_end() {
    let (tell, told) = mpsc::channel();
    let (give, given) = mpsc::channel();
    let (go, gone) = mpsc::channel::<()>();
    let home = thread::spawn(move || {
        give.send(Owned::new(Noted(tell))).expect("the test waits");
        gone.recv().expect("the test says when");
    });
    let id = home.thread().id();
    drop(given.recv().expect("made"));
    assert!(told.try_recv().is_err());
    go.send(()).expect("it waits");
    home.join().expect("no panic");
    assert_eq!(told.try_recv(), Ok(id));
}

#[test]
fn after_its_thread_it_is_leaked_and_counted() {
    let (tell, told) = mpsc::channel();
    let owned = thread::spawn(move || Owned::new(Noted(tell)))
        .join()
        .expect("made");
    assert!(owned.with(|_| ()).is_err());
    let before = leaked();
    drop(owned);
    // Others may leak at the same time.
    assert!(leaked() > before);
    // Neither dropped nor gone: the sender lives.
    assert_eq!(told.try_recv(), Err(mpsc::TryRecvError::Empty));
}

#[test]
fn a_value_may_be_made_and_dropped_while_its_thread_ends() {
    thread_local!(static LATE: RefCell<Option<Late>> = const { RefCell::new(None) });
    struct Late(mpsc::Sender<ThreadId>);
    impl Drop for Late {
        fn drop(&mut self) {
            let owned = Owned::new(Noted(self.0.clone()));
            assert_eq!(owned.with(|_| ()), Ok(()));
        }
    }
    let (tell, told) = mpsc::channel();
    let home = thread::spawn(move || {
        LATE.set(Some(Late(tell)));
        // Registered after `LATE`, so destroyed before or after it: both must do.
        drop(Owned::new(()));
    });
    let id = home.thread().id();
    home.join().expect("no panic");
    assert_eq!(told.recv(), Ok(id));
}

#[test]
fn loans_go_as_in_a_ref_cell() {
    let owned = Owned::new(1);
    let both = owned.with(|a| owned.with(|b| a + b).expect("shared"));
    assert_eq!(both, Ok(2));
    assert_eq!(
        owned.with(|_| owned.try_with_mut(|_| ()).expect("here")),
        Ok(None)
    );
    assert_eq!(
        owned.with_mut(|_| owned.try_with(|_| ()).expect("here")),
        Ok(None)
    );
    assert_eq!(owned.try_with_mut(|value| *value += 1), Ok(Some(())));
    let nested = |work: &dyn Fn()| std::panic::catch_unwind(AssertUnwindSafe(work)).is_err();
    assert!(nested(&|| _ = owned.with_mut(|_| owned.with(|_| ()))));
    assert!(nested(&|| _ = owned.with(|_| owned.with_mut(|_| ()))));
    assert!(nested(
        &|| _ = owned.with_mut(|_| panic!("on purpose, by a test"))
    ));
    // A loan that unwound is over.
    assert_eq!(owned.with_mut(|value| *value), Ok(2));
}

#[test]
fn what_comes_home_may_use_owned_values_itself_and_may_panic() {
    struct Busy(Rc<Owned<u8>>);
    impl Drop for Busy {
        fn drop(&mut self) {
            assert_eq!(self.0.with(|value| *value), Ok(7));
            panic!("on purpose, by a test");
        }
    }
    let inner = Rc::new(Owned::new(7));
    let sent = Owned::new(Busy(Rc::clone(&inner)));
    elsewhere(move || drop(sent));
    assert_eq!(inner.with(|value| *value), Ok(7));
    assert_eq!(Rc::strong_count(&inner), 1);
}

//! P3, on two threads: a coroutine that another thread let go.

use std::thread;

#[pollscope::tracked]
async fn settle() {}

fn on_the_other_thread(work: impl FnOnce() + Send + 'static) {
    let other = thread::Builder::new().name("the other".to_owned());
    let other = other.spawn(work).expect("a thread");
    other.join().expect("no panic");
}

pub(crate) fn faulty() {
    let settling = settle(); // @created
    on_the_other_thread(move || drop(settling));
}

pub(crate) fn healthy() {
    let settling = settle();
    on_the_other_thread(move || {
        let runtime = pollscope::runtime::Builder::new_current_thread().build();
        runtime.expect("a runtime").block_on(settling);
    });
}

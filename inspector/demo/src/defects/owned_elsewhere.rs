//! A cache belongs to the thread that made it, and another thread touches it. Found as `wrong_thread`.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::beat;

type Cache = Rc<RefCell<HashMap<u64, String>>>;

pub(super) async fn run() {
    let mut beat = beat(4);
    loop {
        beat.tick().await;
        // Made on the worker that happens to poll us, and handed to a thread of the blocking pool.
        let cache = pollscope::Owned::new(Cache::default());
        let looked = pollscope::task::spawn_blocking(move || {
            let found = cache
                .try_with(|cache| cache.borrow().contains_key(&1))
                .is_ok();
            (found, cache)
        });
        // Back here it may be another worker by now: dropping it is refused and it is sent home.
        drop(looked.await);
    }
}

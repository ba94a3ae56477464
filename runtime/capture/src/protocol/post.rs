//! What a thread does right now, posted for whoever wants to see it.
//!
//! One writer, the thread. `current` is what it works on, `edges` grows at every change of it and never comes
//! back to an old value: the same number before and after means that nothing changed between.
//!
//! A reader is promised this: what it is told of an item, it read **after** the thread had posted that item, and
//! the item is at most one change ahead of the number. So the writer stores what belongs to the item first, then
//! `current` (Release, paired with the reader's Acquire load), then `edges` (Release). Of two changes in a row
//! a reader may take the later item for the earlier number; then the number is out of date at once, and whoever
//! compares it with a later one finds them different. It errs towards "moved on", never towards "stuck".

use crate::protocol::counter::Counter;
use crate::sync::{AtomicPtr, AtomicU64, Ordering};

/// How often a reader tries again while the thread moves on under its eyes.
const TRIES: usize = 4;

/// What a thread works on.
#[derive(Debug)]
pub(crate) struct Post<T> {
    current: AtomicPtr<T>,
    edges: Counter,
}

impl<T> Default for Post<T> {
    fn default() -> Self {
        Self {
            current: AtomicPtr::new(std::ptr::null_mut()),
            edges: Counter::default(),
        }
    }
}

impl<T> Post<T> {
    /// Posts another item. The thread itself.
    #[inline]
    pub(crate) fn post(&self, item: *mut T) {
        self.current.store(item, Ordering::Release);
        self.edges.publish(1);
    }

    /// What is posted, as the thread itself knows it.
    #[inline]
    pub(crate) fn current(&self) -> *mut T {
        self.current.load(Ordering::Relaxed)
    }

    /// How often the post has changed.
    #[inline]
    pub(crate) fn edges(&self) -> u64 {
        self.edges.read()
    }

    /// The number of changes as a word, for code that may only read words: a signal handler.
    pub(crate) fn edges_word(&self) -> &AtomicU64 {
        self.edges.word()
    }

    /// What is posted, what `look` makes of it, and the number of changes that all of it belongs to. `None`
    /// where nothing is posted, or the thread changes it faster than it can be read. Any thread.
    pub(crate) fn read<R>(&self, look: impl Fn(*mut T) -> R) -> Option<(u64, R)> {
        (0..TRIES).find_map(|_| {
            let edges = self.edges.read();
            let item = self.current.load(Ordering::Acquire);
            let seen = (!item.is_null()).then(|| look(item));
            (self.edges.get() == edges).then_some(seen.map(|seen| (edges, seen)))
        })?
    }
}
